"""Update rules and clipping. Every float may vary inside a stack; everything else is part of the tensor program."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .checks import require, require_between


@dataclass(frozen=True, kw_only=True, slots=True)
class Sgd:
    """`torch.optim.SGD`: v <- momentum v + (g + weight_decay w); w <- w - rate (v, or g + momentum v with nesterov)."""

    learning_rate: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False
    average_iterates: bool = False  # keep the running mean of the iterates (Polyak and Ruppert), evaluated beside them

    def __post_init__(self) -> None:
        _check_rate("Sgd", self.learning_rate)
        require_between("Sgd", 0.0, 1.0, momentum=self.momentum)


@dataclass(frozen=True, kw_only=True, slots=True)
class Adam:
    """`torch.optim.Adam`, or `AdamW` when `decoupled`."""

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False

    def __post_init__(self) -> None:
        _check_rate("Adam", self.learning_rate)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedSgd:
    """Exact second moments of SGD on a noisy quadratic: v <- (1 - rate h)^2 v + rate^2 noise h, with h = 2 dloss/dv."""

    learning_rate: float = 0.1
    noise: float = 1.0


Optimizer = Sgd | Adam | ExpectedSgd


@dataclass(frozen=True, kw_only=True, slots=True)
class Clipping:
    """Per-run gradient clipping: `value` bounds each entry, `norm` the norm over all parameters; infinity is off.

    `adaptive` is the unit-wise bound on ||G_i|| / ||W_i|| of Brock et al. 2021. With several set, the order is
    adaptive, value, norm.
    """

    norm: float = math.inf
    value: float = math.inf
    adaptive: float = math.inf

    def __post_init__(self) -> None:
        for name in ("norm", "value", "adaptive"):
            require(
                getattr(self, name) > 0,
                what="Clipping",
                must=f"{name} must be > 0 (infinity is off)",
                got=getattr(self, name),
            )


def _check_rate(what: str, rate: float) -> None:
    require(rate > 0, what=what, must="learning_rate must be > 0", got=rate)
