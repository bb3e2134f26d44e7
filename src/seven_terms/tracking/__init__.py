"""Metrics to Weights & Biases, after the statistics: the only importer of wandb. Nothing reads it back."""
