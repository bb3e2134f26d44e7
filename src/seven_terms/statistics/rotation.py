"""Weights that are multiplied by any number without a change of the network's function: how far they turn in an update.

A gradient of such a weight is at a right angle to it and falls as one over its length. With SGD and weight decay the length
settles where both balance: (1 - r d)^2 + (r |g| / |w|)^2 = 1 for rate r and decay d. The angle between two successive weights
then has the cosine 1 - r d (Kosson et al. 2024: the root of 2 r d, to first order).
"""

from __future__ import annotations

import math

from ..spec import Sgd, Training, require


def equilibrium_rotation(training: Training) -> float:
    """Angle by which a scale-invariant weight turns in an update once its length has settled, sqrt(2 rate decay)."""
    return math.sqrt(2.0 * training.optimizer.learning_rate * _decay(training))  # type: ignore[attr-defined]


def rate_over_decay(training: Training) -> float:
    """Learning rate over weight decay: what the fourth power of a settled length is proportional to, for equal gradients."""
    return training.optimizer.learning_rate / _decay(training)  # type: ignore[attr-defined]


def _decay(training: Training) -> float:
    rule = training.optimizer
    plain = isinstance(rule, Sgd) and rule.momentum == 0.0 and rule.weight_decay > 0.0
    must = "the optimizer must be Sgd with weight decay and without momentum"
    require(plain, what="theory", must=must, got=rule)
    assert isinstance(rule, Sgd)
    return rule.weight_decay
