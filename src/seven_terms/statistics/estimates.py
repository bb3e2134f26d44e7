"""Many runs -> one number with a 95 % interval: every kind of estimate. Seeds are the independent units throughout."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pandas as pd
from scipy import stats

from ..spec import (
    BestSetting,
    Correlation,
    Estimate,
    Mean,
    Measure,
    PairedDifference,
    PairedRatio,
    Proportion,
    ProportionDifference,
    Regret,
    Selected,
    Slope,
    WorstDeviation,
    require,
)
from . import theory
from .bounds import bounded_interval, paired, per_seed
from .intervals import Interval, certain, exact, newcombe, spearman, student, student_log, wilson
from .optima import Parts, estimate_best_setting, estimate_slope
from .regret import estimate_regret
from .results import Results
from .selection import Chosen, evaluate, select, settings_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimated:
    """An interval, how many runs it rests on, and what a reader must know about it."""

    interval: Interval
    num_runs: int
    notes: tuple[str, ...] = ()
    num_seeds: float = np.nan  # NaN: nothing is random
    num_undefined: int = 0  # runs that finished without a finite value of a measure
    num_diverged: int = 0
    selected: str = "{}"  # JSON: arm -> the settings of its runs, or a list of them


def estimate(kind: Estimate, results: Results) -> Estimated:
    """Return the estimate over an experiment's results, with the runs behind it counted and their settings named."""
    interval, groups, notes = _estimate(kind, results)
    notes = [*notes, *(note for group in groups for note in group.notes), interval.note]
    positions = np.unique(np.concatenate([group.positions for group in groups]))
    lost = np.zeros(len(results.ids), dtype=bool)
    for measure in measures_of(kind):
        lost |= evaluate(measure, results).isna().to_numpy() & ~results.diverged
    random = interval.low < interval.high or interval.above is not None
    return Estimated(
        interval=interval,
        num_runs=len(positions),
        notes=tuple(dict.fromkeys(note for note in notes if note)),
        num_seeds=len({results.runs[i].seed for i in positions}) if random else np.nan,
        num_undefined=int(lost[positions].sum()),
        num_diverged=int(results.diverged[positions].sum()),
        selected=json.dumps(_selected(groups, results)),
    )


def measures_of(kind: Estimate) -> tuple[Measure, ...]:
    """Return every measure that an estimate reads."""
    values = (getattr(kind, field.name) for field in dataclasses.fields(kind))
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


def _estimate(kind: Estimate, results: Results) -> Parts:
    match kind:
        case Mean():
            return _mean(kind, results)
        case PairedDifference() | PairedRatio():
            return _paired(kind, results)
        case Proportion(measure=measure, runs=runs):
            chosen = select(runs, results)
            return wilson(*_successes(measure, chosen, results)), [chosen], []
        case ProportionDifference(measure=measure, runs=runs, baseline=baseline):
            groups = [select(runs, results), select(baseline, results)]
            first, second = (_successes(measure, chosen, results) for chosen in groups)
            return newcombe(first, second), groups, []
        case Slope():
            return estimate_slope(kind, results)
        case BestSetting():
            return estimate_best_setting(kind, results)
        case Correlation():
            return _correlation(kind, results)
        case WorstDeviation():
            return _worst_deviation(kind, results)
        case Regret():
            return estimate_regret(kind, results)
    require(False, what="estimate", must="must be one of seven_terms.spec's estimates", got=kind)
    raise AssertionError


def _mean(kind: Mean, results: Results) -> Parts:
    chosen = select(kind.runs, results)
    (values,) = per_seed(kind.measure, [chosen], results)
    values = values.positive() if kind.log else values
    interval = bounded_interval(values, student_log if kind.log else student, floor=0.0 if kind.log else -np.inf)
    return interval, [chosen], list(values.notes)


def _paired(kind: PairedDifference | PairedRatio, results: Results) -> Parts:
    groups = [select(kind.runs, results), select(kind.baseline, results)]
    first, second = per_seed(kind.measure, groups, results)
    if isinstance(kind, PairedRatio):
        values, seeds = paired(first.positive(), second.positive(), formula=lambda a, b: a / b)
        interval = bounded_interval(values, certain if kind.exact else student_log, floor=0.0)
    else:
        values, seeds = paired(first, second, formula=lambda a, b: a - b)
        interval = bounded_interval(values, certain if kind.exact else student)
    shared = [_of_seeds(group, set(seeds), results) for group in groups] if len(seeds) else groups
    return interval, shared, list(values.notes)


def _of_seeds(group: Chosen, seeds: set[int], results: Results) -> Chosen:
    kept = np.array([i for i in group.positions if results.runs[i].seed in seeds])
    return Chosen(positions=kept, settings=group.settings, notes=group.notes)


def _successes(measure: Measure, chosen: Chosen, results: Results) -> tuple[float, int]:
    values = evaluate(measure, results).to_numpy()[chosen.positions]
    require(
        bool(np.isin(values, (0.0, 1.0)).all()),
        what=f"proportion of {measure!r}",
        must="the measure must be 0 or 1 in every run",
        got=sorted(set(values.tolist()))[:3],
        do="use Reached or Diverged",
    )
    return float(values.sum()), len(values)


def _union(runs: tuple[Selected, ...], results: Results) -> tuple[list[Chosen], np.ndarray]:
    groups = [select(selected, results) for selected in runs]
    return groups, np.unique(np.concatenate([group.positions for group in groups]))


def _correlation(kind: Correlation, results: Results) -> Parts:
    groups, positions = _union(kind.runs, results)
    pairs = [evaluate(measure, results).to_numpy()[positions] for measure in (kind.first, kind.second)]
    known = ~np.isnan(pairs[0]) & ~np.isnan(pairs[1])
    notes = [f"{int((~known).sum())} of {len(known)} runs have no value and are left out"] if not known.all() else []
    ranks = [stats.rankdata(values[known]) for values in pairs]
    return spearman(ranks[0], ranks[1]), groups, notes


def _worst_deviation(kind: WorstDeviation, results: Results) -> Parts:
    """A run without a value deviates without bound: an exact statement has no room for it."""
    groups, positions = _union(kind.runs, results)
    measures = kind.measure if isinstance(kind.measure, tuple) else (kind.measure,)
    expected = _expected(kind.expected, positions, results)
    compared = [(evaluate(measure, results).to_numpy()[positions], expected) for measure in measures]
    pairs = pd.concat([pd.DataFrame({"measured": m, "expected": e}) for m, e in compared], ignore_index=True)
    missing = int(pairs.isna().any(axis=1).sum())
    notes = [f"{missing} of {len(pairs)} runs have no value: an unbounded deviation"] if missing else []
    if kind.mean_over_seeds:
        cells = [repr((m, results.runs[i].arm, results.runs[i].settings)) for m in measures for i in positions]
        pairs = pairs.groupby(cells).mean().mask(pairs.isna().groupby(cells).any())
    return exact(_largest_deviation(pairs, kind)), groups, notes


def _largest_deviation(pairs: pd.DataFrame, kind: WorstDeviation) -> float:
    measured, expected = pairs["measured"].to_numpy(), pairs["expected"].to_numpy()
    require(
        kind.absolute or bool((expected != 0).all()),
        what=f"WorstDeviation of {kind.measure!r}",
        must="expected must not be 0 for a relative deviation",
        got=0.0,
        do="set absolute=True",
    )
    with np.errstate(all="ignore"):
        deviation = np.abs(measured - expected if kind.absolute else measured / expected - 1.0)
    deviation = np.where(measured == expected, 0.0, deviation)
    return float(np.nan_to_num(deviation, nan=np.inf).max())


def _expected(expected: float | Measure | str, positions: np.ndarray, results: Results) -> np.ndarray:
    if isinstance(expected, str):
        return np.array([theory.predict(expected, results.runs[i].training) for i in positions])
    if isinstance(expected, (int, float)):
        return np.full(len(positions), float(expected))
    return evaluate(expected, results).to_numpy()[positions]
