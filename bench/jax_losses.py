"""The suite's losses in JAX, for one run: (outputs, *batch) -> scalar; the outputs of a point function are the point."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array, lax

from seven_terms.spec import (
    Adding,
    Digits,
    LinearRegression,
    NoisyQuadraticMoments,
    OneUnitRecurrence,
    PolyphonicMusic,
    PowerFunction,
    Quadratic,
    Task,
    TemporalOrder,
)

Loss = Callable[..., Array]


def loss_of(task: Task) -> Loss:
    """Return the loss of a task; ValueError where it is not written here."""
    match task:
        case Digits():
            return half_squared_error if task.loss == "half_squared_error" else cross_entropy
        case TemporalOrder():
            return cross_entropy
        case Adding() | LinearRegression():
            return lambda outputs, inputs, targets: jnp.square(outputs - targets).mean()
        case PolyphonicMusic():
            return _notes
        case PowerFunction():
            return lambda x, nothing: (jnp.abs(x) ** task.exponent).sum() / task.exponent
        case Quadratic():
            return _quadratic(task)
        case NoisyQuadraticMoments():
            h = 1.0 / jnp.arange(1, task.dimension + 1)
            return lambda v, nothing: (h * v).sum() / 2
        case OneUnitRecurrence():
            return _one_unit(task)
    raise ValueError(f"no {type(task).__name__} is written in JAX here")


def cross_entropy(logits: Array, inputs: Array, labels: Array) -> Array:
    chosen = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    return (jax.nn.logsumexp(logits, axis=-1) - chosen).mean()


def half_squared_error(outputs: Array, inputs: Array, labels: Array) -> Array:
    return jnp.square(outputs - jax.nn.one_hot(labels, outputs.shape[-1], dtype=outputs.dtype)).sum(-1).mean() / 2


def _notes(logits: Array, inputs: Array, targets: Array, weights: Array) -> Array:
    nats = (jax.nn.softplus(logits) - targets * logits).sum(-1)
    return (nats * weights).sum() / weights.sum()


def eigenvalues(task: Quadratic) -> Array:
    num = task.dimension
    fractions = jnp.arange(num) / max(num - 1, 1)
    return {
        "equal": lambda: jnp.full(num, task.largest),
        "inverse": lambda: 1.0 / jnp.arange(1, num + 1),
        "log_spaced": lambda: task.largest * task.condition_number ** (fractions - 1 if num > 1 else fractions),
    }[task.spectrum]()


def _quadratic(task: Quadratic) -> Loss:
    h = eigenvalues(task)

    def loss(x: Array, noise: Array) -> Array:
        along = x if task.noise == "gaussian" else x - lax.stop_gradient(x)
        value = (h * x * x).sum() / 2
        return value + (noise * along).sum() if task.noise_scale else value

    return loss


def noise_of(task: Quadratic) -> Callable[[Array], Array] | None:
    """Return key -> the noise [D] of an update with one example; None where there is none."""
    if not task.noise_scale:
        return None
    h, shape = eigenvalues(task), (task.dimension,)
    deviation = task.noise_scale * (jnp.sqrt(h) if task.noise_follows_curvature else jnp.ones_like(h))

    def draw(key: Array) -> Array:
        first, second = jax.random.split(key)
        match task.noise:
            case "skewed":
                return deviation * (10.0 * (jax.random.uniform(first, shape) < 0.1) - 1.0) / 3.0
            case "cauchy":
                return deviation * jax.random.normal(first, shape) / jax.random.normal(second, shape)
            case "student":
                three = jax.random.normal(second, (3, *shape))
                return deviation * jax.random.normal(first, shape) / jnp.sqrt(jnp.square(three).sum(0))
        return deviation * jax.random.normal(key, shape)

    return draw


def _one_unit(task: OneUnitRecurrence) -> Loss:
    def loss(point: Array, nothing: Array) -> Array:
        w, b = point.reshape(-1, 2).T
        x = lax.fori_loop(
            0, task.length, lambda _, x: w * jax.nn.sigmoid(x) + b, jnp.full_like(w, task.start), unroll=True
        )
        return jnp.square(jax.nn.sigmoid(x) - task.target).sum()

    return loss
