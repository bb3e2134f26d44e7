"""Update rules and clipping. Every float may vary inside a stack; everything else is part of the tensor program.

A rule is written on tensors [R, ...], one run per first index: no torch is imported. Coefficients [R] are computed
in float64 and rounded to the parameters' precision once, as `torch.optim` does with Python floats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .checked import checked
from .checks import require
from .kinds import Optimizer
from .limits import Fraction, NonNegative, Positive, PositiveOrOff, ShareBelowOne


@checked
class Sgd(Optimizer):
    """`torch.optim.SGD`: v <- momentum v + (g + weight_decay w); w <- w - rate (v, or g + momentum v with nesterov)."""

    learning_rate: Positive = 0.1
    momentum: Fraction = 0.0
    weight_decay: NonNegative = 0.0
    nesterov: bool = False
    average_iterates: bool = False  # keep the running mean of the iterates (Polyak and Ruppert), evaluated beside them

    def __post_init__(self) -> None:
        must = "momentum must be > 0 for nesterov"
        require(self.momentum > 0 or not self.nesterov, what="Sgd", must=must, got=self.momentum, do="give a momentum")

    may_be_left_out = ("momentum", "weight_decay")

    def memory(self, hyper: Mapping[str, Any]) -> tuple[str, ...]:
        return (*(("velocity",) if "momentum" in hyper else ()), *(("average",) if self.average_iterates else ()))

    def update(self, w: Any, g: Any, memory: Mapping[str, Any], c: Any, *, number: Any) -> tuple[Any, dict[str, Any]]:
        changed = {}
        d = _decayed(w, g, c)
        if "velocity" in memory:
            v = changed["velocity"] = c.momentum * memory["velocity"] + d
            d = d + c.momentum * v if self.nesterov else v
        w = w.addcmul(c.rate, d, value=-1)
        if "average" in memory:  # of iterates 1 ... number + 1
            changed["average"] = memory["average"] + (w - memory["average"]) / (number + 1)
        return w, changed


@checked
class Adam(Optimizer):
    """`torch.optim.Adam`, or `AdamW` when `decoupled`."""

    learning_rate: Positive = 1e-3
    beta1: ShareBelowOne = 0.9
    beta2: ShareBelowOne = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.0
    decoupled: bool = False

    may_be_left_out = ("weight_decay",)

    def memory(self, hyper: Mapping[str, Any]) -> tuple[str, ...]:
        return "mean", "square"

    def coefficients(self, hyper: Mapping[str, Any], rate: Any, number: Any) -> dict[str, Any]:
        # Kingma and Ba 2015, algorithm 1; decoupled weight decay: Loshchilov and Hutter 2019, algorithm 2.
        beta1, beta2, count = hyper["beta1"], hyper["beta2"], number + 1
        found = {**hyper, "size": rate / (1.0 - beta1**count), "root": (1.0 - beta2**count).sqrt()}
        found |= {"fresh1": 1.0 - beta1, "fresh2": 1.0 - beta2}
        return found | ({"kept": 1.0 - rate * hyper["weight_decay"]} if "weight_decay" in hyper else {})

    def update(self, w: Any, g: Any, memory: Mapping[str, Any], c: Any, *, number: Any) -> tuple[Any, dict[str, Any]]:
        g = g if self.decoupled else _decayed(w, g, c)
        m = memory["mean"] + c.fresh1 * (g - memory["mean"])
        v = c.beta2 * memory["square"] + c.fresh2 * (g * g)
        w = w * c.kept if self.decoupled and "kept" in c else w
        return w - c.size * m / (v.sqrt() / c.root + c.eps), {"mean": m, "square": v}


@checked
class ScheduleFree(Optimizer):
    """Schedule-free SGD (Defazio et al. 2024): gradients at y = (1 - beta) z + beta x; z <- z - rate (g + weight_decay y);
    x <- x + (z - x) (power + 1) / (t + power) at update t = 1, 2, ...: an average with weights that grow as t^power.

    With `beta` 0 it is SGD and the average of its iterates (Polyak and Ruppert; with a power that of Shamir and Zhang 2013).
    The result is x: Evaluate writes its metrics under their plain names, and those of y as iterate_... . For a constant rate.
    """

    learning_rate: Positive = 0.1
    beta: ShareBelowOne = 0.9
    power: NonNegative = 0.0
    weight_decay: NonNegative = 0.0

    may_be_left_out = ("weight_decay",)
    result = "average"

    def memory(self, hyper: Mapping[str, Any]) -> tuple[str, ...]:
        return "average", "ahead"  # x, and x - z, which is zero at the start

    def update(self, w: Any, g: Any, memory: Mapping[str, Any], c: Any, *, number: Any) -> tuple[Any, dict[str, Any]]:
        ahead = memory["ahead"]  # w is y = z + beta (x - z)
        z = w - c.beta * ahead
        x = z + ahead
        z = z.addcmul(c.rate, _decayed(w, g, c), value=-1)
        x = x + (z - x) * ((c.power + 1.0) / (number + 1.0 + c.power))
        return z + c.beta * (x - z), {"average": x, "ahead": x - z}


@checked
class ExpectedSgd(Optimizer):
    """Exact second moments of SGD on a noisy quadratic: v <- (1 - rate h)^2 v + rate^2 noise h, with h = 2 dloss/dv."""

    learning_rate: Positive = 0.1
    noise: NonNegative = 1.0

    moments = True

    def update(self, w: Any, g: Any, memory: Mapping[str, Any], c: Any, *, number: Any) -> tuple[Any, dict[str, Any]]:
        h = 2.0 * g
        return (1.0 - c.rate * h) ** 2 * w + c.rate**2 * c.noise * h, {}


@checked
class Clipping:
    """Per-run gradient clipping: `value` bounds each entry, `norm` the norm over all parameters; infinity is off.

    `adaptive` is the unit-wise bound on ||G_i|| / ||W_i|| of Brock et al. 2021. With several set, the order is
    adaptive, value, norm.
    """

    norm: PositiveOrOff = math.inf
    value: PositiveOrOff = math.inf
    adaptive: PositiveOrOff = math.inf


def _decayed(w: Any, g: Any, c: Any) -> Any:
    return g + c.weight_decay * w if "weight_decay" in c else g
