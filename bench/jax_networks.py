"""The workloads' networks in JAX, for one run; of several ways to write each, the fastest that was found on processors.

Weights are stored [in, out]. A convolution is nine shifted slices and one product: under `vmap` over weights, and alone too,
XLA's own convolution is several times slower here. A recurrent step is unrolled five times, and inputs are looked up and not
multiplied. Each function returns (loss on a batch, running statistics).
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from seven_terms.spec import BatchNorm, Cnn, Mlp, Recurrent, Training

Parameters = dict[str, Array]
Statistics = dict[str, Array]
UNROLL = 5


def network(training: Training) -> Callable[[Parameters, Statistics, Array, Array], tuple[Array, Statistics]]:
    """Return (parameters, statistics, inputs, labels) -> (loss, statistics) of one run."""
    outputs_of = {Mlp: _mlp, Recurrent: _recurrent, Cnn: _cnn}[type(training.model)]

    def loss(parameters: Parameters, statistics: Statistics, inputs: Array, labels: Array) -> tuple[Array, Statistics]:
        logits, moved = outputs_of(training.model, parameters, statistics, inputs)
        chosen = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(logits, axis=-1) - chosen).mean(), moved

    return loss


def from_torch(name: str, value: np.ndarray) -> np.ndarray:
    """Return parameters [S, ...] of PyTorch's layout in JAX's: [in, out], [height, width, in, out]."""
    return np.ascontiguousarray(np.moveaxis(value, (1, 2), (-1, -2))) if value.ndim > 2 else value


def initial_statistics(training: Training, num_runs: int) -> Statistics:
    """Return running means [R, F] of 0 and variances of 1 for every batch normalization."""
    model = training.model
    if getattr(model, "normalization", None) is None:
        return {}
    sizes = {f"layers.{i}.normalization": (num_runs, model.width) for i in range(model.depth)}
    means = {f"{name}.mean": jnp.zeros(size) for name, size in sizes.items()}
    return means | {f"{name}.var": jnp.ones(size) for name, size in sizes.items()}


def _mlp(model: Mlp, w: Parameters, statistics: Statistics, x: Array) -> tuple[Array, Statistics]:
    moved: Statistics = {}
    for i in range(model.depth):
        x = _linear(w, f"layers.{i}.linear", x)
        if model.normalization is not None:
            x = _batch_norm(model.normalization, w, f"layers.{i}.normalization", x, statistics, moved)
        x = jax.nn.relu(x)
    return _linear(w, "readout", x), moved


def _batch_norm(
    norm: BatchNorm, w: Parameters, name: str, x: Array, statistics: Statistics, moved: Statistics
) -> Array:
    mean = x.mean(0)
    centered = x - mean
    var = (centered * centered).mean(0)
    unbiased = var * (len(x) / (len(x) - 1))
    for part, batch in (("mean", mean), ("var", unbiased)):
        running = statistics[f"{name}.{part}"]
        moved[f"{name}.{part}"] = lax.stop_gradient(running + norm.momentum * (batch - running))
    return centered * lax.rsqrt(var + norm.eps) * w[f"{name}.weight"] + w[f"{name}.bias"]


def _recurrent(model: Recurrent, w: Parameters, statistics: Statistics, symbols: Array) -> tuple[Array, Statistics]:
    """symbols [B, T]"""
    driven = w["input.weight"][symbols.T] + w["input.bias"]  # [T, B, H]
    matrix = w["recurrent.weight"]

    def step(hidden: Array, now: Array) -> tuple[Array, None]:
        return jnp.tanh(now + hidden @ matrix), None

    hidden, _ = lax.scan(step, jnp.zeros(driven.shape[1:]), driven, unroll=UNROLL)
    return _linear(w, "readout", hidden), {}


def _cnn(model: Cnn, w: Parameters, statistics: Statistics, x: Array) -> tuple[Array, Statistics]:
    """x [B, channels, height, width]"""
    x = jnp.moveaxis(x, 1, -1)
    for i, stride in enumerate(model.strides):
        name = f"layers.{i}.linear.convolution"
        x = jax.nn.relu(_convolution(x, w[f"{name}.weight"], stride) + w[f"{name}.bias"])
    return _linear(w, "readout", x.mean((1, 2))), {}


def _convolution(x: Array, weight: Array, stride: int) -> Array:
    """x [B, H, W, in], weight [3, 3, in, out], padding 1"""
    size = -(-x.shape[1] // stride)
    last = stride * (size - 1) + 1
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    places = [padded[:, i : i + last : stride, j : j + last : stride] for i in range(3) for j in range(3)]
    return jnp.concatenate(places, -1) @ weight.reshape(-1, weight.shape[-1])


def _linear(w: Parameters, name: str, x: Array) -> Array:
    return x @ w[f"{name}.weight"] + w[f"{name}.bias"]
