"""Values per seed, some of which are only bounds: missed targets, diverged runs, best settings at the edge of a grid.

No run is dropped in silence. A run that missed its target needs at least its budget; a diverged run is at least as bad as
the worst finite value seen in the runs compared. Such a value enters as that bound, and the interval is then open on the
side where the true value lies, so that only the safe direction can decide a claim. Where "worse" has no meaning for a
measure, the run is left out and the interval is open on both sides. Each case is counted in a note.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..spec import At, Best, Combine, Last, Measure, Over, StepsTo
from .intervals import Interval
from .results import Results
from .selection import Chosen, evaluate

WORSE_WHEN_LARGE = ("loss", "error", "distance")
WORSE_WHEN_SMALL = ("accuracy",)


@dataclass(frozen=True, kw_only=True, slots=True)
class PerSeed:
    """`table` has one row a seed: value, up (the truth may be larger), down (smaller). `lost`: some had no value."""

    table: pd.DataFrame
    lost: bool = False
    notes: tuple[str, ...] = ()

    def positive(self) -> PerSeed:
        """Return the seeds whose value has a logarithm; the others are lost."""
        keep = self.table["value"] > 0
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
    return [_of_group(measure, group, values[group.positions], worst=worst, results=results) for group in groups]


def _of_group(
    measure: Measure, group: Chosen, values: np.ndarray, *, worst: tuple[float, float], results: Results
) -> PerSeed:
    filled = np.where(np.isnan(values) & (direction(measure) != 0), direction(measure) * np.inf, values)
    up, down = filled == np.inf, filled == -np.inf
    is_time = isinstance(measure, StepsTo)
    most = results.length[group.positions] if is_time else worst[1]
    filled = np.where(up, most, np.where(down, worst[0], filled))
    lost = np.isnan(filled)
    seeds = [results.runs[i].seed for i in group.positions]
    table = pd.DataFrame({"seed": seeds, "value": filled, "up": up, "down": down})[~lost]
    arm = results.runs[group.positions[0]].arm
    bound = "missed the target and count as their budget" if is_time else "diverged and count as the worst value seen"
    notes = [
        f"{arm}: {int(count)} of {len(values)} runs {what}"
        for count, what in (((up | down)[~lost].sum(), bound), (lost.sum(), "have no value and are left out"))
        if count
    ]
    per = table.groupby("seed").agg(value=("value", "mean"), up=("up", "any"), down=("down", "any"))
    return PerSeed(table=per, lost=bool(lost.any()), notes=tuple(notes))


def direction(measure: Measure) -> int:
    """Return 1 where a larger value of the measure is worse, -1 where a smaller one is, 0 where neither is."""
    match measure:
        case StepsTo():
            return 1
        case Last(metric=metric) | At(metric=metric) | Best(metric=metric):
            return metric.endswith(WORSE_WHEN_LARGE) - metric.endswith(WORSE_WHEN_SMALL)
        case Over(metric=metric, statistic="mean" | "median" | "min" | "max"):
            return metric.endswith(WORSE_WHEN_LARGE) - metric.endswith(WORSE_WHEN_SMALL)
        case Combine(formula="log" | "log10" | "exp" | "sqrt" | "square", first=first):
            return direction(first)
        case Combine(formula="negative", first=first):
            return -direction(first)
        case Combine(formula="difference", first=first, second=int() | float()):
            return direction(first)
        case Combine(formula="ratio" | "product", first=first, second=int() | float() as second):
            return direction(first) if second > 0 else -direction(first)
    return 0


def paired(
    first: PerSeed, second: PerSeed, *, formula: Callable[[pd.Series, pd.Series], pd.Series]
) -> tuple[PerSeed, pd.Index]:
    """Return formula(first, second) over the seeds they share, larger in `first` and smaller in `second`; and the seeds."""
    seeds = first.table.index.intersection(second.table.index)
    one, two = first.table.loc[seeds], second.table.loc[seeds]
    table = pd.DataFrame(
        {"value": formula(one["value"], two["value"]), "up": one["up"] | two["down"], "down": one["down"] | two["up"]}
    )
    alone = len(first.table) + len(second.table) - 2 * len(seeds)
    notes = (f"{alone} seeds are not shared and are left out",) if alone else ()
    notes = tuple(dict.fromkeys((*first.notes, *second.notes, *notes)))
    return PerSeed(table=table, lost=first.lost or second.lost, notes=notes), seeds


def bounded_interval(values: PerSeed, method: Callable[[np.ndarray], Interval], *, floor: float = -np.inf) -> Interval:
    """Return the interval of the values, open on each side to which one of them is only a bound."""
    up, down = (bool(values.table[side].any()) or values.lost for side in ("up", "down"))
    return method(values.table["value"].to_numpy()).opened(up=up, down=down, floor=floor)
