"""Values per seed, some of which are only bounds: looks apart in time, diverged runs, best settings at the edge of a grid.

No run is dropped in silence. A time to a target lies between the look that found it reached and the one before; it is
restricted to the budget, so that a miss is worth the budget. A diverged run is at least as bad as the worst finite value
seen in the runs compared: it enters as that bound, and the interval is then open on the side where the true value lies, so
that only the safe direction can decide a claim. Where "worse" has no meaning for a measure, the run is left out and the
interval is open on both sides. Each case is counted in a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..spec import At, Best, Combine, Last, Measure, Over, StepsTo, direction_of
from .intervals import Interval
from .results import Results
from .samples import Sample, sample_of
from .selection import Chosen, evaluate

Parts = tuple[Sample | Interval, list[Chosen], list[str]]  # of an estimate: number, runs behind it, notes
WORSE = {"min": 1, "max": -1, "none": 0}  # by the better direction: the sign of what is worse


@dataclass(frozen=True, kw_only=True, slots=True)
class PerSeed:
    """`table` has one row per seed: value, low and high (it lies between them), up (the truth may be larger), down (smaller).

    `lost`: some had no value.
    """

    table: pd.DataFrame
    lost: bool = False
    notes: tuple[str, ...] = ()

    def positive(self) -> PerSeed:
        """Return the seeds whose value has a logarithm; the others are lost."""
        keep = self.table["low"] > 0
        if keep.all():
            return self
        note = f"{int((~keep).sum())} of {len(keep)} seeds have no positive value and are left out"
        return PerSeed(table=self.table[keep], lost=True, notes=(*self.notes, note))


def per_seed(measure: Measure, groups: Sequence[Chosen], results: Results) -> list[PerSeed]:
    """Return the measure per seed for each group of runs; several runs of a seed are averaged, as seeds are what varies."""
    values = evaluate(measure, results).to_numpy()
    together = values[np.concatenate([group.positions for group in groups])]
    finite = together[np.isfinite(together)]
    worst = (finite.min(), finite.max()) if len(finite) else (np.nan, np.nan)
    if isinstance(measure, StepsTo):
        budget = min(float(results.length[group.positions].min()) for group in groups)
        return [_times(measure, group, budget=budget, results=results) for group in groups]
    return [_of_group(measure, group, values[group.positions], worst=worst, results=results) for group in groups]


def _times(measure: StepsTo, group: Chosen, *, budget: float, results: Results) -> PerSeed:
    """Return times restricted to a budget, each between the last look before it and the look that found it."""
    found = evaluate(measure, results).to_numpy()[group.positions]
    before = last_look_before(measure.metric, found, group.positions, results=results)
    low, high = np.minimum(before, budget), np.minimum(found, budget)
    low = np.where(found > budget, budget, low)
    table = pd.DataFrame({"seed": _seeds(group, results), "value": (low + high) / 2, "low": low, "high": high})
    missed, arm = int((found > budget).sum()), results.runs[group.positions[0]].arm
    notes = (f"{arm}: {missed} of {len(found)} runs missed the target and count as their budget",) if missed else ()
    return PerSeed(table=table.groupby("seed").mean().assign(up=False, down=False), notes=notes)


def last_look_before(metric: str, times: np.ndarray, positions: np.ndarray, *, results: Results) -> np.ndarray:
    """Return, for each run, the last step before its time at which the metric was recorded; 0 where there is none."""
    rows = results.table(metric)
    limits = pd.Series(times, index=positions)
    rows = rows[rows["run"].isin(positions)]
    earlier = rows[rows["step"] < rows["run"].map(limits)]
    return earlier.groupby("run")["step"].max().reindex(positions).fillna(0.0).to_numpy(float)


def _seeds(group: Chosen, results: Results) -> list[int]:
    return [results.runs[i].seed for i in group.positions]


def _of_group(
    measure: Measure, group: Chosen, values: np.ndarray, *, worst: tuple[float, float], results: Results
) -> PerSeed:
    worse = direction(measure, results)
    filled = np.where(np.isnan(values) & (worse != 0), worse * np.inf, values)
    up, down = filled == np.inf, filled == -np.inf
    filled = np.where(up, worst[1], np.where(down, worst[0], filled))
    lost = np.isnan(filled)
    if not len(values):
        return PerSeed(table=pd.DataFrame(columns=["value", "low", "high", "up", "down"], dtype=float))
    table = pd.DataFrame({"seed": _seeds(group, results), "value": filled, "up": up, "down": down})[~lost]
    arm = results.runs[group.positions[0]].arm
    bound = "diverged or have no finite value and count as the worst value seen"
    notes = [
        f"{arm}: {int(count)} of {len(values)} runs {what}"
        for count, what in (((up | down)[~lost].sum(), bound), (lost.sum(), "have no value and are left out"))
        if count
    ]
    per = table.groupby("seed").agg(value=("value", "mean"), up=("up", "any"), down=("down", "any"))
    return PerSeed(table=per.assign(low=per["value"], high=per["value"]), lost=bool(lost.any()), notes=tuple(notes))


def direction(measure: Measure, results: Results) -> int:
    """Return 1 where a larger value of the measure is worse, -1 where a smaller one is, 0 where neither is."""
    match measure:
        case StepsTo():
            return 1
        case Last(metric=metric) | At(metric=metric) | Best(metric=metric):
            return WORSE[direction_of(results.experiment, metric)]
        case Over(metric=metric, statistic="mean" | "median" | "min" | "max"):
            return WORSE[direction_of(results.experiment, metric)]
        case Combine(formula="log" | "log10" | "exp" | "sqrt" | "square", first=first):
            return direction(first, results)
        case Combine(formula="negative", first=first):
            return -direction(first, results)
        case Combine(formula="difference", first=first, second=int() | float()):
            return direction(first, results)
        case Combine(formula="ratio" | "product", first=first, second=int() | float() as second):
            return direction(first, results) if second > 0 else -direction(first, results)
    return 0


def paired(
    first: PerSeed, second: PerSeed, *, formula: Callable[[pd.Series, pd.Series], pd.Series]
) -> tuple[PerSeed, pd.Index]:
    """Return formula(first, second) over the seeds they share, larger in `first` and smaller in `second`; and the seeds."""
    seeds = first.table.index.intersection(second.table.index)
    one, two = first.table.loc[seeds], second.table.loc[seeds]
    table = pd.DataFrame(
        {
            "value": formula(one["value"], two["value"]),
            "low": formula(one["low"], two["high"]),
            "high": formula(one["high"], two["low"]),
            "up": one["up"] | two["down"],
            "down": one["down"] | two["up"],
        }
    )
    alone = len(first.table) + len(second.table) - 2 * len(seeds)
    notes = (f"{alone} seeds are not shared and are left out",) if alone else ()
    notes = tuple(dict.fromkeys((*first.notes, *second.notes, *notes)))
    return PerSeed(table=table, lost=first.lost or second.lost, notes=notes), seeds


def sample_per_seed(values: PerSeed, method: str) -> Sample:
    """Return the sample of the values, open on each side to which one of them is only a bound."""
    table = values.table
    up, down = (bool(table[side].any()) or values.lost for side in ("up", "down"))
    exact = table["low"].equals(table["value"]) and table["high"].equals(table["value"])
    columns = {name: table[name].to_numpy() for name in (("value",) if exact else ("value", "low", "high"))}
    return sample_of(method, up=up, down=down, **columns)


def ratio_sample(first: PerSeed, second: PerSeed) -> Sample:
    """Return the sample of the ratio of two mean times over the seeds they share."""
    seeds = first.table.index.intersection(second.table.index)
    ends = {"first": first.table.loc[seeds], "second": second.table.loc[seeds]}
    columns = {f"{side}_{end}": table[end].to_numpy() for side, table in ends.items() for end in ("low", "high")}
    return sample_of("ratio of means", **columns)
