"""Many updates of every point of a stack through the kernels in one call, in double precision."""

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
from ..measured import metrics_of_outputs
from ..protocol import StackParts
from .border import FUNCTIONS, NUM_MEASURED, POINT_RULES, Point, PointCall, succeeded
from .library import kernels
from .updates import MEASURED

NOISES_AT_ONCE = 1 << 21  # numbers of all seeds that are held at once: 16 MB


class Points:
    """The kernels at work on points, which change in place; runs of one seed share the noise of each update."""

    def __init__(self, parts: StackParts) -> None:
        self.parts = parts
        self.library = kernels("float32", "points")
        task, training = parts.training.task, parts.training
        assert list(parts.state.parameters) == ["x"], list(parts.state.parameters)
        assert parts.dtype == torch.float64, parts.dtype
        self.h_D = _eigenvalues(training)
        self.is_noisy = isinstance(task, Quadratic) and task.noise_scale > 0
        points = [_point(run.training) for run in parts.runs[: parts.num_runs]]
        self.points = (Point * len(points))(*points)
        self.seed_of_run = parts.batches.seed_index_R.to(torch.int64).contiguous()

    def advance(self, first: int, stop: int) -> Tensors:
        """Return each name of MEASURED as [U, R], zero for the run that pads the stack."""
        parts = self.parts
        measured_NUR = torch.zeros(NUM_MEASURED, stop - first, len(parts.runs), dtype=parts.dtype)
        most = max(NOISES_AT_ONCE // (len(parts.batches.seeds) * self._dimension), 1) if self.is_noisy else stop - first
        for begin in range(first, stop, most):
            self._call(begin, min(begin + most, stop), measured_NUR[:, begin - first :])
        return dict(zip(MEASURED, measured_NUR, strict=True))

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        return self.parts.network.outputs(parameters, {}, inputs, shared=shared)

    def metrics(self, parameters: Tensors, examples: tuple[Tensor, ...]) -> Tensors:
        return metrics_of_outputs(self.parts, self.outputs, parameters, examples)

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

    def _call(self, first: int, stop: int, measured_NUR: Tensor) -> None:
        """Make updates first ... stop - 1; what is measured of them comes first in `measured_NUR`."""
        state = self.parts.state
        kept = {name: values["x"] for name, values in state.of_rule.items()}
        tensors = {
            "x": state.parameters["x"],
            "velocity": kept.get("velocity", kept.get("mean")),
            "square": kept.get("square"),
            "average": kept.get("average"),
            "h": self.h_D,
            "noise": self._noise(first, stop),
            "rates": self.parts.rules.rate_UR[first:stop],
        }
        given = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        assert all(tensor.is_contiguous() and tensor.dtype == torch.float64 for tensor in given.values())
        call = PointCall(
            **{name: tensor.data_ptr() for name, tensor in given.items()},
            seed_of_run=self.seed_of_run.data_ptr(),
            measured=measured_NUR.data_ptr(),
            first_update=first,
            num_updates=stop - first,
            num_runs=self.parts.num_runs,
            num_rows=len(self.parts.runs),
            apart=measured_NUR.stride(0),
        )
        succeeded(self.library.seven_terms_advance_points(self.points, ctypes.byref(call)))


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
