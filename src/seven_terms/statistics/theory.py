"""Named exact results: what WorstDeviation compares runs with, and what references draw beside them.

A name stands for a function of a run's training record; its source is in the function's docstring.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from ..spec import AnyTraining, Training, replace_path, require
from . import mean_field, memory, quadratics, rotation, schedules

PREDICTIONS: dict[str, Callable[[Training], float]] = {
    function.__name__: function
    for function in (
        quadratics.contraction,
        quadratics.log_loss_slope,
        quadratics.stability_limit,
        quadratics.curvature_limit,
        quadratics.best_learning_rate,
        quadratics.best_contraction,
        quadratics.heavy_ball_best_learning_rate,
        quadratics.heavy_ball_best_momentum,
        quadratics.heavy_ball_best_contraction,
        quadratics.stationary_variance,
        quadratics.stationary_loss,
        quadratics.expected_squared_distance,
        quadratics.inverse_time_variance,
        quadratics.noisy_quadratic_loss,
        schedules.last_iterate_bound,
        rotation.equilibrium_rotation,
        rotation.rate_over_decay,
        memory.memory_curvature,
        memory.memory_length,
        mean_field.weight_gain,
        mean_field.gradient_variance_gain,
        mean_field.gradient_norm_gain,
        mean_field.log_gradient_norm_slope,
        mean_field.batch_norm_gradient_gain,
        mean_field.q_star,
        mean_field.chi_1,
        mean_field.depth_scale,
    )
}


@functools.cache
def predict(name: str, training: AnyTraining) -> float:
    """Return what theory says of a run; ValueError for an unknown name, and for a LightningModule, which no theory knows."""
    known = sorted(PREDICTIONS)
    require(name in PREDICTIONS, what="theory", must=f"the name must be one of {known}", got=name)
    return float(PREDICTIONS[name](_known(name, training)))


def _known(name: str, training: AnyTraining) -> Training:
    must = "it must be asked of a Training: theory knows nothing of a LightningModule"
    require(isinstance(training, Training), what=f"theory {name!r}", must=must, got=type(training).__name__)
    assert isinstance(training, Training)
    return training


def curve(name: str, x_values: Sequence[float], training: AnyTraining, *, over: str | None = None) -> np.ndarray:
    """Return the prediction at each x, where x replaces the field at path `over` of the training.

    Over "step", x is the number of updates made: the variance of SGD follows its recursion, 1/t its law, all else is
    constant. Over nothing the prediction is constant.
    """
    if over == "step" and name == "expected_squared_distance":
        return quadratics.squared_distances(_known(name, training))[np.round(x_values).astype(int)]
    if over == "step" and name == "inverse_time_variance":
        steps = np.maximum(np.asarray(x_values, dtype=float), 1.0)
        return predict(name, training) * training.num_steps / steps
    if over is None or over in ("step", "index"):
        return np.full(len(x_values), predict(name, training))
    return np.array([predict(name, replace_path(training, over, x)) for x in x_values])
