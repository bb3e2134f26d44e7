"""One number per run: every kind of measure, evaluated for all runs of an experiment at once.

Each metric's table is sorted by run, step and index, so a measure is one grouped operation over the runs' codes and never
a loop over runs. What was not recorded is NaN. A diverged run has no last value (NaN), has reached nothing (0), and has
missed every target that it had not met before it diverged (infinity); best values, values at a step and statistics use
what it recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import numpy as np
import pandas as pd

from ..spec import (
    At,
    AtBest,
    Best,
    Combine,
    Diverged,
    Last,
    LogSlope,
    Measure,
    Over,
    Reached,
    Setting,
    StepsTo,
    require,
)
from .results import Results, number

STATISTICS = ("mean", "median", "std", "min", "max", "sum")
FORMULAS: dict[str, Callable[..., np.ndarray]] = {
    "ratio": np.divide,
    "difference": np.subtract,
    "product": np.multiply,
    "log": np.log,
    "log10": np.log10,
    "exp": np.exp,
    "abs": np.abs,
    "negative": np.negative,
    "sqrt": np.sqrt,
    "square": np.square,
}
WITH_TWO = ("ratio", "difference", "product")


def measure_runs(measure: Measure, results: Results) -> pd.Series:
    """Return the measure of every run, indexed by run id. A target of another arm must have been resolved before."""
    match measure:
        case Last():
            values = _last(measure, results)
        case At():
            values = _at(measure, results)
        case Best(metric=metric, which=which, index=index):
            values = _per_run(_rows(results, metric, index).groupby("run")["value"].agg(which), results)
        case AtBest():
            values = _at_best(measure, results)
        case Over():
            values = _over(measure, results)
        case StepsTo():
            values = _steps_to(measure, results)
        case Diverged():
            values = results.diverged.astype(float)
        case Reached():
            values = _reached(measure, results)
        case LogSlope():
            values = _log_slope(measure, results)
        case Combine():
            values = _combine(measure, results)
        case Setting(path=path):
            values = _settings(path, results)
        case _:
            assert_never(measure)
    return pd.Series(values, index=results.ids, dtype=float)


def _settings(path: str, results: Results) -> np.ndarray:
    """Return a number of every run's record; NaN for runs of another kind, whose record has no such field."""
    values, refusal = [], None
    for run in results.runs:
        try:
            values.append(number(run, path))
        except ValueError as error:
            values.append(np.nan)
            refusal = error
    if refusal is not None and np.isnan(values).all():
        raise refusal
    return np.array(values)


def _rows(results: Results, metric: str, index: int | None) -> pd.DataFrame:
    table = results.table(metric)
    if index is None:
        return table
    chosen = table[table["index"] == index]
    require(
        len(chosen) > 0,
        what=f"metric {metric!r} of {results.experiment.path!r}",
        must=f"index {index} must be recorded",
        got=sorted(table["index"].unique())[:12],
        do="name one of these in the measure",
    )
    return chosen


def _per_run(values: pd.Series, results: Results) -> np.ndarray:
    return values.reindex(np.arange(len(results.ids))).to_numpy(float)


def _last(measure: Last, results: Results) -> np.ndarray:
    rows = _rows(results, measure.metric, measure.index)
    values = _per_run(rows.groupby("run").tail(1).set_index("run")["value"], results)
    return np.where(results.diverged, np.nan, values)


def _at(measure: At, results: Results) -> np.ndarray:
    require(
        (measure.step is None) != (measure.fraction is None),
        what=f"At({measure.metric!r})",
        must="exactly one of step and fraction must be given",
        got=(measure.step, measure.fraction),
    )
    rows = _rows(results, measure.metric, measure.index)
    wanted = measure.step if measure.fraction is None else measure.fraction * results.length[rows["run"]]
    return _per_run(_nearest(rows, wanted).set_index("run")["value"], results)  # pyright: ignore[reportArgumentType]


def _at_best(measure: AtBest, results: Results) -> np.ndarray:
    """Missing and infinite values are never best; of equals the first step counts."""
    judged = _rows(results, measure.of, -1)
    judged = judged[np.isfinite(judged["value"])]
    best = (
        judged.groupby("run")["value"].idxmin() if measure.which == "min" else judged.groupby("run")["value"].idxmax()
    )
    at = judged.loc[best, ["run", "step"]]
    found = at.merge(_rows(results, measure.metric, -1), on=["run", "step"], how="left")
    return _per_run(found.set_index("run")["value"], results)


def _nearest(rows: pd.DataFrame, wanted: float | np.ndarray) -> pd.DataFrame:
    """Return, per run and index, the row whose step is nearest to the wanted one (the earlier of two)."""
    distance = (rows["step"] - wanted).abs()
    return rows.loc[distance.groupby([rows["run"], rows["index"]]).idxmin()]


def _between(rows: pd.DataFrame, start: float, stop: float, *, results: Results) -> pd.DataFrame:
    length = results.length[rows["run"]]
    return rows[(rows["step"] >= start * length) & (rows["step"] <= stop * length)]


def _over(measure: Over, results: Results) -> np.ndarray:
    rows = _rows(results, measure.metric, measure.index)
    rows = _between(rows, measure.start, measure.stop, results=results)
    if measure.statistic in STATISTICS:
        return _per_run(rows.groupby("run")["value"].agg(measure.statistic), results)
    if measure.statistic == "max_over_median":
        groups = rows.groupby("run")["value"]
        with np.errstate(divide="ignore", invalid="ignore"):
            return _per_run(groups.max() / groups.median(), results)
    if measure.statistic == "detrended_std":
        return _detrended_std(rows, results)
    of_index = rows.groupby(["run", "index"])["value"]
    moved = (of_index.last() - of_index.first()).abs().where(of_index.size() > 1)
    return _per_run(moved.groupby("run").mean(), results)


def _detrended_std(rows: pd.DataFrame, results: Results) -> np.ndarray:
    """Return the standard deviation about the least-squares line over steps, with two degrees of freedom for the line."""
    rows = rows.assign(step=rows["step"].astype(float))
    slope = slopes(rows["run"], rows["step"].to_numpy(), rows["value"], results=results)
    centred = rows[["step", "value"]] - rows.groupby("run")[["step", "value"]].transform("mean")
    left = centred["value"] - slope[rows["run"]] * centred["step"]
    size = rows.groupby("run").size()
    variance = (left**2).groupby(rows["run"]).sum() / (size - 2).where(size > 2)
    return _per_run(pd.Series(np.sqrt(variance)), results)


def _steps_to(measure: StepsTo, results: Results) -> np.ndarray:
    require(
        measure.target_of is None and (measure.above is None) != (measure.below is None),
        what=f"StepsTo({measure.metric!r})",
        must="exactly one of above, below and target_of must be given",
        got=(measure.above, measure.below, measure.target_of),
    )
    rows = results.table(measure.metric)
    met = rows[_holds(rows["value"], measure.above, measure.below)]
    first = _per_run(met.groupby("run")["step"].first(), results)
    return np.where(np.isnan(first), np.inf, first)


def _holds(values: pd.Series, above: float | None, below: float | None) -> pd.Series:
    holds = pd.Series(True, index=values.index)
    if above is not None:
        holds &= values > above
    if below is not None:
        holds &= values < below
    return holds


def has_met(measure: Measure, results: Results) -> np.ndarray:
    """Return where a 0/1 measure holds as a condition, [runs]: a run that diverges later may have met it before."""
    if isinstance(measure, Reached):
        return _holds(measure_runs(measure.measure, results), measure.above, measure.below).to_numpy(bool)
    return measure_runs(measure, results).to_numpy() == 1.0


def _reached(measure: Reached, results: Results) -> np.ndarray:
    require(
        measure.above is not None or measure.below is not None,
        what="Reached",
        must="above or below must be given",
        got=(measure.above, measure.below),
    )
    return (has_met(measure, results) & ~results.diverged).astype(float)


def _log_slope(measure: LogSlope, results: Results) -> np.ndarray:
    """Values that are not positive have no logarithm and are left out: a loss that reached zero says no more."""
    rows = results.table(measure.metric)
    between = _between(rows, measure.start, measure.stop, results=results)
    rows = _profile(rows, measure) if measure.over == "index" else between
    rows = rows[rows["value"] > 0]
    if measure.over == "log_step":
        rows = rows[rows["step"] > 0]
    x = rows["index" if measure.over == "index" else "step"].to_numpy(float)
    return slopes(rows["run"], np.log(x) if measure.over == "log_step" else x, np.log(rows["value"]), results=results)  # pyright: ignore[reportArgumentType]


def _profile(rows: pd.DataFrame, measure: LogSlope) -> pd.DataFrame:
    """Return a metric over its index at one step, the first recorded one unless named."""
    if measure.first_index is not None:
        rows = rows[rows["index"] >= measure.first_index]
    if measure.last_index is not None:
        rows = rows[rows["index"] <= measure.last_index]
    return _nearest(rows, 0 if measure.step is None else measure.step)


def slopes(run: pd.Series, x: np.ndarray, y: pd.Series, *, results: Results) -> np.ndarray:
    """Return the least-squares slope of y over x for each run; NaN with fewer than two different x."""
    points = pd.DataFrame({"run": run.to_numpy(), "x": x, "y": y.to_numpy(float)})
    centred = points[["x", "y"]] - points.groupby("run")[["x", "y"]].transform("mean")
    products = pd.DataFrame({"run": points["run"], "xy": centred["x"] * centred["y"], "xx": centred["x"] ** 2})
    sums = products.groupby("run")[["xy", "xx"]].sum()
    return _per_run(sums["xy"] / sums["xx"].where(sums["xx"] > 0), results)


def _combine(measure: Combine, results: Results) -> np.ndarray:
    both = measure.formula in WITH_TWO
    require(
        both == (measure.second is not None),
        what=f"Combine({measure.formula!r})",
        must="ratio, difference and product need a second measure, the others take none",
        got=measure.second,
    )
    terms = [_term(measure.first, results)] + ([_term(measure.second, results)] if both else [])
    with np.errstate(all="ignore"):
        return FORMULAS[measure.formula](*terms)


def _term(term: Measure | float | None, results: Results) -> np.ndarray | float:
    return float(term) if isinstance(term, (int, float)) else measure_runs(term, results).to_numpy()  # pyright: ignore[reportArgumentType]
