"""Where the numbers of a stack's tensors lie, as the kernels are told."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

import torch
from torch import Tensor

Pointers = ctypes.Array[ctypes.c_void_p]


def places(tensor: Tensor) -> list[int]:
    """Return where each run's entries lie, without taking them."""
    first, apart = tensor.data_ptr(), tensor.stride(0) * tensor.element_size()
    return [first + apart * run for run in range(len(tensor))]


def pointers(tensors: Iterable[Tensor], run: int, dtype: torch.dtype) -> Pointers:
    """Return where one run's part of each tensor lies."""
    rows = [tensor[run] for tensor in tensors]
    assert all(row.is_contiguous() and row.dtype == dtype for row in rows)
    return (ctypes.c_void_p * len(rows))(*[row.data_ptr() for row in rows])
