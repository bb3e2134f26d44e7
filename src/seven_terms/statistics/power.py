"""Power: how many seeds a claim needs to be decided, were effect and spread those that were observed.

For a mean of n seeds the half-width of the interval that decides, plus what the effect itself may fall short in one of five
repetitions, must fit between effect and threshold: (t(tail) + t(20 %)) s / sqrt(n) <= distance. Elsewhere both widths are read
off the interval and shrink with the root of n. What lies between two looks, or two points of a grid, is as wide for any number
of seeds: it counts as distance that is lost.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from ..spec import Rule
from .intervals import TAIL, Interval
from .samples import LOGARITHMIC, Sample

MISSED = 0.2  # share of repetitions that may stay open
MOST = 100_000
EVEN = 0.5  # at this tail an interval keeps the width that no seed shrinks
BETWEEN = ("mean", "geometric mean", "ratio of means")  # methods of what may be known as lying between two numbers


def seeds_needed(sample: Sample, rule: Rule, *, num_tests: float) -> float:
    """Return the number of seeds for 80 % power at 5 % / num_tests; infinite where no number decides, NaN without an interval.

    No number decides an effect at its threshold, one whose interval is open towards the threshold, or one that grid or looks
    leave so wide that it holds the threshold.
    """
    interval = sample.interval()
    if math.isnan(interval.low) or math.isnan(num_tests):
        return math.nan
    tail = TAIL / num_tests
    if sample.method == "mean" and "low" not in sample.columns and not (sample.up or sample.down):
        return _of_mean(np.array(sample.columns["value"]), rule, tail=tail)
    return _of_interval(sample, interval, rule, tail=tail)


def margin_and_spread(sample: Sample, rule: Rule) -> tuple[float, float]:
    """Return the distance from the effect to the nearest threshold, and the spread of a seed: the standard error times the
    root of the number of seeds. Both are logarithmic where the estimate is; NaN without an interval or threshold.
    """
    interval, scale = sample.interval(), math.log if sample.method in LOGARITHMIC else float
    limits = [limit for limit in rule.limits if math.isfinite(limit) and (scale is float or limit > 0)]
    ends = (interval.low, interval.high)
    if not limits or any(math.isnan(end) or (scale is math.log and end <= 0) for end in (interval.effect, *ends)):
        return math.nan, math.nan
    margin = min(abs(scale(interval.effect) - scale(limit)) for limit in limits)
    if not all(map(math.isfinite, ends)) or sample.size < 2:
        return margin, math.nan
    kept = (scale(end) for end in _kept(sample, interval))
    width = sum(abs(scale(end) - known) for end, known in zip(ends, kept, strict=True))
    error = width / 2.0 / float(stats.t.isf(TAIL, sample.size - 1))
    return margin, error * math.sqrt(sample.size)


def _of_mean(values: np.ndarray, rule: Rule, *, tail: float) -> float:
    distance, spread = _distance(float(values.mean()), rule), float(values.std(ddof=1))
    if spread == 0.0 or distance == 0.0:
        return math.inf

    def short(size: int) -> bool:
        reach = stats.t.isf(tail, size - 1) + stats.t.isf(MISSED, size - 1)
        return bool(reach * spread / math.sqrt(size) > distance)

    low, high = 1, 2
    while short(high):
        low, high = high, 2 * high
        if high > MOST:
            return math.inf
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if short(middle) else (low, middle)
    return float(high)


def _of_interval(sample: Sample, interval: Interval, rule: Rule, *, tail: float) -> float:
    scale = math.log if sample.method in LOGARITHMIC else float
    if sample.method in LOGARITHMIC and interval.effect <= 0:
        return math.nan
    effect, limits = scale(interval.effect), [scale(limit) for limit in rule.limits if 0 < limit < math.inf]
    if sample.method not in LOGARITHMIC:
        limits = [limit for limit in rule.limits if math.isfinite(limit)]
    if not limits:
        return math.nan
    limit = min(limits, key=lambda one: abs(effect - one))
    side = 0 if limit < effect else 1
    ends = [(at.low, at.high)[side] for at in (interval.at(tail), interval.at(MISSED))] + [
        _kept(sample, interval)[side]
    ]
    if any(not math.isfinite(end) or (sample.method in LOGARITHMIC and end <= 0) for end in ends):
        return math.inf
    kept = scale(ends.pop())
    distance = kept - limit if side == 0 else limit - kept
    if distance <= 0.0:
        return math.inf
    reach = sum(abs(kept - scale(end)) for end in ends)
    needed = sample.size * (reach / distance) ** 2
    return float(math.ceil(needed)) if needed <= MOST else math.inf


def _kept(sample: Sample, interval: Interval) -> tuple[float, float]:
    """Return the ends to which an interval shrinks with ever more seeds."""
    if sample.method not in BETWEEN:
        return interval.effect, interval.effect
    kept = interval.at(EVEN)
    return kept.low, kept.high


def _distance(effect: float, rule: Rule) -> float:
    low, high = rule.limits
    return min(abs(effect - limit) for limit in (low, high) if math.isfinite(limit))
