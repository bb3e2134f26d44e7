"""Distances of Point models from the minimum at the origin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ..spec import Distance


def observe_distance(probe: Distance, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    (point_RD,) = program.parameters.values()
    yield "squared_distance", point_RD.double().square().mean(1), None
    if probe.num:
        yield "coordinate", point_RD[:, : probe.num], None
