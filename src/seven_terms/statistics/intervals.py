"""95 % intervals, each with the p-value that turns 5 % exactly where the interval ends.

An interval carries two one-sided p-values: `above(t)` is the evidence that the quantity exceeds t, `below(t)` that it
stays under t; for an interval of a test's own inversion, low < t exactly when above(t) < 2.5 %.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, stats

from ..spec import require

LEVEL = 0.95
TAIL = (1.0 - LEVEL) / 2.0
Z = float(stats.norm.isf(TAIL))
SAME = 1e-12  # relative spread below which seeds agree to rounding: there is no sampling error to speak of


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """An effect with its 95 % interval. Without tails (None) no p-value exists: an exact statement, or a single seed."""

    effect: float
    low: float
    high: float
    above: Callable[[float], float] | None = None
    below: Callable[[float], float] | None = None
    note: str = ""

    def opened(self, *, up: bool, down: bool, floor: float = -math.inf) -> Interval:
        """Return the interval for values that are only bounds: nothing is then known on the open side."""
        changes: dict[str, Any] = {"high": math.inf, "below": _ignorant} if up else {}
        changes |= {"low": floor, "above": _ignorant} if down else {}
        return dataclasses.replace(self, **changes)


def exact(value: float) -> Interval:
    """Return an interval without width and without p-value."""
    return Interval(effect=value, low=value, high=value)


def certain(values: np.ndarray) -> Interval:
    """Return the value that all seeds agree on, as an interval without width; ValueError when they do not agree."""
    values = np.asarray(values, dtype=float)
    require(
        len(values) > 0 and bool(np.ptp(values) <= SAME * np.abs(values).max()),
        what="exact estimate",
        must="its runs must have a value and be free of chance, the same for all seeds",
        got=values.tolist()[:3],
        do="drop `exact` and train several seeds",
    )
    return exact(float(values[0]))


def student(values: np.ndarray) -> Interval:
    """Student's t interval of a mean, paired when the values are differences.

    One value has no interval. Values that agree to rounding have one without width, but no p-value: that a spread of
    zero was seen says nothing about how likely it is.
    """
    values = np.asarray(values, dtype=float)
    if len(values) == 0 or not np.isfinite(values).all():
        return unknown("no finite value")
    mean = float(values.mean())
    if len(values) == 1:
        return dataclasses.replace(unknown("one seed: no interval"), effect=mean)
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    if error <= SAME * abs(mean):
        note = f"all {len(values)} seeds agree to the resolution recorded: no width, and outside Holm's correction"
        return Interval(effect=mean, low=mean, high=mean, note=note)
    return _from_t(mean, error, len(values) - 1)


def student_log(values: np.ndarray) -> Interval:
    """Student's t interval of a geometric mean: of positive values, on logarithms."""
    return exponential(student(np.log(np.asarray(values, dtype=float))))


def welch(first: np.ndarray, second: np.ndarray) -> Interval:
    """Welch's t interval of mean(first) - mean(second), unpaired (Welch 1947)."""
    if min(len(first), len(second)) < 2:
        return dataclasses.replace(unknown("one seed: no interval"), effect=float(np.mean(first) - np.mean(second)))
    variances = np.var(first, ddof=1) / len(first), np.var(second, ddof=1) / len(second)
    difference, error = float(np.mean(first) - np.mean(second)), math.sqrt(sum(variances))
    if not math.isfinite(difference):
        return unknown("no finite value")
    if error <= SAME * abs(difference) or error == 0.0:
        return Interval(effect=difference, low=difference, high=difference, note="no spread in either arm")
    sizes = len(first) - 1, len(second) - 1
    freedom = sum(variances) ** 2 / sum(v**2 / size for v, size in zip(variances, sizes, strict=True))
    return _from_t(difference, error, freedom)


def wilson(successes: float, total: int) -> Interval:
    """Wilson's score interval of a proportion (Wilson 1927)."""
    share = successes / total
    low, high = _wilson_bounds(share, total, Z)

    def above(threshold: float) -> float:
        if threshold <= 0.0:
            return 0.0 if share > 0.0 else 1.0
        if threshold >= 1.0:
            return 1.0
        return float(stats.norm.sf((share - threshold) / math.sqrt(threshold * (1.0 - threshold) / total)))

    def below(threshold: float) -> float:
        if threshold >= 1.0:
            return 0.0 if share < 1.0 else 1.0
        return 1.0 - above(threshold) if threshold > 0.0 else 1.0

    return Interval(effect=share, low=low, high=high, above=above, below=below)


def newcombe(first: tuple[float, int], second: tuple[float, int]) -> Interval:
    """Newcombe's hybrid score interval of p1 - p2 from (successes, total) pairs (Newcombe 1998, method 10).

    The p-value inverts the interval: the level at which its end meets the threshold.
    """
    difference = first[0] / first[1] - second[0] / second[1]
    low, high = _newcombe_bounds(first, second, Z)

    def above(threshold: float) -> float:
        end = 0 if threshold < difference else 1

        def gap(z: float) -> float:
            return _newcombe_bounds(first, second, z)[end] - threshold

        if threshold == difference:
            return 0.5
        if gap(0.0) * gap(_FAR) > 0.0:
            return float(end)
        z = float(optimize.brentq(gap, 0.0, _FAR))
        return float(stats.norm.sf(z) if end == 0 else stats.norm.cdf(z))

    return Interval(effect=difference, low=low, high=high, above=above, below=lambda t: 1.0 - above(t))


def spearman(first: np.ndarray, second: np.ndarray) -> Interval:
    """Fisher's z interval of Spearman's rank correlation with variance (1 + r^2 / 2) / (n - 3) (Bonett and Wright 2000).

    Ranks in perfect order are taken half a swap of neighbours away from it, where the transform is finite.
    """
    size = len(first)
    if size < 5 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return unknown(f"{size} runs, or no spread: no rank correlation")
    correlation = float(stats.spearmanr(first, second).statistic)
    limit = 1.0 - 6.0 / (size * (size**2 - 1.0))
    inside = min(max(correlation, -limit), limit)
    centre, error = math.atanh(inside), math.sqrt((1.0 + inside**2 / 2.0) / (size - 3.0))

    def above(threshold: float) -> float:
        if abs(threshold) >= 1.0:
            return float(threshold >= 1.0)
        return float(stats.norm.sf((centre - math.atanh(threshold)) / error))

    ends = math.tanh(centre - Z * error), math.tanh(centre + Z * error)
    return Interval(effect=correlation, low=ends[0], high=ends[1], above=above, below=lambda t: 1.0 - above(t))


def exponential(interval: Interval) -> Interval:
    """Return the interval of exp(x) from that of x."""

    def at_log(tail: Callable[[float], float] | None, outside: float) -> Callable[[float], float] | None:
        return tail and (lambda threshold: tail(math.log(threshold)) if threshold > 0.0 else outside)

    ends = {name: _exp(getattr(interval, name)) for name in ("effect", "low", "high")}
    return Interval(**ends, above=at_log(interval.above, 0.0), below=at_log(interval.below, 1.0), note=interval.note)


def unknown(note: str) -> Interval:
    """Return the interval of which nothing is known; every rule finds it inconclusive."""
    return Interval(effect=math.nan, low=math.nan, high=math.nan, note=note)


_FAR = 37.0  # a normal tail beyond this is below the smallest double


def _from_t(mean: float, error: float, freedom: float) -> Interval:
    reach = error * float(stats.t.isf(TAIL, freedom))
    return Interval(
        effect=mean,
        low=mean - reach,
        high=mean + reach,
        above=lambda t: float(stats.t.sf((mean - t) / error, freedom)),
        below=lambda t: float(stats.t.cdf((mean - t) / error, freedom)),
    )


def _wilson_bounds(share: float, total: int, z: float) -> tuple[float, float]:
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2))
    return (0.0 if share == 0.0 else centre - reach), (1.0 if share == 1.0 else centre + reach)


def _newcombe_bounds(first: tuple[float, int], second: tuple[float, int], z: float) -> tuple[float, float]:
    p1, p2 = first[0] / first[1], second[0] / second[1]
    (l1, u1), (l2, u2) = _wilson_bounds(p1, first[1], z), _wilson_bounds(p2, second[1], z)
    return p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)


def _ignorant(threshold: float) -> float:
    return 1.0


def _exp(value: float) -> float:
    return math.inf if value > 700.0 else math.exp(value)
