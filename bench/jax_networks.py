"""The suite's networks in JAX, for one run; of several ways to write each, the fastest that was found on processors.

Weights are stored [in, out], images with their channels last. A convolution is nine shifted slices and one product: under
`vmap` over weights, and alone too, XLA's own convolution is several times slower here. A recurrent step is unrolled ten times,
and symbols are looked up and not multiplied. A network is a function (w, buffers, moved, inputs) -> outputs; it writes the
running statistics that it moves to `moved`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from seven_terms.spec import BatchNorm, Cnn, GroupNorm, LayerNorm, Mlp, Point, Recurrent, Resnet, Training, Transformer
from seven_terms.spec.transformer import scale_of

Arrays = dict[str, Array]
Network = Callable[[Arrays, Arrays, Arrays, Array], Array]
UNROLL = 10
NOISE_SHIFT, NOISE_GAIN = 0.5, 0.25  # Santurkar et al. 2018
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "identity": lambda x: x,
    "softsign": jax.nn.soft_sign,
}
SMALLEST_SQUARE = 1e-20  # of the norm of a gradient that has not vanished


def network(training: Training) -> Network:
    """Return the function of a training's model; ValueError where it is not written here."""
    of = {Mlp: _mlp, Cnn: _cnn, Resnet: _resnet, Recurrent: _recurrent, Transformer: _transformer, Point: _point}
    model = training.model
    if type(model) not in of:
        raise ValueError(f"no {type(model).__name__} is written in JAX here")
    return functools.partial(of[type(model)], model)


def from_torch(name: str, value: np.ndarray) -> np.ndarray:
    """Return parameters [S, ...] of PyTorch's layout in JAX's: [in, out], [height, width, in, out]."""
    return np.ascontiguousarray(np.moveaxis(value, (1, 2), (-1, -2))) if value.ndim > 2 else value


def to_torch(name: str, value: np.ndarray) -> np.ndarray:
    """Return the inverse of `from_torch`."""
    return np.moveaxis(value, (-1, -2), (1, 2)) if value.ndim > 2 else value


# ---- dense networks ----


def _mlp(model: Mlp, w: Arrays, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    root = math.sqrt(model.width / model.base_width) if model.parametrization == "mup" and model.depth else 1.0
    activation = ACTIVATIONS[str(model.activation)]
    x = x.reshape(len(x), -1)
    for i in range(model.depth):
        norm = functools.partial(_normalized, model.normalization, w, f"layers.{i}.normalization", buffers, moved)
        y = _linear(w, f"layers.{i}.linear", x, weight=1.0 if i else root, bias=root)
        y = norm(activation(y)) if model.placement == "after" else activation(norm(y))
        x = x + y if model.residual and x.shape == y.shape else y
    return _linear(w, "readout", x, weight=1.0 / root)


def _linear(w: Arrays, name: str, x: Array, *, weight: float = 1.0, bias: float = 1.0) -> Array:
    y = x @ w[f"{name}.weight"]
    y = y if weight == 1.0 else weight * y
    if f"{name}.bias" not in w:
        return y
    return y + (w[f"{name}.bias"] if bias == 1.0 else bias * w[f"{name}.bias"])


def _point(model: Point, w: Arrays, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    return w["x"]


# ---- normalization: x [B, F] or [B, height, width, F] ----


def _normalized(norm: object, w: Arrays, name: str, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    if norm is None:
        return x
    if isinstance(norm, BatchNorm):
        y = _by_batch(norm, name, buffers, moved, x)
    elif isinstance(norm, GroupNorm):
        y = _by_group(x, num_groups=norm.num_groups, eps=norm.eps)
    elif isinstance(norm, LayerNorm):
        y = _by_group(x, num_groups=1, eps=norm.eps)
    else:
        raise ValueError(f"no {type(norm).__name__} is written in JAX here")
    return y * w[f"{name}.weight"] + w[f"{name}.bias"] if f"{name}.weight" in w else y


def _by_batch(norm: BatchNorm, name: str, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    groups = x.reshape(-1, norm.ghost or len(x), *x.shape[1:])
    axes = tuple(range(1, groups.ndim - 1))
    mean = groups.mean(axes, keepdims=True)
    centered = groups - mean if norm.center else groups
    var = (centered * centered).mean(axes, keepdims=True)
    count = groups[0, ..., 0].size
    unbiased = count / (count - 1) if norm.center else 1.0
    for part, batch in (("running_mean", mean), ("running_var", unbiased * var)):
        running = buffers[f"{name}.{part}"]
        target = batch.mean(0).reshape(running.shape)
        moved[f"{name}.{part}"] = lax.stop_gradient(running + norm.momentum * (target - running))
    y = (centered * lax.rsqrt(var + norm.eps) if norm.scale else centered).reshape(x.shape)
    if norm.noisy:
        shift, gain = lax.optimization_barrier(jax.scipy.special.ndtr(buffers[f"{name}.noise"]))  # once, not by example
        y = y * (1.0 + NOISE_GAIN * gain) + NOISE_SHIFT * (2.0 * shift - 1.0)
    return y


def _by_group(x: Array, *, num_groups: int, eps: float) -> Array:
    groups = x.reshape(len(x), -1, num_groups, x.shape[-1] // num_groups)
    centered = groups - groups.mean((1, 3), keepdims=True)
    var = (centered * centered).mean((1, 3), keepdims=True)
    return (centered * lax.rsqrt(var + eps)).reshape(x.shape)


# ---- convolutional networks: inputs [B, channels, height, width] ----


def _cnn(model: Cnn, w: Arrays, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    x = jnp.moveaxis(x, 1, -1)
    for i, stride in enumerate(model.strides):
        x = _convolved(model.normalization, w, f"layers.{i}.linear", buffers, moved, x, stride=stride)
        x = ACTIVATIONS[str(model.activation)](x)
    return _linear(w, "readout", x.mean((1, 2)))


def _resnet(model: Resnet, w: Arrays, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    convolved = functools.partial(_convolved, model.normalization, w)
    x = jax.nn.relu(convolved("stem.linear", buffers, moved, jnp.moveaxis(x, 1, -1)))
    for block in range(3 * model.n):
        stride = 2 if block and block % model.n == 0 else 1
        y = jax.nn.relu(convolved(f"blocks.{block}.first.linear", buffers, moved, x, stride=stride))
        y = convolved(f"blocks.{block}.second", buffers, moved, y)
        x = jax.nn.relu(y + _shortcut(x, stride, y.shape[-1]) if model.residual else y)
    return _linear(w, "readout", x.mean((1, 2)))


def _shortcut(x: Array, stride: int, channels: int) -> Array:
    """Every second place, and channels of zeros added."""
    added = channels - x.shape[-1]
    chosen = x[:, ::stride, ::stride]
    return jnp.pad(chosen, ((0, 0), (0, 0), (0, 0), (added // 2, added - added // 2))) if added else chosen


def _convolved(
    norm: object, w: Arrays, name: str, buffers: Arrays, moved: Arrays, x: Array, *, stride: int = 1
) -> Array:
    y = _convolution(x, w[f"{name}.convolution.weight"], stride)
    y = y + w[f"{name}.convolution.bias"] if f"{name}.convolution.bias" in w else y
    return _normalized(norm, w, f"{name}.normalization", buffers, moved, y)


def _convolution(x: Array, weight: Array, stride: int) -> Array:
    """x [B, H, W, in], weight [3, 3, in, out], padding 1"""
    size = -(-x.shape[1] // stride)
    last = stride * (size - 1) + 1
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    places = [padded[:, i : i + last : stride, j : j + last : stride] for i in range(3) for j in range(3)]
    return jnp.concatenate(places, -1) @ weight.reshape(-1, weight.shape[-1])


# ---- recurrent networks: inputs [B, T, D], or symbols [B, T] ----


def _recurrent(model: Recurrent, w: Arrays, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    driven = w["input.weight"][x.T] if x.ndim == 2 else jnp.moveaxis(x, 1, 0) @ w["input.weight"]
    states = _states(model, driven + w["input.bias"], w["recurrent.weight"])
    return jnp.moveaxis(_linear(w, "readout", states), 0, 1) if model.read_all else _linear(w, "readout", states[-1])


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _states(model: Recurrent, driven: Array, matrix: Array) -> Array:
    """Return the states [T, B, H]; `driven` [T, B, gates * H] is what the inputs add to the sums.

    The matrix's gradient is one product over all steps; that of a scan would add up a matrix a step, a third slower.
    """
    return _looped(model, matrix, driven, jnp.zeros_like(driven))


def _looped(model: Recurrent, matrix: Array, driven: Array, added: Array) -> Array:
    """`added` [T, B, gates * H] to each product of state and matrix."""
    cell = {"lstm": _lstm, "gru": _gru}.get(model.cell) or functools.partial(_simple, ACTIVATIONS[model.cell])

    def step(state: tuple[Array, Array], now: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
        state = cell(now[0], state[0] @ matrix + now[1], *state)
        return state, state[0]

    zeros = jnp.zeros((driven.shape[1], model.width), driven.dtype)
    return lax.scan(step, (zeros, zeros), (driven, added), unroll=UNROLL)[1]


def _forth(model: Recurrent, driven: Array, matrix: Array) -> tuple[Array, Any]:
    states, back = jax.vjp(functools.partial(_looped, model, matrix), driven, jnp.zeros_like(driven))
    return states, (states, back, matrix)


def _back(model: Recurrent, kept: Any, of_states: Array) -> tuple[Array, Array]:
    states, back, matrix = kept
    of_driven, of_products = back(of_states)
    of_matrix = _outer(states[:-1], of_products[1:])
    if model.regularization:
        of_matrix += model.regularization * _regularizer(of_states[-1], of_products, matrix)
    return of_driven, of_matrix


_states.defvjp(_forth, _back)


def _regularizer(of_last: Array, of_sums: Array, matrix: Array) -> Array:
    """Return the immediate derivative of Omega (Pascanu et al. 2013, section 3.3), where the last state alone is read."""
    of_states = jnp.concatenate([of_sums @ matrix.T, of_last[None]])
    squares = jnp.square(of_states).sum(-1, keepdims=True)
    earlier, later = squares[:-1], squares[1:]
    counts = later >= SMALLEST_SQUARE
    factor = 4.0 * (earlier / later - 1.0) / (later * jnp.maximum(counts.sum(), 1))
    return _outer(jnp.where(counts, factor, 0.0) * of_states[:-1], of_sums)


def _outer(a: Array, b: Array) -> Array:
    return jnp.einsum("tbk,tbo->ko", a, b)


def _simple(f: Callable[[Array], Array], now: Array, product: Array, hidden: Array, cell: Array) -> tuple[Array, Array]:
    return f(now + product), cell


def _lstm(now: Array, product: Array, hidden: Array, cell: Array) -> tuple[Array, Array]:
    i, f, g, o = jnp.split(now + product, 4, -1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(cell), cell


def _gru(now: Array, product: Array, hidden: Array, cell: Array) -> tuple[Array, Array]:
    r, z, n = jnp.split(now, 3, -1)
    from_r, from_z, from_n = jnp.split(product, 3, -1)
    candidate = jnp.tanh(n + jax.nn.sigmoid(r + from_r) * from_n)
    return hidden + jax.nn.sigmoid(z + from_z) * (candidate - hidden), cell


# ---- the transformer: inputs [B, channels, T, pixels] ----


def _transformer(model: Transformer, w: Arrays, buffers: Arrays, moved: Arrays, x: Array) -> Array:
    tokens, width = x.shape[2], model.width
    rows = jnp.moveaxis(x, 1, 2).reshape(len(x) * tokens, -1)
    x = (_linear(w, "embedding", rows).reshape(-1, tokens, width) + w["position.weight"]).reshape(-1, width)
    for block in range(model.depth):
        name = f"blocks.{block}"
        norm = functools.partial(_normalized, model.normalization, w)
        x = x + _attention(
            model, w, f"{name}.attention", norm(f"{name}.norm_before_attention", buffers, moved, x), tokens
        )
        y = norm(f"{name}.norm_before_network", buffers, moved, x)
        x = x + _linear(w, f"{name}.network.2", jax.nn.relu(_linear(w, f"{name}.network.0", y)))
    return _linear(w, "readout", x.reshape(-1, tokens, width).mean(1))


def _attention(model: Transformer, w: Arrays, name: str, x: Array, tokens: int) -> Array:
    mixed = _linear(w, f"{name}.inputs", x).reshape(-1, tokens, 3, model.heads, model.width // model.heads)
    query, key, value = mixed.transpose(2, 0, 3, 1, 4)  # each [B, heads, T, width / heads]
    scores = scale_of(model.width, model.heads) * (query @ jnp.swapaxes(key, -1, -2))
    return _linear(w, f"{name}.output", jnp.swapaxes(jax.nn.softmax(scores) @ value, 1, 2).reshape(-1, model.width))
