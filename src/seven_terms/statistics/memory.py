"""What a linear recurrence with a long memory is like to train: the curvature of its loss at the weight that is right."""

from __future__ import annotations

import math

from ..spec import LinearMemory, Training, require


def memory_curvature(training: Training) -> float:
    """Second derivative, at the teacher, of half the mean squared difference of the states; it is the variance of dh/da.

    dh/da = sum_k k a^(k-1) x_{t-k} has the variance sum_k k^2 a^(2k-2) = (1 + a^2) / (1 - a^2)^3 for white inputs; of
    normalized states 1 / (1 - a^2)^2; times (a log a)^2 where the weight is exp(-exp(v)), since da/dv = a log a.
    """
    task = _memory(training)
    a, short = task.decay, 1.0 - task.decay**2
    by_weight = short**-2 if task.normalized else (1.0 + a**2) / short**3
    return by_weight * (a * math.log(a)) ** 2 if task.exponential else by_weight


def memory_length(training: Training) -> float:
    """Steps that a linear recurrence remembers, 1 / (1 - a)."""
    return 1.0 / (1.0 - _memory(training).decay)


def _memory(training: Training) -> LinearMemory:
    task = training.task
    require(isinstance(task, LinearMemory), what="theory", must="the task must be a LinearMemory", got=task)
    assert isinstance(task, LinearMemory)
    return task
