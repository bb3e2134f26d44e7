"""Modules that an experiment names by class: plain PyTorch and Lightning, imported only where they are trained."""
