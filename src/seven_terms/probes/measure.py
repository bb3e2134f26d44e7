"""Which function measures which probe kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from torch import Tensor, nn

from .. import spec
from .activations import measure_activations, measure_normalized_outputs
from .clipping import measure_clipped_direction
from .covariate_shift import measure_covariate_shift
from .curvature import measure_loss_along_gradient, measure_sharpness
from .evaluate import measure_evaluation
from .jacobians import measure_layer_jacobians
from .layers import measure_layer_gradients, measure_layer_updates
from .points import measure_distance
from .recurrence import measure_lag_gradients, measure_recurrence

Values = Iterator[tuple[str, Tensor, list[int] | None]]
Tensors = dict[str, Tensor]


class Program(Protocol):
    """What a probe may use of the stacked program."""

    module: nn.Module
    task: Any
    training: spec.Training
    parameters: Tensors
    buffers: Tensors
    state: Tensors
    probe_state: dict[str, Any]  # what a probe remembers from one measurement to the next
    seeds: list[int]

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor: ...
    def frozen_buffers(self) -> Tensors: ...
    def spread(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]: ...
    def batch_of_step(self, step: int) -> tuple[Tensor, ...]: ...
    def losses(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> Tensor: ...
    def gradients(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensors]: ...


AT_STEP: dict[type, Callable[[Any, Any, int], Values]] = {
    spec.Evaluate: measure_evaluation,
    spec.LayerGradients: measure_layer_gradients,
    spec.Activations: measure_activations,
    spec.NormalizedOutputs: measure_normalized_outputs,
    spec.Recurrence: measure_recurrence,
    spec.LagGradients: measure_lag_gradients,
    spec.LayerJacobians: measure_layer_jacobians,
    spec.Sharpness: measure_sharpness,
    spec.LossAlongGradient: measure_loss_along_gradient,
    spec.CovariateShift: measure_covariate_shift,
    spec.ClippedDirection: measure_clipped_direction,
    spec.Distance: measure_distance,
}


def at_step(probe: spec.Probe, program: Program, step: int) -> Values:
    """Measure a probe at the present parameters; probes of the update itself yield nothing here."""
    measure = AT_STEP.get(type(probe))
    return measure(probe, program, step) if measure else iter(())


def after_update(probe: spec.Probe, program: Program, before: Tensors) -> Values:
    """Measure what needs the parameters before and after an update."""
    return measure_layer_updates(program, before) if isinstance(probe, spec.LayerUpdates) else iter(())
