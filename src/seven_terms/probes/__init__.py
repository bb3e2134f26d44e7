"""Probes: what is observed besides the loss, from a stack's state, without moving it.

Each probe kind is a function (probe, program, step) that yields (metric, values [R] or [R, I], index or None).
"""

from . import observe as observe
