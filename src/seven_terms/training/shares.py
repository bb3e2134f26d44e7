"""One model over several devices: each process takes its share of every batch, and all make the same update.

Probes know nothing of it: they measure whole batches in the first process, where batch norm knows of the shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..models import BatchNorm, mean_over_shares
from ..optimizers import Tensors
from .network import StackedNetwork


def tell_batch_norms(module: nn.Module, *, num_devices: int) -> None:
    """Let batch norm know over how many devices each batch is spread."""
    for batch_norm in _batch_norms(module):
        batch_norm.num_devices = num_devices


def shared_gradients(
    network: StackedNetwork,
    parameters: Tensors,
    buffers: Tensors,
    batch: tuple[Tensor, ...],
    *,
    rank: int,
    num_devices: int,
) -> tuple[Tensor, Tensors]:
    """Return (loss [R], gradients) of a batch, each process computing on share `rank`; running statistics move.

    All of it travels as one tensor: per update one exchange, and two for each synchronized batch norm and direction.
    """
    size = batch[0].shape[1] // num_devices
    share = tuple(tensor[:, rank * size : (rank + 1) * size] for tensor in batch)
    with _holding_a_share(network.module):
        loss_R, gradients = network.gradients(parameters, buffers, share)
    running = {name: buffer for name, buffer in buffers.items() if ".running_" in name}
    averaged = _averaged([loss_R, *gradients.values(), *running.values()])
    buffers |= dict(zip(running, averaged[1 + len(gradients) :], strict=True))
    return averaged[0], dict(zip(gradients, averaged[1:], strict=False))


def _averaged(tensors: list[Tensor]) -> list[Tensor]:
    flat = mean_over_shares(torch.cat([tensor.flatten() for tensor in tensors]))
    parts = flat.split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


@contextmanager
def _holding_a_share(module: nn.Module) -> Iterator[None]:
    batch_norms = _batch_norms(module)
    for batch_norm in batch_norms:
        batch_norm.holds_share = True
    try:
        yield
    finally:
        for batch_norm in batch_norms:
            batch_norm.holds_share = False


def _batch_norms(module: nn.Module) -> list[BatchNorm]:
    return [child for child in module.modules() if isinstance(child, BatchNorm)]
