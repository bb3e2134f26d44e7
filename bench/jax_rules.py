"""The suite's clipping and update rules in JAX, for one run, on dictionaries of arrays."""

from __future__ import annotations

import math

import jax.numpy as jnp
from jax import Array

from seven_terms.spec import Adam, Clipping, ExpectedSgd, Optimizer, ScheduleFree, Sgd

Arrays = dict[str, Array]
Memory = dict[str, Arrays]
NORM_EPS = 1e-6  # as in torch.nn.utils.clip_grad_norm_
SMALLEST_UNIT = 1e-3  # Brock et al. 2021, section 4.1
READOUT = "readout."


def clipped(clipping: Clipping, w: Arrays, g: Arrays) -> Arrays:
    """Return the gradients after clipping by unit, by value and by norm."""
    if clipping.adaptive < math.inf:
        g = {name: _by_unit(clipping.adaptive, name, w[name], one) for name, one in g.items()}
    if clipping.value < math.inf:
        g = {name: jnp.clip(one, -clipping.value, clipping.value) for name, one in g.items()}
    if clipping.norm < math.inf:
        norm = jnp.sqrt(sum(jnp.vdot(one, one) for one in g.values()))
        factor = jnp.minimum(clipping.norm / (norm + NORM_EPS), 1.0)
        g = {name: factor * one for name, one in g.items()}
    return g


def _by_unit(bound: float, name: str, w: Array, g: Array) -> Array:
    if name.startswith(READOUT):
        return g
    axes = tuple(range(w.ndim - 1)) or None  # a unit's weights are a column, a vector is one unit
    limit, size = bound * jnp.maximum(_norm(w, axes), SMALLEST_UNIT), _norm(g, axes)
    return jnp.where(size > limit, g * (limit / size), g)


def _norm(x: Array, axes: tuple[int, ...] | None) -> Array:
    return jnp.sqrt(jnp.square(x).sum(axes, keepdims=True))


def memory_of(rule: Optimizer, w: Arrays) -> Memory:
    """Return what a rule remembers before its first update; ValueError where it is not written here."""
    match rule:
        case Sgd():
            kept = [*(["velocity"] if rule.momentum else []), *(["average"] if rule.average_iterates else [])]
        case Adam():
            kept = ["mean", "square"]
        case ScheduleFree():
            kept = ["average", "ahead"]
        case ExpectedSgd():
            kept = []
        case _:
            raise ValueError(f"no {type(rule).__name__} is written in JAX here")
    return {part: {name: jnp.zeros_like(one) for name, one in w.items()} for part in kept}


def updated(rule: Optimizer, rate: Array, number: Array, w: Arrays, g: Arrays, memory: Memory) -> tuple[Arrays, Memory]:
    """Return parameters and memory after 0-based update `number`."""
    of = {Sgd: _sgd, Adam: _adam, ScheduleFree: _schedule_free, ExpectedSgd: _expected}[type(rule)]
    found = {
        name: of(rule, rate, number, one, g[name], {part: values[name] for part, values in memory.items()})
        for name, one in w.items()
    }
    after = {part: {name: changed[part] for name, (_, changed) in found.items()} for part in memory}
    return {name: one for name, (one, _) in found.items()}, after


def _sgd(rule: Sgd, rate: Array, number: Array, w: Array, g: Array, memory: Arrays) -> tuple[Array, Arrays]:
    changed = {}
    d = g + rule.weight_decay * w if rule.weight_decay else g
    if rule.momentum:
        v = changed["velocity"] = rule.momentum * memory["velocity"] + d
        d = d + rule.momentum * v if rule.nesterov else v
    w = w - rate * d
    if rule.average_iterates:
        changed["average"] = memory["average"] + (w - memory["average"]) / (number + 1)
    return w, changed


def _adam(rule: Adam, rate: Array, number: Array, w: Array, g: Array, memory: Arrays) -> tuple[Array, Arrays]:
    g = g + rule.weight_decay * w if rule.weight_decay and not rule.decoupled else g
    m = memory["mean"] + (1.0 - rule.beta1) * (g - memory["mean"])
    v = rule.beta2 * memory["square"] + (1.0 - rule.beta2) * (g * g)
    w = w * (1.0 - rate * rule.weight_decay) if rule.weight_decay and rule.decoupled else w
    size, root = rate / _grown(rule.beta1, number), jnp.sqrt(_grown(rule.beta2, number))
    return w - size * m / (jnp.sqrt(v) / root + rule.eps), {"mean": m, "square": v}


def _grown(beta: float, number: Array) -> Array:
    """Return 1 - beta^(number + 1), without the rounding of the difference."""
    return -jnp.expm1((number + 1) * math.log(beta)) if beta else jnp.ones(())


def _schedule_free(
    rule: ScheduleFree, rate: Array, number: Array, w: Array, g: Array, memory: Arrays
) -> tuple[Array, Arrays]:
    g = g + rule.weight_decay * w if rule.weight_decay else g
    z = w - rule.beta * memory["ahead"]
    x = z + memory["ahead"]
    z = z - rate * g
    x = x + (z - x) * ((rule.power + 1.0) / (number + 1.0 + rule.power))
    return z + rule.beta * (x - z), {"average": x, "ahead": x - z}


def _expected(
    rule: ExpectedSgd, rate: Array, number: Array, w: Array, g: Array, memory: Arrays
) -> tuple[Array, Arrays]:
    h = 2.0 * g
    return (1.0 - rate * h) ** 2 * w + rate**2 * rule.noise * h, {}
