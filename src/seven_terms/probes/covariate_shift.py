"""Internal covariate shift as a change of gradients (Santurkar et al. 2018, definition 2.1)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..optimizers import Tensors
from ..spec import CovariateShift
from .layers import weight_names


def observe_covariate_shift(
    probe: CovariateShift, program: Any, step: int
) -> Iterator[tuple[str, Tensor, list[int] | None]]:
    """Compare each weight matrix's gradient before and after everything below it made the coming update, same batch."""
    batch = program.batch_of_step(step)
    _, gradients = program.gradients(program.parameters, program.frozen_buffers(), batch)
    moved, names = _after_coming_update(program, gradients, step), weight_names(program)
    before = [gradients[name].double().flatten(1) for name in names[1:]]
    after = [_with_layers_below_moved(program, moved, name, batch).double().flatten(1) for name in names[1:]]
    layers = list(range(1, len(names)))
    change = _stack((g2 - g1).norm(dim=1) for g1, g2 in zip(before, after, strict=True))
    yield "covariate_shift", change, layers
    yield "relative_covariate_shift", change / _stack(g.norm(dim=1) for g in before), layers
    cosines = (torch.cosine_similarity(g1, g2, dim=1, eps=0.0) for g1, g2 in zip(before, after, strict=True))
    yield "covariate_shift_cosine", _stack(cosines), layers


def _after_coming_update(program: Any, gradients: Tensors, step: int) -> Tensors:
    steps = [first for first, _ in program.updates]
    number = min(bisect_left(steps, step), len(steps) - 1)
    clipped, _, _ = program.rules.clipped(program.parameters, gradients)
    rate_R = program.rules.rate_UR[number]
    moved, _ = program.rules.updated(rate_R, program.parameters, clipped, program.state, number)
    return moved


def _with_layers_below_moved(program: Any, moved: Tensors, name: str, batch: tuple[Tensor, ...]) -> Tensor:
    """Return the gradient of weight matrix `name`; parameters are listed from the input up, so below means before."""
    names = list(program.parameters)
    below = set(names[: names.index(name)])
    mixed = {other: (moved if other in below else program.parameters)[other] for other in names}
    _, gradients = program.gradients(mixed, program.frozen_buffers(), batch)
    return gradients[name]


def _stack(values: Iterator[Tensor]) -> Tensor:
    return torch.stack(list(values), dim=1)
