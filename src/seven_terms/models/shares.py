"""Means over the processes that share a run's batches, one process per device: of numbers, and of statistics in a model.

Shares are equal, so a mean over the batch is the mean over processes of the means over their shares.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def mean_over_shares(values: Tensor) -> Tensor:
    """Return the mean of every process's tensor, the same bits in each; all processes must call it, in the same order."""
    total = values.detach().clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total / dist.get_world_size()


class MeanOverShares(torch.autograd.Function):
    """`mean_over_shares` inside a model. The loss is the mean over shares too, which makes the backward pass the same mean.

    Process k's gradient holds what all losses owe to its share, so that the mean of the processes' gradients is the
    gradient of the mean loss, as without this function.
    """

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return mean_over_shares(values)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return MeanOverShares.apply(gradients[0])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None], values: Tensor) -> tuple[Tensor, int | None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return MeanOverShares.apply(values), in_dims[0]
