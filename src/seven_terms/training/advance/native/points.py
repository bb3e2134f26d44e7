"""Many updates of every point of a stack through the kernels, one run after the other, in double precision."""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

from ....optimizers import Tensors
from ....spec import (
    Adam,
    ExpectedSgd,
    NoisyQuadraticMoments,
    OneUnitRecurrence,
    PowerFunction,
    Quadratic,
    Sgd,
    Training,
)
from ....tasks.quadratic import eigenvalues, inverse_eigenvalues
from ..protocol import StackParts
from .border import FUNCTIONS, NUM_MEASURED, POINT_RULES, Point, PointCall, succeeded
from .library import kernels
from .updates import MEASURED

NOISES_AT_ONCE = 1 << 21  # numbers of all seeds that are held at once: 16 MB


class Points:
    """The kernels at work on points, which change in place; runs of one seed share the noise of each update."""

    def __init__(self, parts: StackParts) -> None:
        self.parts = parts
        self.library = kernels()
        task, training = parts.training.task, parts.training
        assert list(parts.state.parameters) == ["x"], list(parts.state.parameters)
        assert parts.dtype == torch.float64, parts.dtype
        self.h_D = _eigenvalues(training)
        self.is_noisy = isinstance(task, Quadratic) and task.noise_scale > 0
        self.points = [_point(run.training) for run in parts.runs[: parts.num_runs]]
        self.seed_of_run = parts.batches.seed_index_R.tolist()

    def advance(self, first: int, stop: int) -> Tensors:
        """Return each name of MEASURED as [U, R], zero for the run that pads the stack."""
        parts = self.parts
        measured_RUN = torch.zeros(len(parts.runs), stop - first, NUM_MEASURED, dtype=parts.dtype)
        rate_RU = parts.rules.rate_UR[first:stop].T.contiguous()
        most = max(NOISES_AT_ONCE // (len(parts.batches.seeds) * self._dimension), 1) if self.is_noisy else stop - first
        for begin in range(first, stop, most):
            end = min(begin + most, stop)
            of_call = slice(begin - first, end - first)
            noise_SUD = self._noise(begin, end)
            for run in range(parts.num_runs):
                noise_UD = None if noise_SUD is None else noise_SUD[self.seed_of_run[run]]
                self._call(run, begin, noise_UD, rate_RU[run, of_call], measured_RUN[run, of_call])
        return {name: measured_RUN[..., index].T.contiguous() for index, name in enumerate(MEASURED)}

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        return self.parts.network.outputs(parameters, {}, inputs, shared=shared)

    @property
    def _dimension(self) -> int:
        return self.parts.state.parameters["x"].shape[1]

    def _noise(self, first: int, stop: int) -> Tensor | None:
        """Return what each seed's updates add to the gradient, [S, U, D]."""
        if not self.is_noisy:
            return None
        batches, base = self.parts.batches, self.parts.batches.base_size or 1
        updates = batches.updates[first:stop]
        of_one_each = [(updates[0][0] + number, updates[0][1]) for number in range(len(updates))] == updates
        if batches.task.singles is not None and of_one_each and (updates[0][1] or 1) == 1:
            return batches.task.singles(batches.seeds, updates[0][0], len(updates))
        drawn = [batches.task.batches(batches.seeds, step * base, size)[0] for step, size in updates]
        return torch.stack(drawn, 1).contiguous()

    def _call(self, run: int, first: int, noise_UD: Tensor | None, rate_U: Tensor, measured_UN: Tensor) -> None:
        state = self.parts.state
        kept = {name: values["x"][run] for name, values in state.of_rule.items()}
        tensors = {
            "x": state.parameters["x"][run],
            "velocity": kept.get("velocity", kept.get("mean")),
            "square": kept.get("square"),
            "average": kept.get("average"),
            "h": self.h_D,
            "noise": noise_UD,
            "rates": rate_U,
            "measured": measured_UN,
        }
        given = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        assert all(tensor.is_contiguous() and tensor.dtype == torch.float64 for tensor in given.values())
        pointers = {name: tensor.data_ptr() for name, tensor in given.items()}
        call = PointCall(**pointers, first_update=first, num_updates=len(rate_U))
        succeeded(self.library.seven_terms_advance_point(ctypes.byref(self.points[run]), ctypes.byref(call)))


def _eigenvalues(training: Training) -> Tensor | None:
    match training.task:
        case Quadratic() as task:
            return eigenvalues(task)
        case NoisyQuadraticMoments() as task:
            return inverse_eigenvalues(task.dimension)
    return None


def _point(training: Training) -> Point:
    task, rule, clipping = training.task, training.optimizer, training.clipping
    names = ("momentum", "weight_decay", "eps", "beta1", "beta2", "noise", "nesterov", "decoupled")
    fields: dict[str, Any] = {name: getattr(rule, name) for name in names if hasattr(rule, name)}
    match task:
        case Quadratic():
            fields |= {"function": FUNCTIONS.index("quadratic"), "counts_noise": task.noise == "gaussian"}
        case NoisyQuadraticMoments():
            fields |= {"function": FUNCTIONS.index("moments")}
        case PowerFunction():
            fields |= {"function": FUNCTIONS.index("power"), "exponent": task.exponent}
        case OneUnitRecurrence():
            fields |= {"function": FUNCTIONS.index("recurrence"), "length": task.length}
            fields |= {"start": task.start, "target": task.target}
    kinds = {Sgd: "descent", Adam: "adaptive_moments", ExpectedSgd: "expected"}
    return Point(
        **fields,
        rule=POINT_RULES.index(kinds[type(rule)]),
        dimension=training.model.dimension,
        clip_value=clipping.value,
        clip_norm=clipping.norm,
        clip_adaptive=clipping.adaptive,
    )
