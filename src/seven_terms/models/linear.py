"""A linear layer that knows how its parametrization and its gates matter to the initialization."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    """x [B, D] -> weight_multiplier W x + bias_multiplier b, with W [num_blocks * features, D].

    `num_blocks` matrices stand on top of each other (the gates of a recurrent cell): each is drawn on its own.
    `initial_factor` multiplies the drawn W, and 1 / bias_multiplier the drawn b. `default_fan` is n in PyTorch's
    U[-1/sqrt(n), 1/sqrt(n)], `role` tells recurrent matrices from others.
    """

    def __init__(
        self,
        num_inputs: int,
        num_outputs: int,
        *,
        bias: bool = True,
        num_blocks: int = 1,
        default_fan: int | None = None,
        role: Literal["feedforward", "recurrent"] = "feedforward",
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_blocks * num_outputs, num_inputs))
        self.bias = nn.Parameter(torch.zeros(num_blocks * num_outputs)) if bias else None
        self.num_blocks, self.default_fan, self.role = num_blocks, default_fan or num_inputs, role
        self.weight_multiplier = self.bias_multiplier = self.initial_factor = 1.0

    def forward(self, x: Tensor) -> Tensor:
        y = (self.weight @ x.t()).t()  # so that the gradient of W has the layout of W: a quarter faster than x W'
        if self.weight_multiplier != 1.0:
            y = self.weight_multiplier * y
        if self.bias is None:
            return y
        return y + (self.bias if self.bias_multiplier == 1.0 else self.bias_multiplier * self.bias)


class Convolution(nn.Conv2d):
    """PyTorch's convolution, with parameters that the initialization draws whatever its kind."""
