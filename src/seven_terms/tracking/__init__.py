"""Metrics to Weights & Biases: the only importer of wandb."""
