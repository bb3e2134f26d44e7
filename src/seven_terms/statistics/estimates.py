"""Many runs -> one number with a 95 % interval: every kind of estimate. Seeds are the independent units throughout."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast, get_args

import numpy as np
import pandas as pd
from scipy import stats

from ..spec import (
    Correlation,
    Estimate,
    Mean,
    Measure,
    Median,
    PairedDifference,
    PairedRatio,
    Proportion,
    ProportionDifference,
    Selected,
    StepsTo,
    WorstDeviation,
    load,
    require,
)
from . import bounds, theory
from .bounds import Parts, PerSeed, per_seed, ratio_sample, sample_per_seed
from .intervals import Interval, certain, exact, unknown
from .results import Results
from .samples import Sample, sample_of
from .selection import Chosen, evaluate, select, settings_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimated:
    """An interval, the sample behind it unless nothing is random, how many runs it rests on, and what to know about it."""

    interval: Interval
    sample: Sample | None = None
    num_runs: int
    notes: tuple[str, ...] = ()
    num_seeds: float = (
        np.nan
    )  # behind the interval: the fewest of any arm, of pairs those shared; NaN: nothing is random
    num_undefined: int = 0  # runs that finished without a finite value of a measure
    num_diverged: int = 0
    selected: str = "{}"  # JSON: arm -> the settings of its runs, or a list of them


def estimate(kind: Estimate, results: Results) -> Estimated:
    """Return the estimate over an experiment's results, with the runs behind it counted and their settings named."""
    found, groups, notes = load(kind.compute)(kind, results)
    sample, interval = (found, found.interval()) if isinstance(found, Sample) else (None, found)
    notes = [*notes, *(note for group in groups for note in group.notes), interval.note]
    positions = np.unique(np.concatenate([group.positions for group in groups]))
    lost = np.zeros(len(results.ids), dtype=bool)
    for measure in measures_of(kind):
        lost |= evaluate(measure, results).isna().to_numpy() & ~results.diverged
    return Estimated(
        interval=interval,
        sample=sample,
        num_runs=len(positions),
        notes=tuple(dict.fromkeys(note for note in notes if note)),
        num_seeds=np.nan if sample is None else sample.size,
        num_undefined=int(lost[positions].sum()),
        num_diverged=int(results.diverged[positions].sum()),
        selected=json.dumps(_selected(groups, results)),
    )


def measures_of(kind: Estimate) -> tuple[Measure, ...]:
    """Return every measure that an estimate reads."""
    values = (getattr(kind, field.name) for field in dataclasses.fields(cast(Any, kind)))
    flat = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
    return tuple(one for one in flat if isinstance(one, get_args(Measure)))


def _selected(groups: Iterable[Chosen], results: Results) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for group in groups:
        if len(group.positions):
            own = found.setdefault(results.runs[group.positions[0]].arm, [])
            settings = settings_of(group, results)
            own += [settings] if settings not in own else []
    return {arm: settings[0] if len(settings) == 1 else settings for arm, settings in found.items()}


def proportion(kind: Proportion, results: Results) -> Parts:
    chosen = select(kind.runs, results)
    successes, trials = _successes(kind.measure, chosen, results)
    if kind.exact:
        return exact(float(successes.sum() / trials.sum())), [chosen], []
    return sample_of("share", successes=successes, trials=trials), [chosen], []


def proportion_difference(kind: ProportionDifference, results: Results) -> Parts:
    groups = [select(kind.runs, results), select(kind.baseline, results)]
    (one, of_one), (two, of_two) = (_successes(kind.measure, chosen, results) for chosen in groups)
    if kind.exact:
        return exact(float(one.sum() / of_one.sum() - two.sum() / of_two.sum())), groups, []
    columns = {"first": one, "first_trials": of_one, "second": two, "second_trials": of_two}
    return sample_of("difference of shares", **columns), groups, []  # pyright: ignore[reportArgumentType]


def mean(kind: Mean, results: Results) -> Parts:
    chosen = select(kind.runs, results)
    (values,) = per_seed(kind.measure, [chosen], results)
    values = values.positive() if kind.log else values
    return sample_per_seed(values, "geometric mean" if kind.log else "mean"), [chosen], list(values.notes)


def median(kind: Median, results: Results) -> Parts:
    """A seed without a value may lie anywhere, which order statistics can bear."""
    chosen = select(kind.runs, results)
    values = evaluate(kind.measure, results).iloc[chosen.positions]
    seeds = [results.runs[i].seed for i in chosen.positions]
    per = values.groupby(seeds).mean().mask(values.isna().groupby(seeds).any())
    lost = int(per.isna().sum())
    notes = [f"{results.runs[chosen.positions[0]].arm}: {lost} of {len(per)} seeds have no value and may lie anywhere"]
    return sample_of("median", value=per.to_numpy()), [chosen], notes if lost else []


def paired(kind: PairedDifference | PairedRatio, results: Results) -> Parts:
    groups = [select(kind.runs, results), select(kind.baseline, results)]
    first, second = per_seed(kind.measure, groups, results)
    found: Sample | Interval
    if isinstance(kind, PairedRatio) and isinstance(kind.measure, StepsTo):
        values, seeds = bounds.paired(first, second, formula=lambda a, b: a - b)
        found = ratio_sample(first, second)
    elif isinstance(kind, PairedRatio):
        values, seeds = bounds.paired(first.positive(), second.positive(), formula=lambda a, b: a / b)
        found = _certain(values) if kind.exact else sample_per_seed(values, "geometric mean")
    else:
        values, seeds = bounds.paired(first, second, formula=lambda a, b: a - b)
        found = _certain(values) if kind.exact else sample_per_seed(values, "mean")
    shared = [_of_seeds(group, set(seeds), results) for group in groups] if len(seeds) else groups
    return found, shared, list(values.notes)


def _certain(values: PerSeed) -> Interval:
    return certain(values.table["value"].to_numpy())


def _of_seeds(group: Chosen, seeds: set[int], results: Results) -> Chosen:
    kept = np.array([i for i in group.positions if results.runs[i].seed in seeds])
    return Chosen(positions=kept, settings=group.settings, notes=group.notes)


def _successes(measure: Measure, chosen: Chosen, results: Results) -> tuple[np.ndarray, np.ndarray]:
    """Return, per seed, how many of its runs have a measure of 1, and how many it has."""
    values = evaluate(measure, results).to_numpy()[chosen.positions]
    require(
        bool(np.isin(values, (0.0, 1.0)).all()),
        what=f"proportion of {measure!r}",
        must="the measure must be 0 or 1 in every run",
        got=sorted(set(values.tolist()))[:3],
        do="use Reached or Diverged",
    )
    per = pd.Series(values).groupby([results.runs[i].seed for i in chosen.positions])
    return per.sum().to_numpy(float), per.size().to_numpy(float)


def _union(runs: tuple[Selected, ...], results: Results) -> tuple[list[Chosen], np.ndarray]:
    groups = [select(selected, results) for selected in runs]
    return groups, np.unique(np.concatenate([group.positions for group in groups]))


def correlation(kind: Correlation, results: Results) -> Parts:
    """Over the seeds where each has one run; where a seed has several, its own correlation over them, averaged over seeds."""
    groups, positions = _union(kind.runs, results)
    pairs = [evaluate(measure, results).to_numpy()[positions] for measure in (kind.first, kind.second)]
    known = ~np.isnan(pairs[0]) & ~np.isnan(pairs[1])
    notes = [f"{int((~known).sum())} of {len(known)} runs have no value and are left out"] if not known.all() else []
    table = pd.DataFrame({"seed": [results.runs[i].seed for i in positions], "x": pairs[0], "y": pairs[1]})[known]
    if kind.exact:
        value = _rank_correlation(table)
        return (unknown("no rank correlation") if np.isnan(value) else exact(value)), groups, notes
    if table["seed"].is_unique:
        first, second = (stats.rankdata(table[name]) for name in "xy")
        return sample_of("rank correlation", first=first, second=second), groups, notes
    per = np.array([_rank_correlation(one) for _, one in table.groupby("seed")])
    return sample_of("mean", value=per), groups, notes


def _rank_correlation(table: pd.DataFrame) -> float:
    if len(table) < 5 or table["x"].nunique() < 2 or table["y"].nunique() < 2:
        return np.nan
    return float(stats.spearmanr(table["x"], table["y"]).statistic)


def worst_deviation(kind: WorstDeviation, results: Results) -> Parts:
    """A run without a value deviates without bound: an exact statement has no room for it."""
    groups, positions = _union(kind.runs, results)
    measures = kind.measure if isinstance(kind.measure, tuple) else (kind.measure,)
    expected = _expected(kind.expected, positions, results)
    tables = [
        pd.DataFrame(
            {
                "measured": evaluate(measure, results).to_numpy()[positions],
                "expected": expected,
                "seed": [results.runs[i].seed for i in positions],
                "cell": [repr((measure, results.runs[i].arm, results.runs[i].settings)) for i in positions],
            }
        )
        for measure in measures
    ]
    pairs = pd.concat(tables, ignore_index=True)
    missing = int(pairs.isna().any(axis=1).sum())
    notes = [f"{missing} of {len(pairs)} runs have no value: an unbounded deviation"] if missing else []
    if kind.mean_over_seeds and not missing:
        return _deviations_of_means(pairs, kind), groups, notes
    deviation = np.abs(_deviations(pairs["measured"].to_numpy(), pairs["expected"].to_numpy(), kind))
    return exact(float(np.nan_to_num(deviation, nan=np.inf).max())), groups, notes


def _deviations_of_means(pairs: pd.DataFrame, kind: WorstDeviation) -> Sample:
    """Return the deviation of every seed at each setting of each measure, whose mean over seeds is compared."""
    expected = pairs.groupby("cell")["expected"].transform("mean")
    deviation = _deviations(pairs["measured"].to_numpy(), expected.to_numpy(), kind)
    ordered = pairs.assign(deviation=deviation).sort_values("seed", kind="stable").groupby("cell")["deviation"]
    return sample_of("largest mean", **{f"deviation_{i}": one.to_numpy() for i, (_, one) in enumerate(ordered)})


def _deviations(measured: np.ndarray, expected: np.ndarray, kind: WorstDeviation) -> np.ndarray:
    require(
        kind.absolute or bool((expected != 0).all()),
        what=f"WorstDeviation of {kind.measure!r}",
        must="expected must not be 0 for a relative deviation",
        got=0.0,
        do="set absolute=True",
    )
    with np.errstate(all="ignore"):
        deviation = measured - expected if kind.absolute else measured / expected - 1.0
    return np.where(measured == expected, 0.0, deviation)


def _expected(expected: float | Measure | str, positions: np.ndarray, results: Results) -> np.ndarray:
    if isinstance(expected, str):
        return np.array([theory.predict(expected, results.runs[i].training) for i in positions])
    if isinstance(expected, (int, float)):
        return np.full(len(positions), float(expected))
    return evaluate(expected, results).to_numpy()[positions]
