"""One door to four ways of making updates: eager, compiled, native, serial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from ...optimizers import State, Tensors
from ...records.runs import Run
from ...spec import Training
from ...tasks.data import Normals
from ..batches import Batches
from ..network import StackedNetwork
from ..run_rules import RunRules


@dataclass(slots=True)
class StackState:
    """All numbers that an update changes, each tensor [R, ...]: parameters, the module's buffers, the rule's state."""

    parameters: Tensors
    buffers: Tensors
    of_rule: State


@dataclass(frozen=True, kw_only=True, slots=True)
class StackParts:
    """What a way of advancing works on. Of `runs` the first `num_runs` count, the others pad the stack."""

    runs: tuple[Run, ...]
    num_runs: int
    device: torch.device
    dtype: torch.dtype
    network: StackedNetwork
    batches: Batches
    rules: RunRules
    state: StackState
    rank: int | None  # which share of every batch is this process's; None: the whole batch is

    @property
    def training(self) -> Training:
        training = self.runs[0].training
        assert isinstance(training, Training)  # of a LightningModule no program is made
        return training


class Advance(Protocol):
    """A way to make updates. Each rounds in its own way, so a run's mode is part of its id; tests hold them equal."""

    is_compiled: ClassVar[bool]  # whether the stack is padded and copied for compiled code
    tells_update_norms: ClassVar[bool]
    normals: ClassVar[Normals | None]  # where a task draws from another source than `torch.randn`
    updates_per_call: int  # as many go into one call where no probe looks in between
    updates_per_step: int  # of Lightning, whose loop costs about a millisecond; a checkpoint waits for its end

    def __init__(self, parts: StackParts) -> None: ...

    def advance(self, first: int, stop: int) -> Tensors:
        """Make updates first ... stop - 1 on the state.

        Return batch_loss, gradient_norm and clipped_gradient_norm, perhaps update_norm too, each [U, R].
        """
        ...

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        """Return outputs [R, B, ...] for inputs [R, B, ...] or `shared` ones [B, ...]; no running statistics move."""
        ...

    def metrics(self, parameters: Tensors, examples: tuple[Tensor, ...]) -> Tensors:
        """Return the task's metrics, each [R] in float64, on examples [1 or S, N, ...], in the mode that the module is in."""
        ...

    def curvatures(self) -> Any:
        """Return what knows the Hessian of this training's loss, `native.curvature.Curvatures`; None where PyTorch must do."""
        ...

    def provenance(self) -> Mapping[str, str]:
        """Return what the record of a stack should say of this way."""
        ...
