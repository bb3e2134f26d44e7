"""The parameters themselves as a model: for functions that are given by a formula."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seven_terms import spec


class Point(nn.Module):
    """(anything) -> the parameter `x` [dimension]."""

    def __init__(self, model: spec.Point) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor(model.start).expand(model.dimension).clone())

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.x


def point(model: spec.Point, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    return Point(model)
