"""What a task's metrics say of a network's outputs, for every way of advancing that has no faster one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ...optimizers import Tensors
from ...spec import EXAMPLES_AT_ONCE
from .protocol import StackParts


def metrics_of_outputs(
    parts: StackParts, outputs: Callable[..., Tensor], parameters: Tensors, examples: tuple[Tensor, ...]
) -> Tensors:
    """Return each metric [R] over examples [1 or S, N, ...], in float64.

    In evaluation mode some examples at a time, whose means are averaged; in training mode all are one batch.
    """
    total = examples[0].shape[1]
    at_once = total if parts.network.module.training else EXAMPLES_AT_ONCE
    sums: Tensors = {}
    with torch.no_grad():
        for first in range(0, total, at_once):
            part = tuple(tensor[:, first : first + at_once] for tensor in examples)
            for name, value_R in _metrics(parts, outputs, parameters, part).items():
                sums[name] = sums.get(name, 0.0) + value_R.double() * (part[0].shape[1] / total)
    return sums


def _metrics(
    parts: StackParts, outputs: Callable[..., Tensor], parameters: Tensors, part: tuple[Tensor, ...]
) -> Tensors:
    num_seeds = len(parts.batches.seeds)
    shared = part[0].shape[0] != num_seeds or num_seeds == 1
    batch = tuple(tensor[0] for tensor in part) if shared else parts.batches.spread(part)
    outputs_RB = outputs(parameters, batch[0], shared=shared)
    dims = (0, *[None if shared else 0 for _ in batch])
    return torch.vmap(parts.batches.task.metrics, in_dims=dims)(outputs_RB, *batch)
