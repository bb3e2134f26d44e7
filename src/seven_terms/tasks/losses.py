"""Losses and metrics that several tasks share, for one run; safe under torch.vmap, torch.func.grad and torch.compile."""

from __future__ import annotations

import torch
from torch import Tensor


def cross_entropy(logits_BC: Tensor, inputs: Tensor, labels_B: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats.

    Written with logsumexp because log_softmax under vmap takes twice the time.
    """
    chosen_B = logits_BC.gather(-1, labels_B[:, None])[:, 0]
    return (torch.logsumexp(logits_BC, dim=-1) - chosen_B).mean()


def half_squared_error(outputs_BC: Tensor, inputs: Tensor, labels_B: Tensor) -> Tensor:
    """Return the mean over examples of half the squared distance to the one-hot label."""
    one_hot_BC = labels_B[:, None] == torch.arange(outputs_BC.shape[-1], device=labels_B.device)
    return (outputs_BC - one_hot_BC.to(outputs_BC.dtype)).square().sum(-1).mean() / 2


def squared_error(outputs_B1: Tensor, inputs: Tensor, targets_B1: Tensor) -> Tensor:
    """Return the mean squared error."""
    return (outputs_B1 - targets_B1).square().mean()


def right_share(outputs_BC: Tensor, labels_B: Tensor) -> dict[str, Tensor]:
    """Return accuracy and error, as shares of the examples; NaN where an output is not finite."""
    return shares(outputs_BC.argmax(-1) == labels_B, outputs_BC)


def shares(is_right_B: Tensor, outputs: Tensor) -> dict[str, Tensor]:
    """Return accuracy and error, as shares of the examples; NaN where an output is not finite, neither right nor wrong."""
    share = is_right_B.to(outputs.dtype).mean()
    accuracy = torch.where(torch.isfinite(outputs).all(), share, torch.nan)
    return {"accuracy": accuracy, "error": 1 - accuracy}


def classification_metrics(logits_BC: Tensor, inputs: Tensor, labels_B: Tensor) -> dict[str, Tensor]:
    return {"loss": cross_entropy(logits_BC, inputs, labels_B)} | right_share(logits_BC, labels_B)


def half_squared_error_metrics(outputs_BC: Tensor, inputs: Tensor, labels_B: Tensor) -> dict[str, Tensor]:
    return {"loss": half_squared_error(outputs_BC, inputs, labels_B)} | right_share(outputs_BC, labels_B)


def squared_error_metrics(outputs_B1: Tensor, inputs: Tensor, targets_B1: Tensor) -> dict[str, Tensor]:
    return {"loss": squared_error(outputs_B1, inputs, targets_B1)}
