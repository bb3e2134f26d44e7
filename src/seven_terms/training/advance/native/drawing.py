"""Standard normal numbers: those of `torch.randn` but for rounding, made of the same uniform ones in half of the time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .library import kernels

BLOCK = 16  # PyTorch's: uniform numbers become normal in blocks; fewer than that are drawn in another way


def normals(shape: Sequence[int], random: torch.Generator) -> Tensor:
    """Return standard normal numbers in float64; the generator is left as `torch.randn` leaves it."""
    number = torch.Size(shape).numel()
    if number < BLOCK:
        return torch.randn(shape, generator=random, dtype=torch.float64)
    flat = torch.rand(number, generator=random, dtype=torch.float64)
    if number % BLOCK:  # the last block is drawn anew, whole
        _make_normal(flat[: number - number % BLOCK])
        flat[-BLOCK:] = _make_normal(torch.rand(BLOCK, generator=random, dtype=torch.float64))
    else:
        _make_normal(flat)
    return flat.view(*shape)


def _make_normal(uniform: Tensor) -> Tensor:
    kernels("float32", "points").seven_terms_normals(uniform.data_ptr(), len(uniform) // BLOCK)
    return uniform
