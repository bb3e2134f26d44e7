"""Update rules and clipping. Every float may vary inside a stack; everything else is part of the tensor program."""

from __future__ import annotations

import math

from .checked import checked
from .checks import require
from .limits import Fraction, NonNegative, Positive, PositiveOrOff, ShareBelowOne


@checked
class Sgd:
    """`torch.optim.SGD`: v <- momentum v + (g + weight_decay w); w <- w - rate (v, or g + momentum v with nesterov)."""

    learning_rate: Positive = 0.1
    momentum: Fraction = 0.0
    weight_decay: NonNegative = 0.0
    nesterov: bool = False
    average_iterates: bool = False  # keep the running mean of the iterates (Polyak and Ruppert), evaluated beside them

    def __post_init__(self) -> None:
        must = "momentum must be > 0 for nesterov"
        require(self.momentum > 0 or not self.nesterov, what="Sgd", must=must, got=self.momentum, do="give a momentum")


@checked
class Adam:
    """`torch.optim.Adam`, or `AdamW` when `decoupled`."""

    learning_rate: Positive = 1e-3
    beta1: ShareBelowOne = 0.9
    beta2: ShareBelowOne = 0.999
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.0
    decoupled: bool = False


@checked
class ExpectedSgd:
    """Exact second moments of SGD on a noisy quadratic: v <- (1 - rate h)^2 v + rate^2 noise h, with h = 2 dloss/dv."""

    learning_rate: Positive = 0.1
    noise: NonNegative = 1.0


Optimizer = Sgd | Adam | ExpectedSgd


@checked
class Clipping:
    """Per-run gradient clipping: `value` bounds each entry, `norm` the norm over all parameters; infinity is off.

    `adaptive` is the unit-wise bound on ||G_i|| / ||W_i|| of Brock et al. 2021. With several set, the order is
    adaptive, value, norm.
    """

    norm: PositiveOrOff = math.inf
    value: PositiveOrOff = math.inf
    adaptive: PositiveOrOff = math.inf
