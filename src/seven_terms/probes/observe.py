"""What a probe may use of a stack, and how it is asked to observe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor, nn

from .. import spec
from ..optimizers import Tensors

Values = Iterator[tuple[str, Tensor, list[int] | None]]


class Program(Protocol):
    """What a probe may use of the stacked program."""

    module: nn.Module
    task: Any
    training: spec.Training
    parameters: Tensors
    buffers: Tensors
    state: Tensors
    probe_state: dict[str, Any]  # what a probe remembers from one look to the next
    seeds: list[int]

    def metrics(self, parameters: Tensors, examples: tuple[Tensor, ...]) -> Tensors: ...
    def frozen_buffers(self) -> Tensors: ...
    def spread(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]: ...
    def batch_of_step(self, step: int) -> tuple[Tensor, ...]: ...
    def losses(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> Tensor: ...
    def curvatures(self) -> Any: ...
    def gradients(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensors]: ...


def at_step(probe: spec.Probe, program: Program, step: int) -> Values:
    """Observe at the present parameters; probes of the update itself yield nothing here."""
    return probe.at_step(program, step)


def after_update(probe: spec.Probe, program: Program, before: Tensors) -> Values:
    """Observe what needs the parameters before and after an update."""
    return probe.after_update(program, before)
