"""Somebody's LightningModule, trained by Lightning's own Trainer; ours are seed, metrics file, end of divergence, resume."""

from .runs import fit_runs as fit_runs
