"""Metrics: what each probe records, as values: name, direction, unit, label, index.

A kind of probe that somebody adds declares its metrics by a method `metrics(training)`, a task the metrics of its outputs by a
property `metrics`; those of this package stand here, together, because most of them share their facts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .checks import require
from .lightning import LightningTraining
from .metric import Direction as Direction
from .metric import Metric as Metric
from .models import Cnn, Mlp, Recurrent, Resnet
from .optimizers import Sgd
from .probes import (
    Activations,
    BatchSharpness,
    ClippedDirection,
    CovariateShift,
    Distance,
    Evaluate,
    InputGradients,
    LagGradients,
    LayerGradients,
    LayerJacobians,
    LayerUpdates,
    LossAlongGradient,
    NormalizedOutputs,
    PreconditionedSharpness,
    Recurrence,
    Rotation,
    Sharpness,
    Stream,
)
from .tasks import Adding, Cifar10, Digits, GaussianInputs, PolyphonicMusic, Quadratic, TemporalOrder

if TYPE_CHECKING:
    from .experiment import AnyTraining, Experiment, Training

ERROR = Metric(name="error", direction="min", unit="share of examples")
ACCURACY = Metric(name="accuracy", direction="max", unit="share of examples")
SQUARED_DISTANCE = Metric(name="squared_distance", direction="min")


def task_metrics(task: Any) -> tuple[Metric, ...]:
    """Return what is measured of a task's outputs, under the names that splits are put in front of."""
    if hasattr(type(task), "metrics"):
        return task.metrics
    match task:
        case Digits(loss="cross_entropy") | Cifar10(loss="cross_entropy") | TemporalOrder() | GaussianInputs():
            return Metric(name="loss", direction="min", unit="nats"), ERROR, ACCURACY
        case Digits() | Cifar10() | Adding():
            return Metric(name="loss", direction="min", unit="squared error"), ERROR, ACCURACY
        case PolyphonicMusic():
            return (Metric(name="loss", direction="min", unit="nats per frame"),)
        case Quadratic():
            return Metric(name="loss", direction="min"), SQUARED_DISTANCE
    return (Metric(name="loss", direction="min"),)


def metrics_of(probe: Any, training: Training) -> tuple[Metric, ...]:
    """Return what a probe records of runs of this training; ValueError for a probe that does not say it."""
    own: Callable[[Training], Iterable[Metric]] | None = getattr(probe, "metrics", None)
    declared = METRICS.get(type(probe))
    if own is not None:
        return tuple(own(training))
    kind = type(probe).__name__
    require(declared is not None, what=f"probe {kind}", must="it must declare its metrics", got=None, do=DECLARE)
    assert declared is not None
    return tuple(declared(probe, training))


DECLARE = "give its class a method metrics(self, training) that returns a tuple of Metric"


def recorded(experiment: Experiment, training: AnyTraining) -> dict[str, Metric]:
    """Return what runs of this training record in an experiment, by name."""
    if isinstance(training, LightningTraining):
        return {metric.name: metric for metric in training.metrics.values()}
    return {metric.name: metric for probe in experiment.probes for metric in metrics_of(probe, training)}


def metric_of(experiment: Experiment, name: str) -> Metric | None:
    """Return what is known of a metric: as the first arm says that records it."""
    found = (recorded(experiment, arm.training).get(name) for arm in experiment.arms)
    return next((metric for metric in found if metric is not None), None)


def direction_of(experiment: Experiment, name: str) -> Direction:
    metric = metric_of(experiment, name)
    return "none" if metric is None else metric.direction


def on_test_split(experiment: Experiment, name: str) -> str:
    """Return the same metric of the test split where it is recorded: what results are reported in."""
    metric = metric_of(experiment, name)
    if metric is None or metric.split is None:
        return name
    reported = name.replace(metric.split, "test", 1)
    return name if metric_of(experiment, reported) is None else reported


def _stream(probe: Stream, training: Training) -> Iterator[Metric]:
    if training.num_steps == 0:
        return
    yield dataclasses.replace(task_metrics(training.task)[0], name="batch_loss")
    for name in ("gradient_norm", "clipped_gradient_norm", "gradient_norm_max"):
        yield Metric(name=name)
    yield Metric(name="clip_fraction", unit="share of updates")
    yield Metric(name="learning_rate")
    if probe.update_norms:
        yield from map(_plain, ("update_norm", "update_norm_max", "update_per_gradient"))


def _plain(name: str) -> Metric:
    return Metric(name=name)


def _evaluate(probe: Evaluate, training: Training) -> Iterator[Metric]:
    averages = getattr(training.optimizer, "average_iterates", False) and isinstance(training.optimizer, Sgd)
    result = ["iterate_"] if training.optimizer.result else []
    prefixes = ["", *["averaged_"] * averages, *result, *["batch_statistics_"] * probe.batch_statistics]
    for prefix in prefixes:
        for split in probe.splits:
            for metric in task_metrics(training.task):
                yield dataclasses.replace(metric, name=f"{prefix}{split}_{metric.name}", split=split)


def num_weights(model: Any) -> int | None:
    """Return how many weight matrices and kernels a model has, nearest the input first; None where nobody knows."""
    match model:
        case Mlp():
            return model.depth + 1
        case Cnn():
            return len(model.channels) + 1
        case Resnet():
            return 6 * model.n + 2
        case Recurrent():
            return 3
    return None


def num_activations(model: Any) -> int | None:
    """Return how many hidden layers with an activation function a model has."""
    weights = num_weights(model)
    return None if weights is None or isinstance(model, Recurrent) else weights - 1


def _layers(names: str, count: int | None, *, direction: Direction = "none", first: int = 0) -> Iterator[Metric]:
    for name in names.split():
        num = None if count is None else max(count, 1)
        yield Metric(name=name, direction=direction, index="layer", num_indexes=num, first_index=first)


def _layer_gradients(probe: LayerGradients, training: Training) -> Iterator[Metric]:
    model = training.model
    yield from _layers("layer_gradient_norm layer_gradient_rms layer_weight_norm", num_weights(model))
    if not isinstance(model, Recurrent):
        yield from _layers("layer_signal_gradient_rms", num_activations(model))


def _layer_updates(probe: LayerUpdates, training: Training) -> Iterator[Metric]:
    if training.num_steps:
        yield from _layers("layer_update_ratio layer_movement", num_weights(training.model))


def _rotation(probe: Rotation, training: Training) -> Iterator[Metric]:
    if training.num_steps:
        yield from _layers("layer_rotation layer_squared_rotation", num_weights(training.model))


def _activations(probe: Activations, training: Training) -> Iterator[Metric]:
    units = min(probe.num_units, getattr(training.model, "width", probe.num_units))
    for percent in (15, 50, 85):
        yield Metric(name=f"activation_p{percent}", index="unit", num_indexes=units)
    names = "layer_activation_mean layer_activation_std layer_saturation"
    yield from _layers(names, num_activations(training.model))


def _normalized_outputs(probe: NormalizedOutputs, training: Training) -> Iterator[Metric]:
    layers = num_activations(training.model)
    yield from _layers("layer_output_mean_abs", layers)
    yield from _layers("layer_output_std_error", layers, direction="min")


def _lag_gradients(probe: LagGradients, training: Training) -> Iterator[Metric]:
    length = getattr(training.task, "length", None) or getattr(training.task, "chunk", None)
    yield Metric(name="lag_gradient_norm", index="lag", num_indexes=length)


def _layer_jacobians(probe: LayerJacobians, training: Training) -> Iterator[Metric]:
    yield Metric(name="jacobian_product_error", direction="min")
    layers = num_activations(training.model)
    names = "layer_jacobian_gain layer_jacobian_mean_singular_value layer_jacobian_largest_singular_value"
    yield from _layers(names, None if layers is None else layers - 1)


def _preconditioned_sharpness(probe: PreconditionedSharpness, training: Training) -> Iterator[Metric]:
    if training.num_steps:
        yield Metric(name="preconditioned_sharpness")


def _covariate_shift(probe: CovariateShift, training: Training) -> Iterator[Metric]:
    if training.num_steps == 0:
        return
    weights = num_weights(training.model)
    names = "covariate_shift relative_covariate_shift covariate_shift_cosine"
    yield from _layers(names, None if weights is None else weights - 1, first=1)


def _distance(probe: Distance, training: Training) -> Iterator[Metric]:
    yield SQUARED_DISTANCE
    if probe.num:
        yield Metric(name="coordinate", index="coordinate", num_indexes=probe.num)


def _named(*names: str) -> Callable[[Any, Training], Iterator[Metric]]:
    return lambda probe, training: map(_plain, names)


METRICS: dict[type, Callable[[Any, Training], Iterator[Metric]]] = {
    Stream: _stream,
    Evaluate: _evaluate,
    LayerGradients: _layer_gradients,
    LayerUpdates: _layer_updates,
    Rotation: _rotation,
    Activations: _activations,
    NormalizedOutputs: _normalized_outputs,
    Recurrence: _named("spectral_radius", "largest_singular_value"),
    LagGradients: _lag_gradients,
    LayerJacobians: _layer_jacobians,
    Sharpness: _named("sharpness"),
    BatchSharpness: _named("batch_sharpness"),
    PreconditionedSharpness: _preconditioned_sharpness,
    InputGradients: _named("input_gradient_cosine"),
    LossAlongGradient: _named("loss_range", "gradient_change_max", "relative_gradient_change", "effective_smoothness"),
    CovariateShift: _covariate_shift,
    ClippedDirection: _named("clip_cosine", "clipped_entry_max", "clipped_norm"),
    Distance: _distance,
}
