"""Two functions of a point in which clipping can be seen exactly: a steep power and the cliff of a recurrent unit."""

from __future__ import annotations

import torch
from torch import Tensor

from ..spec import OneUnitRecurrence, PowerFunction, require
from .data import TaskData
from .quadratic import without_data


def power_function(task: PowerFunction, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return f(x) = sum_i |x_i|^p / p, whose gradient is sign(x_i) |x_i|^(p - 1)."""
    require(task.exponent >= 1, what="PowerFunction", must="exponent must be >= 1", got=task.exponent)

    def loss(x_D: Tensor, nothing: Tensor) -> Tensor:
        return x_D.abs().pow(task.exponent).sum() / task.exponent

    return without_data(loss, dimension=1, dtype=dtype, device=device)


def one_unit_recurrence(task: OneUnitRecurrence, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return the summed loss of k independent units; the point holds w_1, b_1, ..., w_k, b_k (Pascanu 2013, figure 6).

    x_0 = start, x_t = w sigmoid(x_{t-1}) + b, loss (sigmoid(x_T) - target)^2. Each pair's gradient is that of its own loss.
    """

    def loss(point_2K: Tensor, nothing: Tensor) -> Tensor:
        w_K, b_K = point_2K.reshape(-1, 2).unbind(-1)
        x_K = torch.full_like(w_K, task.start)
        for _ in range(task.length):
            x_K = w_K * torch.sigmoid(x_K) + b_K
        return (torch.sigmoid(x_K) - task.target).square().sum()

    return without_data(loss, dimension=2, dtype=dtype, device=device)
