"""Functions of a point that show gradients exactly: a steep power, the cliff of a recurrent unit, a linear memory."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..spec import LinearMemory, OneUnitRecurrence, PowerFunction, require
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


def linear_memory(task: LinearMemory, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return half the mean squared difference of the states of two linear recurrences, weights a and b, under one white input.

    States h = sum_k a^k x_{t-k} have E[h h'] = 1 / (1 - a b), hence (a - b)^2 (1 + a b) / (2 (1 - a^2) (1 - b^2) (1 - a b));
    normalized ones have the correlation r = sqrt((1 - a^2) (1 - b^2)) / (1 - a b), hence 1 - r. Without a stationary state,
    from |a| = 1 on, the difference is infinite.
    """
    b = task.decay

    def loss(point_1: Tensor, nothing: Tensor) -> Tensor:
        (x,) = point_1.unbind(-1)
        a = torch.exp(math.log(b) * torch.exp(x)) if task.exponential else b + x
        apart = 1 - a * b
        if task.normalized:
            correlation = ((1 - a * a) * (1 - b * b)).sqrt() / apart
            found = ((a - b) / apart).square() / (1 + correlation)  # 1 - r = (1 - r^2) / (1 + r), which cancels nothing
        else:
            found = (a - b).square() * (1 + a * b) / (2 * (1 - a * a) * (1 - b * b) * apart)
        return torch.where(a.abs() < 1, found, torch.full_like(found, math.inf))

    return without_data(loss, dimension=1, dtype=dtype, device=device)
