"""Exact results about wide networks at initialization: gradient gain per layer, and the depth scale of tanh networks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import optimize, special

from ..spec import Mlp, Training, require

# n Var(W) by kind of initialization, for layers as wide as their inputs
WEIGHT_GAINS = {
    "lecun": 1.0,
    "xavier_fan_in": 1.0,
    "glorot": 1.0,
    "orthogonal": 1.0,
    "he": 2.0,
    "uniform_fan_in": 1.0 / 3.0,
    "default": 1.0 / 3.0,
}
# E[f'^2] in the linear regime; for ReLU half of the units are on
SLOPE_GAINS = {"identity": 1.0, "tanh": 1.0, "softsign": 1.0, "sigmoid": 1.0 / 16.0, "relu": 0.5}
_NODES, _WEIGHTS = special.roots_hermitenorm(120)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def weight_gain(training: Training) -> float:
    """n Var(W) of a hidden layer, the sigma_w^2 of mean-field theory."""
    model, kind = _mlp(training), training.initialization.kind
    gains = {**WEIGHT_GAINS, "gaussian": float(model.width)}
    require(kind in gains, what="theory", must=f"initialization must be one of {sorted(gains)}", got=kind)
    return gains[kind] * training.initialization.scale**2


def gradient_variance_gain(training: Training) -> float:
    """Factor on the variance of dL/d(pre-activation) per layer towards the input, in the linear regime:
    1/3 for tanh with U(+-1/sqrt n), 1 for Glorot's (Glorot and Bengio 2010, eq. 13), 1/2 and 1 for ReLU with Xavier's and
    He's (He et al. 2015, eq. 14)."""
    activation = _mlp(training).activation
    known = isinstance(activation, str) and activation in SLOPE_GAINS
    require(known, what="theory", must=f"the activation must be one of {', '.join(SLOPE_GAINS)}", got=activation)
    return weight_gain(training) * SLOPE_GAINS[str(activation)]


def gradient_norm_gain(training: Training) -> float:
    """Square root of the variance gain."""
    return math.sqrt(gradient_variance_gain(training))


def log_gradient_norm_slope(training: Training) -> float:
    """Slope of the log gradient norm over the layer index, which counts from the input: minus the log of the gain."""
    return -math.log(gradient_norm_gain(training))


def batch_norm_gradient_gain(training: Training) -> float:
    """pi / (pi - 1): factor on the squared gradient norm per layer of deep ReLU networks with batch normalization and
    large batches (Yang et al. 2019)."""
    return math.pi / (math.pi - 1.0)


def q_star(training: Training) -> float:
    """Fixed point of the pre-activation variance (Poole et al. 2016; Schoenholz et al. 2017, eq. 3)."""
    weight, bias = _variances(training)

    def excess(q: float) -> float:
        return weight * _mean(np.tanh(math.sqrt(q) * _NODES) ** 2) + bias - q

    return float(optimize.brentq(excess, 1e-12 if bias else 1e-9, weight + bias + 1.0)) if bias or weight > 1 else 0.0  # pyright: ignore[reportArgumentType]


def chi_1(training: Training) -> float:
    """Slope of the correlation map at 1, and the gain of the gradient's variance per layer (Schoenholz et al. 2017)."""
    q = q_star(training)
    return _variances(training)[0] * _mean(_tanh_slope(math.sqrt(q) * _NODES) ** 2)


def depth_scale(training: Training) -> float:
    """xi_c, over which correlations between two inputs decay to c*: -1 / log of the correlation map's slope there
    (Schoenholz et al. 2017, eq. 9)."""
    weight, bias = _variances(training)
    q, slope = q_star(training), chi_1(training)
    if slope > 1.0:

        def excess(c: float) -> float:
            return (weight * _pair_mean(np.tanh, q, c) + bias) / q - c

        slope = weight * _pair_mean(_tanh_slope, q, float(optimize.brentq(excess, 0.0, 1.0 - 1e-7)))  # pyright: ignore[reportArgumentType]
    return math.inf if slope == 1.0 else -1.0 / math.log(slope)


def _variances(training: Training) -> tuple[float, float]:
    activation = _mlp(training).activation
    require(activation == "tanh", what="theory", must="the depth scale is computed for tanh", got=activation)
    return weight_gain(training), training.initialization.bias_scale**2


def _mlp(training: Training) -> Mlp:
    require(isinstance(training.model, Mlp), what="theory", must="the model must be an Mlp", got=training.model)
    assert isinstance(training.model, Mlp)
    return training.model


def _tanh_slope(x: np.ndarray) -> np.ndarray:
    return 1.0 - np.tanh(x) ** 2


def _mean(values: np.ndarray) -> float:
    return float(_WEIGHTS @ values)


def _pair_mean(function: Callable[[np.ndarray], np.ndarray], q: float, c: float) -> float:
    """Return E[f(u) f(v)] for normal u, v of variance q and correlation c."""
    first = math.sqrt(q) * _NODES
    second = c * first[:, None] + math.sqrt(q * max(0.0, 1.0 - c * c)) * _NODES[None, :]
    return float(_WEIGHTS @ (function(first) * (function(second) @ _WEIGHTS)))
