"""Synthetic metrics in, statistics out; no torch."""
