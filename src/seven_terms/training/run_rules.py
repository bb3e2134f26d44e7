"""What an update does with the gradients of a stack: each run's own rates, thresholds and rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..optimizers import State, Tensors, clip, hyper_parameters, initial_state, update
from ..records.runs import Run


class RunRules:
    """Rates [U, R], thresholds [R] and the fields [R] of one kind of rule, in float64."""

    def __init__(self, runs: Sequence[Run], steps: Sequence[int], *, device: torch.device) -> None:
        self.device = device
        self.optimizer = runs[0].training.optimizer
        self.hyper = hyper_parameters([run.training.optimizer for run in runs], device=device)
        clippings = [run.training.clipping for run in runs]
        self.clip_norm_R = self._threshold([clipping.norm for clipping in clippings])
        self.clip_value_R = self._threshold([clipping.value for clipping in clippings])
        self.clip_adaptive_R = self._threshold([clipping.adaptive for clipping in clippings])
        self.trained: tuple[str, ...] | None = None  # names of parameters; None: all
        factor_of = {
            schedule: self._per_run([schedule.factor(step, runs[0].training.num_steps) for step in steps])
            for schedule in {run.training.schedule for run in runs}
        }
        rates = [run.training.optimizer.learning_rate * factor_of[run.training.schedule] for run in runs]
        self.rate_UR = torch.stack(rates, dim=1)

    def initial_state(self, parameters: Tensors) -> State:
        return initial_state(self.optimizer, self._trained(parameters), self.hyper)

    def clipped(self, parameters: Tensors, gradients: Tensors) -> tuple[Tensors, Tensor, Tensor]:
        """Return (clipped gradients of what is trained, their norm before [R], and after [R])."""
        parameters, gradients = self._trained(parameters), self._trained(gradients)
        return clip(self.clip_norm_R, self.clip_value_R, self.clip_adaptive_R, parameters, gradients)

    def updated(
        self, rate_R: Tensor, parameters: Tensors, gradients: Tensors, state: State, number: int | Tensor
    ) -> tuple[Tensors, State]:
        """Return the parameters and the rule's state after update `number`."""
        moved, state = update(self.optimizer, self.hyper, rate_R, self._trained(parameters), gradients, state, number)
        return (moved if self.trained is None else {**parameters, **moved}), state

    def _trained(self, parameters: Tensors) -> Tensors:
        return parameters if self.trained is None else {name: parameters[name] for name in self.trained}

    def _per_run(self, values: list[Any]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)

    def _threshold(self, values: list[float]) -> Tensor | None:
        """Return thresholds [R], or None where all are infinite: infinity gives the same bits as no clipping."""
        return None if all(value == math.inf for value in values) else self._per_run(values)
