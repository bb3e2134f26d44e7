"""95 % intervals, each with the p-value that turns 5 % exactly where the interval ends.

An interval carries two one-sided p-values: `above(t)` is the evidence that the quantity exceeds t, `below(t)` that it
stays under t; for an interval of a test's own inversion, t < low exactly when above(t) < 2.5 %. `at` gives the interval at
another level, for families of claims.

Some values are known only to lie between two numbers: a time to a target between two looks, a largest rate between two
points of its grid. The interval then reaches from that of the lower to that of the higher numbers, and no spread counts as
smaller than that of a value drawn from between them: that seeds agree to the resolution is never evidence.

Long, because all kinds of interval share one contract and are held against each other.
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
ROUNDING = 1e-9  # by which what is free of chance may differ between seeds
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
    ends: Callable[[float], tuple[float, float]] | None = None  # one-sided tail -> low, high

    def at(self, tail: float) -> Interval:
        """Return the interval with `tail` on either side, itself where it has no other level."""
        if self.ends is None:
            return self
        low, high = self.ends(tail)
        return dataclasses.replace(self, low=low, high=high)

    def opened(self, *, up: bool, down: bool, floor: float = -math.inf) -> Interval:
        """Return the interval for values that are only bounds: nothing is then known on the open side."""
        changes: dict[str, Any] = {"high": math.inf, "below": _ignorant} if up else {}
        changes |= {"low": floor, "above": _ignorant} if down else {}
        if self.ends is not None and (up or down):
            ends = self.ends
            changes["ends"] = lambda tail: (floor if down else ends(tail)[0], math.inf if up else ends(tail)[1])
        return dataclasses.replace(self, **changes)


def exact(value: float) -> Interval:
    """Return an interval without width and without p-value."""
    return Interval(effect=value, low=value, high=value)


def certain(values: np.ndarray) -> Interval:
    """Return the value that all seeds agree on but for rounding, from least to largest; ValueError when they do not agree."""
    values = np.asarray(values, dtype=float)
    require(
        len(values) > 0 and bool(np.ptp(values) <= max(SAME * np.abs(values).max(), ROUNDING)),
        what="exact estimate",
        must="its runs must have a value and be free of chance, the same for all seeds",
        got=values.tolist()[:3],
        do="drop `exact` and train several seeds",
    )
    return Interval(effect=float(values.mean()), low=float(values.min()), high=float(values.max()))


def student(value: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> Interval:
    """Student's t interval of a mean, paired when the values are differences; `low` and `high` where only they are known.

    One value has no interval. Values that agree to rounding decide nothing and stay in the family of claims with p = 1:
    that a spread of zero was seen says nothing about how likely it is.
    """
    value = np.asarray(value, dtype=float)
    low, high = (value if end is None else np.asarray(end, dtype=float) for end in (low, high))
    if len(value) == 0 or not all(np.isfinite(column).all() for column in (value, low, high)):
        return unknown("no finite value")
    mean = float(value.mean())
    if len(value) == 1:
        return dataclasses.replace(unknown("one seed: no interval"), effect=mean)
    error = _error(low, high, np.abs(high - low))
    if error <= SAME * abs(mean):
        return undecided(mean, f"all {len(value)} seeds agree to the resolution recorded, which decides nothing")
    return _between(mean, *(_from_t(float(end.mean()), error, len(value) - 1) for end in (low, high)))


def student_log(value: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> Interval:
    """Student's t interval of a geometric mean: of positive values, on logarithms."""
    ends = (None if end is None else np.log(np.asarray(end, dtype=float)) for end in (low, high))
    return exponential(student(np.log(np.asarray(value, dtype=float)), *ends))


def ratio_of_means(
    first_low: np.ndarray, first_high: np.ndarray, second_low: np.ndarray, second_high: np.ndarray
) -> Interval:
    """Student's t interval of mean(first) / mean(second), paired by seed, of values known to lie between two numbers.

    On the ratio's logarithm, whose error is that of first / mean(first) - second / mean(second) (the delta method). Of times
    that end with a budget this is the ratio of restricted means (Royston and Parmar 2013): a miss is worth the budget.
    """
    first = [np.asarray(end, dtype=float) for end in (first_low, first_high)]
    second = [np.asarray(end, dtype=float) for end in (second_low, second_high)]
    middle = [(low + high) / 2 for low, high in (first, second)]
    means = [float(values.mean()) if len(values) else math.nan for values in middle]
    if not all(math.isfinite(mean) and mean > 0 for mean in means):
        return unknown("no finite value")
    effect = math.log(means[0] / means[1])
    if len(middle[0]) == 1:
        return dataclasses.replace(unknown("one seed: no interval"), effect=math.exp(effect))
    shares = [[end / mean for end in ends] for ends, mean in zip((first, second), means, strict=True)]
    width = (shares[0][1] - shares[0][0]) + (shares[1][1] - shares[1][0])
    error = _error(shares[0][0] - shares[1][1], shares[0][1] - shares[1][0], width)
    if error <= SAME:
        text = f"all {len(middle[0])} seeds agree to the resolution recorded, which decides nothing"
        return exponential(undecided(effect, text))
    low, high = (
        _log_ratio(float(one.mean()), float(two.mean())) for one, two in zip(first, reversed(second), strict=True)
    )
    return exponential(_between(effect, *(_from_t(end, error, len(middle[0]) - 1) for end in (low, high))))


def largest_mean(**columns: np.ndarray) -> Interval:
    """Interval of the largest of several |means|, whichever it is: Student's t of each, the seeds of each its units.

    It lies below a number when every |mean| does, which needs no correction, as the largest is one of them (Berger 1982); it
    lies above when any does, on either side, and that any of m is seen to by chance costs a factor of 2 m (Bonferroni).
    """
    values = [np.asarray(column, dtype=float) for column in columns.values()]
    if not values or not all(len(value) > 0 and np.isfinite(value).all() for value in values):
        return unknown("no finite value")
    means = np.array([abs(value.mean()) for value in values])
    sizes = np.array([len(value) for value in values])
    if sizes.min() == 1:
        return dataclasses.replace(unknown("one seed: no interval"), effect=float(means.max()))
    errors = np.array([value.std(ddof=1) for value in values]) / np.sqrt(sizes)
    if (errors <= SAME * means).any():
        return undecided(
            float(means.max()), "all seeds of a mean agree to the resolution recorded, which decides nothing"
        )
    ways = 2 * len(values)

    def ends(tail: float) -> tuple[float, float]:
        lower, upper = (errors * stats.t.isf(one, sizes - 1) for one in (tail / ways, tail))
        return max(float((means - lower).max()), 0.0), float((means + upper).max())

    def above(threshold: float) -> float:
        least = float(stats.t.sf((means - threshold) / errors, sizes - 1).min())
        return min(ways * least, 1.0) if threshold >= 0.0 else 0.0

    def below(threshold: float) -> float:
        return float(stats.t.cdf((means - threshold) / errors, sizes - 1).max()) if threshold > 0.0 else 1.0

    low, high = ends(TAIL)
    return Interval(effect=float(means.max()), low=low, high=high, above=above, below=below, ends=ends)


def median(value: np.ndarray) -> Interval:
    """Interval of a median by the sign test: two order statistics (Conover 1999, section 3.2); NaN may lie anywhere."""
    value = np.asarray(value, dtype=float)
    known, size = value[~np.isnan(value)], len(value)
    if not len(known):
        return unknown("no finite value")
    lost = [math.inf] * (size - len(known))
    lowest, highest = np.sort([*known, *(-end for end in lost)]), np.sort([*known, *lost])

    def ends(tail: float) -> tuple[float, float]:
        place = int(stats.binom.ppf(tail, size, 0.5))  # the smallest with P(X <= place) >= tail
        place -= int(stats.binom.cdf(place, size, 0.5) > tail * (1 + 1e-12))
        return (-math.inf, math.inf) if place < 0 else (float(lowest[place]), float(highest[size - 1 - place]))

    low, high = ends(TAIL)
    return Interval(
        effect=float(np.median(known)),
        low=low,
        high=high,
        above=lambda t: float(stats.binom.sf(int((known > t).sum()) - 1, size, 0.5)),
        below=lambda t: float(stats.binom.sf(int((known < t).sum()) - 1, size, 0.5)),
        ends=ends,
    )


def share(successes: np.ndarray, trials: np.ndarray) -> Interval:
    """Wilson's interval of a share of runs, seeds being the units: several runs of a seed count for what they are worth."""
    return wilson(*_effective(successes, trials))


def share_difference(
    first: np.ndarray, first_trials: np.ndarray, second: np.ndarray, second_trials: np.ndarray
) -> Interval:
    """Newcombe's interval of the difference of two shares, seeds being the units as for `share`."""
    return newcombe(_effective(first, first_trials), _effective(second, second_trials))


def _effective(successes: np.ndarray, trials: np.ndarray) -> tuple[float, float]:
    """Return (successes, trials) of a simple sample with the variance of one clustered by seed.

    The size is share (1 - share) over the variance between seeds (linearized), shrunk by the normal over Student's quantile
    (Korn and Graubard 1998); where seeds do not differ, the number of seeds.
    """
    successes, trials = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    total, clusters = float(trials.sum()), len(trials)
    part = float(successes.sum()) / total
    size = total
    if trials.max() > 1:
        spread = ((successes - part * trials) ** 2).sum() * clusters / max(clusters - 1, 1) / total**2
        size = float(clusters)
        if clusters > 1 and spread > SAME:
            quantiles = Z / float(stats.t.isf(TAIL, clusters - 1))
            size = min(max(part * (1.0 - part) / spread * quantiles**2, 1.0), total)
    return part * size, size


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
    return _from_t(difference, error, freedom)  # pyright: ignore[reportArgumentType]


def wilson(successes: float, total: float) -> Interval:
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

    def ends(tail: float) -> tuple[float, float]:
        return _wilson_bounds(share, total, float(stats.norm.isf(tail)))

    return Interval(effect=share, low=low, high=high, above=above, below=below, ends=ends)


def newcombe(first: tuple[float, float], second: tuple[float, float]) -> Interval:
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
        z = float(optimize.brentq(gap, 0.0, _FAR))  # pyright: ignore[reportArgumentType]
        return float(stats.norm.sf(z) if end == 0 else stats.norm.cdf(z))

    def ends(tail: float) -> tuple[float, float]:
        return _newcombe_bounds(first, second, float(stats.norm.isf(tail)))

    return Interval(effect=difference, low=low, high=high, above=above, below=lambda t: 1.0 - above(t), ends=ends)


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

    def ends(tail: float) -> tuple[float, float]:
        reach = float(stats.norm.isf(tail)) * error
        return math.tanh(centre - reach), math.tanh(centre + reach)

    low, high = ends(TAIL)
    return Interval(effect=correlation, low=low, high=high, above=above, below=lambda t: 1.0 - above(t), ends=ends)


def exponential(interval: Interval) -> Interval:
    """Return the interval of exp(x) from that of x."""

    def at_log(tail: Callable[[float], float] | None, outside: float) -> Callable[[float], float] | None:
        return tail and (lambda threshold: tail(math.log(threshold)) if threshold > 0.0 else outside)

    values = {name: _exp(getattr(interval, name)) for name in ("effect", "low", "high")}
    inner = interval.ends
    return Interval(
        **values,
        above=at_log(interval.above, 0.0),
        below=at_log(interval.below, 1.0),
        note=interval.note,
        ends=None if inner is None else lambda tail: (_exp(inner(tail)[0]), _exp(inner(tail)[1])),
    )


def unknown(note: str) -> Interval:
    """Return the interval of which nothing is known; every rule finds it inconclusive."""
    return Interval(effect=math.nan, low=math.nan, high=math.nan, note=note)


def undecided(effect: float, note: str) -> Interval:
    """Return the interval of a number that is known while its error is not: it decides nothing, with p = 1."""
    return Interval(
        effect=effect,
        low=-math.inf,
        high=math.inf,
        above=_ignorant,
        below=_ignorant,
        note=note,
        ends=lambda tail: (-math.inf, math.inf),
    )


_FAR = 37.0  # a normal tail beyond this is below the smallest double


def _from_t(mean: float, error: float, freedom: float) -> Interval:
    reach = error * float(stats.t.isf(TAIL, freedom))
    return Interval(
        effect=mean,
        low=mean - reach,
        high=mean + reach,
        above=lambda t: float(stats.t.sf((mean - t) / error, freedom)),
        below=lambda t: float(stats.t.cdf((mean - t) / error, freedom)),
        ends=lambda tail: _around(mean, error * float(stats.t.isf(tail, freedom))),
    )


def _around(mean: float, reach: float) -> tuple[float, float]:
    return mean - reach, mean + reach


def _between(effect: float, low: Interval, high: Interval) -> Interval:
    """Return the interval of what lies between two quantities: from the lower end of the one to the upper of the other."""
    lower, upper = low.ends, high.ends
    assert lower is not None
    assert upper is not None
    return Interval(
        effect=effect,
        low=low.low,
        high=high.high,
        above=low.above,
        below=high.below,
        ends=lambda tail: (lower(tail)[0], upper(tail)[1]),
    )


def _error(low: np.ndarray, high: np.ndarray, width: np.ndarray) -> float:
    """Return the standard error of a mean of values between `low` and `high`, never less than their width leaves open."""
    variance = max(float(low.var(ddof=1)), float(high.var(ddof=1)), float((width**2).mean()) / 12.0)
    return math.sqrt(variance / len(low))


def _log_ratio(first: float, second: float) -> float:
    return math.log(first / second) if first > 0 and second > 0 else -math.inf if first <= 0 else math.inf


def _wilson_bounds(share: float, total: float, z: float) -> tuple[float, float]:
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    reach = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total**2))
    return (0.0 if share == 0.0 else centre - reach), (1.0 if share == 1.0 else centre + reach)


def _newcombe_bounds(first: tuple[float, float], second: tuple[float, float], z: float) -> tuple[float, float]:
    p1, p2 = first[0] / first[1], second[0] / second[1]
    (l1, u1), (l2, u2) = _wilson_bounds(p1, first[1], z), _wilson_bounds(p2, second[1], z)
    return p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)


def _ignorant(threshold: float) -> float:
    return 1.0


def _exp(value: float) -> float:
    return math.inf if value > 700.0 else math.exp(value)
