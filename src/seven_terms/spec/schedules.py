"""Learning-rate schedules: each is data; `factor(schedule, step, num_steps)` is the pure function of the step.

The factor multiplies the peak rate of the optimizer. Update number `step` (0-based) uses `factor(step)`. A schedule that
goes to zero does so at step = num_steps, so that the last update still moves. Standard library only: the trainer turns
schedules into one table [num_steps, R], which is why runs with different schedules share a stack.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, assert_never

from .checked import checked
from .checks import require
from .limits import Bounds, Fraction, NonNegative, Positive, PositiveFraction, ShareBelowOne, Sized

Factor = Annotated[float, Bounds(low=0.0, high=100.0)]  # on the peak rate


@checked
class Constant:
    """factor = 1."""


@checked
class Step:
    """factor *= drop at each fraction of the budget; `torch.optim.lr_scheduler.MultiStepLR`."""

    drop: Annotated[float, Bounds(above=0.0, high=100.0)] = 0.1
    fractions: Annotated[tuple[Fraction, ...], Sized(most=100)] = (0.5, 0.75)

    def __post_init__(self) -> None:
        must = "fractions must not decrease"
        require(list(self.fractions) == sorted(self.fractions), what="Step", must=must, got=self.fractions)


@checked
class Exponential:
    """factor = final ** (step / num_steps); `ExponentialLR` with gamma = final ** (1 / num_steps)."""

    final: Annotated[float, Bounds(above=0.0, high=100.0)] = 1e-3


@checked
class Cosine:
    """Half a cosine from 1 to `final`; `CosineAnnealingLR` (Loshchilov and Hutter 2016, eq. 5, one period)."""

    final: Factor = 0.0


@checked
class Linear:
    """Straight line from 1 to `final`; `LinearLR(start_factor=1, end_factor=final)`."""

    final: Factor = 0.0


@checked
class OneCycle:
    """Cosine up from `start` to 1 over `warmup`, cosine down to `start * final`; `OneCycleLR` (Smith and Topin 2017).

    `shape="linear"` gives the triangular policy of the 2017 experiments.
    """

    warmup: Fraction = 0.3
    start: PositiveFraction = 0.04
    final: Factor = 1e-4
    shape: Literal["cosine", "linear"] = "cosine"


@checked
class Warmup:
    """A warm-up in front of another schedule, which is stretched over the steps that remain.

    `gradual` rises linearly from 1/n to 1 in n steps; `constant` stays at `level` (Goyal et al. 2017, section 2.2).
    Length: `fraction` of the budget.
    """

    fraction: ShareBelowOne = 0.1
    kind: Literal["gradual", "constant"] = "gradual"
    level: Factor = 0.1
    then: Constant | Cosine | Linear | Step = Cosine()


@checked
class WarmupStableDecay:
    """Warm-up, constant, then a cooldown to zero over the last `cooldown` of the budget (Hagele et al. 2024)."""

    warmup: Fraction = 0.0
    cooldown: Fraction = 0.2
    shape: Literal["linear", "one_minus_sqrt"] = "linear"

    def __post_init__(self) -> None:
        must, both = "warmup and cooldown must not overlap, so their sum must be <= 1", (self.warmup, self.cooldown)
        require(sum(both) <= 1.0 + 1e-12, what="WarmupStableDecay", must=must, got=both)


@checked
class InverseSqrt:
    """factor = 1 / sqrt(step / offset + 1)."""

    offset: Positive = 1.0


@checked
class InverseTime:
    """factor = 1 / (1 + rate * step / num_steps), or 1 / (1 + rate * step) when `per_step` (Robbins and Monro 1951)."""

    rate: NonNegative = 10.0
    per_step: bool = False


@checked
class CosineRestarts:
    """Cosine periods of lengths 1 : multiplier : multiplier^2 ... that fill the budget (Loshchilov and Hutter 2016)."""

    num_cycles: Annotated[int, Bounds(low=1, high=100)] = 3
    multiplier: Annotated[float, Bounds(above=0.0, high=100.0)] = 2.0


@checked
class Ramp:
    """Rises geometrically from `start` to 1: the learning-rate range test (Smith 2015)."""

    start: PositiveFraction = 1e-4
    shape: Literal["geometric", "linear"] = "geometric"


@checked
class Truncated:
    """The first part of a schedule that was stretched to `planned` times the budget: a long schedule cut early."""

    planned: Annotated[float, Bounds(low=1.0, high=1e6)] = 2.0
    of: Cosine | Linear | Step | Exponential = Cosine()


Schedule = (
    Constant
    | Step
    | Exponential
    | Cosine
    | Linear
    | OneCycle
    | Warmup
    | WarmupStableDecay
    | InverseSqrt
    | InverseTime
    | CosineRestarts
    | Ramp
    | Truncated
)


def factor(schedule: Schedule, step: int, num_steps: float) -> float:
    """Return the factor on the peak rate for 0-based update `step` of `num_steps`."""
    progress = step / num_steps if num_steps else 0.0
    match schedule:
        case Constant():
            return 1.0
        case Step(drop=drop, fractions=fractions):
            return drop ** sum(step >= round(fraction * num_steps) for fraction in fractions)
        case Exponential(final=final):
            return final**progress
        case Cosine(final=final):
            return _cosine(1.0, final, progress)
        case Linear(final=final):
            return 1.0 + (final - 1.0) * progress
        case OneCycle():
            return _one_cycle(schedule, step, num_steps)
        case Warmup():
            return _warmup(schedule, step, num_steps)
        case WarmupStableDecay():
            return _warmup_stable_decay(schedule, step, num_steps)
        case InverseSqrt(offset=offset):
            return 1.0 / math.sqrt(step / offset + 1.0)
        case InverseTime(rate=rate, per_step=per_step):
            return 1.0 / (1.0 + rate * (step if per_step else progress))
        case CosineRestarts():
            return _cosine_restarts(schedule, progress)
        case Ramp(start=start, shape=shape):
            last = min(step / max(num_steps - 1, 1), 1.0)
            return start ** (1.0 - last) if shape == "geometric" else start + (1.0 - start) * last
        case Truncated(planned=planned, of=of):
            return factor(of, step, planned * num_steps)
    assert_never(schedule)


def _cosine(high: float, low: float, progress: float) -> float:
    return low + (high - low) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _one_cycle(cycle: OneCycle, step: int, num_steps: float) -> float:
    # OneCycleLR: phase 1 ends at step warmup * num_steps - 1, phase 2 at step num_steps - 1.
    peak, last = cycle.warmup * num_steps - 1.0, num_steps - 1.0
    interpolate = _cosine if cycle.shape == "cosine" else lambda a, b, p: a + (b - a) * p
    if step <= peak:
        return interpolate(cycle.start, 1.0, step / peak if peak > 0 else 1.0)
    return interpolate(1.0, cycle.start * cycle.final, min((step - peak) / (last - peak), 1.0) if last > peak else 1.0)


def _warmup(warmup: Warmup, step: int, num_steps: float) -> float:
    length = round(warmup.fraction * num_steps)
    if step < length:
        return (step + 1) / length if warmup.kind == "gradual" else warmup.level
    return factor(warmup.then, step - length, num_steps - length)


def _warmup_stable_decay(schedule: WarmupStableDecay, step: int, num_steps: float) -> float:
    rise, fall = round(schedule.warmup * num_steps), schedule.cooldown * num_steps
    if step < rise:
        return (step + 1) / rise
    remaining = (num_steps - step) / fall if fall else math.inf
    if remaining >= 1.0:
        return 1.0
    return remaining if schedule.shape == "linear" else 1.0 - math.sqrt(1.0 - remaining)


def _cosine_restarts(schedule: CosineRestarts, progress: float) -> float:
    lengths = [schedule.multiplier**cycle for cycle in range(schedule.num_cycles)]
    position = progress * sum(lengths)
    for length in lengths:
        if position < length:
            return _cosine(1.0, 0.0, position / length)
        position -= length
    return 0.0
