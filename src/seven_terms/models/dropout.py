"""Dropout whose masks are a run's own: a hash of a key, which the trainer draws from (seed, step), and of each entry's place.

PyTorch's dropout draws from one stream for the whole stack, so that masks would depend on a run's neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

GOLDEN, FIRST, SECOND = (
    -7046029254386353131,
    -4658895280553007687,
    -7723592293110705685,
)  # splitmix64 (Steele et al. 2014)


class Dropout(nn.Module):
    """As `nn.Dropout`: entries are zero with probability p and otherwise divided by 1 - p, in training mode only."""

    noise: Tensor

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.register_buffer("noise", torch.zeros(2))  # standard normals, refilled by the trainer at every update

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0.0:
            return x
        first, second = (self.noise.double() * 2.0**40).long()
        h = (torch.arange(x.numel(), device=x.device) + 1) * GOLDEN + first * FIRST + second
        h = (h ^ _shifted(h, 30)) * FIRST
        h = (h ^ _shifted(h, 27)) * SECOND
        uniform = _shifted(h ^ _shifted(h, 31), 11).double() * 2.0**-53
        return x * (uniform >= self.p).to(x.dtype).reshape(x.shape) / (1.0 - self.p)


def _shifted(h: Tensor, bits: int) -> Tensor:
    """Return h >> bits of 64 bits without a sign."""
    return (h >> bits) & ((1 << (64 - bits)) - 1)


def with_own_dropout(module: nn.Module) -> nn.Module:
    """Return the module with every `nn.Dropout` inside it replaced."""
    for name, child in list(module.named_children()):
        if type(child) is nn.Dropout:
            setattr(module, name, Dropout(child.p))
        else:
            with_own_dropout(child)
    return module
