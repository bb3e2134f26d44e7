"""The parameters themselves as a model: for functions that are given by a formula."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seven_terms import spec


class Point(nn.Module):
    """(anything) -> the parameter `x` [dimension]."""

    def __init__(self, model: spec.Point) -> None:
        super().__init__()
        self.model = model
        self.x = nn.Parameter(
            torch.tensor(model.start, dtype=torch.get_default_dtype()).expand(model.dimension).clone()
        )

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.x

    def after_drawing(
        self, drawn: dict[str, Tensor], initialization: spec.Initialization, generator: torch.Generator
    ) -> None:
        """Start at `start` times `scale`, or at normal numbers of that size."""
        model, dtype = self.model, drawn["x"].dtype
        z = torch.randn(model.dimension, generator=generator, dtype=torch.float64)
        start = torch.tensor(model.start, dtype=torch.float64).expand(model.dimension) * initialization.scale
        drawn["x"] = (z * start if model.random else start).to(dtype)


def point(model: spec.Point, *, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    return Point(model)
