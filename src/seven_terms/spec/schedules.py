"""Learning-rate schedules: each is data and, in its method `factor`, a pure function of the step.

The factor multiplies the peak rate of the optimizer. Update number `step` (0-based) uses `factor(step)`. A schedule that
goes to zero does so at step = num_steps, so that the last update still moves. Standard library only: the trainer turns
schedules into one table [num_steps, R], which is why runs with different schedules share a stack.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Literal

from .checked import checked
from .checks import require
from .kinds import Kind
from .limits import Bounds, Fraction, NonNegative, Positive, PositiveFraction, ShareBelowOne, Sized

Factor = Annotated[float, Bounds(low=0.0, high=100.0)]  # on the peak rate


class Schedule(Kind):
    """A factor on the peak rate for each update."""

    __slots__ = ()

    @abstractmethod
    def factor(self, step: int, num_steps: float) -> float:
        """Return the factor for 0-based update `step` of `num_steps`."""


@checked
class Constant(Schedule):
    """factor = 1."""

    def factor(self, step: int, num_steps: float) -> float:
        return 1.0


@checked
class Step(Schedule):
    """factor *= drop at each fraction of the budget; `torch.optim.lr_scheduler.MultiStepLR`."""

    drop: Annotated[float, Bounds(above=0.0, high=100.0)] = 0.1
    fractions: Annotated[tuple[Fraction, ...], Sized(most=100)] = (0.5, 0.75)

    def __post_init__(self) -> None:
        must = "fractions must not decrease"
        require(list(self.fractions) == sorted(self.fractions), what="Step", must=must, got=self.fractions)

    def factor(self, step: int, num_steps: float) -> float:
        return self.drop ** sum(step >= round(fraction * num_steps) for fraction in self.fractions)


@checked
class Exponential(Schedule):
    """factor = final ** (step / num_steps); `ExponentialLR` with gamma = final ** (1 / num_steps)."""

    final: Annotated[float, Bounds(above=0.0, high=100.0)] = 1e-3

    def factor(self, step: int, num_steps: float) -> float:
        return self.final ** _progress(step, num_steps)


@checked
class Cosine(Schedule):
    """Half a cosine from 1 to `final`; `CosineAnnealingLR` (Loshchilov and Hutter 2016, eq. 5, one period)."""

    final: Factor = 0.0

    def factor(self, step: int, num_steps: float) -> float:
        return _cosine(1.0, self.final, _progress(step, num_steps))


@checked
class Linear(Schedule):
    """Straight line from 1 to `final`; `LinearLR(start_factor=1, end_factor=final)`."""

    final: Factor = 0.0

    def factor(self, step: int, num_steps: float) -> float:
        return 1.0 + (self.final - 1.0) * _progress(step, num_steps)


@checked
class OneCycle(Schedule):
    """Cosine up from `start` to 1 over `warmup`, cosine down to `start * final`; `OneCycleLR` (Smith and Topin 2017).

    `shape="linear"` gives the triangular policy of the 2017 experiments.
    """

    warmup: Fraction = 0.3
    start: PositiveFraction = 0.04
    final: Factor = 1e-4
    shape: Literal["cosine", "linear"] = "cosine"

    def factor(self, step: int, num_steps: float) -> float:
        # OneCycleLR: phase 1 ends at step warmup * num_steps - 1, phase 2 at step num_steps - 1.
        peak, last = self.warmup * num_steps - 1.0, num_steps - 1.0
        interpolate = _cosine if self.shape == "cosine" else lambda a, b, p: a + (b - a) * p
        if step <= peak:
            return interpolate(self.start, 1.0, step / peak if peak > 0 else 1.0)
        done = min((step - peak) / (last - peak), 1.0) if last > peak else 1.0
        return interpolate(1.0, self.start * self.final, done)


@checked
class Warmup(Schedule):
    """A warm-up in front of another schedule, which is stretched over the steps that remain.

    `gradual` rises linearly from 1/n to 1 in n steps; `constant` stays at `level` (Goyal et al. 2017, section 2.2).
    Length: `fraction` of the budget.
    """

    fraction: ShareBelowOne = 0.1
    kind: Literal["gradual", "constant"] = "gradual"
    level: Factor = 0.1
    then: Constant | Cosine | Linear | Step = Cosine()

    def factor(self, step: int, num_steps: float) -> float:
        length = round(self.fraction * num_steps)
        if step < length:
            return (step + 1) / length if self.kind == "gradual" else self.level
        return self.then.factor(step - length, num_steps - length)


@checked
class WarmupStableDecay(Schedule):
    """Warm-up, constant, then a cooldown to zero over the last `cooldown` of the budget (Hagele et al. 2024)."""

    warmup: Fraction = 0.0
    cooldown: Fraction = 0.2
    shape: Literal["linear", "one_minus_sqrt"] = "linear"

    def __post_init__(self) -> None:
        must, both = "warmup and cooldown must not overlap, so their sum must be <= 1", (self.warmup, self.cooldown)
        require(sum(both) <= 1.0 + 1e-12, what="WarmupStableDecay", must=must, got=both)

    def factor(self, step: int, num_steps: float) -> float:
        rise, fall = round(self.warmup * num_steps), self.cooldown * num_steps
        if step < rise:
            return (step + 1) / rise
        remaining = (num_steps - step) / fall if fall else math.inf
        if remaining >= 1.0:
            return 1.0
        return remaining if self.shape == "linear" else 1.0 - math.sqrt(1.0 - remaining)


@checked
class InverseSqrt(Schedule):
    """factor = 1 / sqrt(step / offset + 1)."""

    offset: Positive = 1.0

    def factor(self, step: int, num_steps: float) -> float:
        return 1.0 / math.sqrt(step / self.offset + 1.0)


@checked
class InverseTime(Schedule):
    """factor = 1 / (1 + rate * step / num_steps), or 1 / (1 + rate * step) when `per_step` (Robbins and Monro 1951)."""

    rate: NonNegative = 10.0
    per_step: bool = False

    def factor(self, step: int, num_steps: float) -> float:
        return 1.0 / (1.0 + self.rate * (step if self.per_step else _progress(step, num_steps)))


@checked
class CosineRestarts(Schedule):
    """Cosine periods of lengths 1 : multiplier : multiplier^2 ... that fill the budget (Loshchilov and Hutter 2016)."""

    num_cycles: Annotated[int, Bounds(low=1, high=100)] = 3
    multiplier: Annotated[float, Bounds(above=0.0, high=100.0)] = 2.0

    def factor(self, step: int, num_steps: float) -> float:
        lengths = [self.multiplier**cycle for cycle in range(self.num_cycles)]
        position = _progress(step, num_steps) * sum(lengths)
        for length in lengths:
            if position < length:
                return _cosine(1.0, 0.0, position / length)
            position -= length
        return 0.0


@checked
class Ramp(Schedule):
    """Rises geometrically from `start` to 1: the learning-rate range test (Smith 2015)."""

    start: PositiveFraction = 1e-4
    shape: Literal["geometric", "linear"] = "geometric"

    def factor(self, step: int, num_steps: float) -> float:
        last = min(step / max(num_steps - 1, 1), 1.0)
        return self.start ** (1.0 - last) if self.shape == "geometric" else self.start + (1.0 - self.start) * last


@checked
class Truncated(Schedule):
    """The first part of a schedule that was stretched to `planned` times the budget: a long schedule cut early."""

    planned: Annotated[float, Bounds(low=1.0, high=1e6)] = 2.0
    of: Cosine | Linear | Step | Exponential = Cosine()

    def factor(self, step: int, num_steps: float) -> float:
        return self.of.factor(step, self.planned * num_steps)


def _progress(step: int, num_steps: float) -> float:
    return step / num_steps if num_steps else 0.0


def _cosine(high: float, low: float, progress: float) -> float:
    return low + (high - low) * 0.5 * (1.0 + math.cos(math.pi * progress))
