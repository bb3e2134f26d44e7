"""The numbers behind each kind of panel, as rows (series, x, y, value, low, high, num_runs, selected); see tables.SUMMARY.

Means are over seeds: several runs of one seed are averaged first. Where the panel's axis is logarithmic and all values are
positive, mean and interval are those of the logarithms, so that the band is symmetric where it is drawn. Infinite and
missing values make the mean of their point missing: a line ends where its first run diverges.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ..spec import Bars, Cloud, Curve, Diverged, Heatmap, Measure, Panel, Reached, Survival, SweepCurve, load
from ..spec.figures import MOST_LINES
from .intervals import LEVEL, wilson
from .results import Results, as_coordinate
from .selection import Chosen, evaluate, select, select_each, settings_of
from .survival import kaplan_meier

COLUMNS = ("series", "x", "y", "value", "low", "high", "num_runs", "selected")
QUANTILES = (0.15, 0.5, 0.85)
Rows = Iterator[tuple[Any, ...]]


def panel_rows(panel: Panel, results: Results) -> pd.DataFrame:
    """Return the rows of a panel's content."""
    content = panel.content
    rows = load(content.rows)(content, results, log=panel.log_y)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def curve(content: Curve, results: Results, *, log: bool) -> Rows:
    for label, selected in content.runs.items():
        if content.by is None:
            groups = {label: select(selected, results)}
        else:
            each = select_each(selected, content.by, results)
            groups = {content.label_at(label, _spelt(value)): chosen for value, chosen in each.items()}
        for series, chosen in groups.items():
            selected_for = _selected(chosen, results)
            yield from ((*row, selected_for) for row in _line(series, content, chosen, results=results, log=log))


def _selected(chosen: Chosen, results: Results) -> str:
    return json.dumps(settings_of(chosen, results))


def _spelt(value: Any) -> str:
    value = as_coordinate(value)
    return value if isinstance(value, str) else f"{value:g}"


def _line(series: str, content: Curve, chosen: Chosen, *, results: Results, log: bool) -> Rows:
    if content.between is not None:
        yield from _line_between(series, content, chosen, results=results)
        return
    points = _points(content, chosen, results)
    if content.band == "quantiles":
        low, middle, high = (points.groupby("x")["value"].quantile(share) for share in QUANTILES)
        for x, value in middle.items():
            yield series, x, np.nan, value, low[x], high[x], len(chosen.positions)  # pyright: ignore[reportArgumentType]
        return
    per = _strict_means(points["value"], [points["x"], points["seed"]]).unstack("seed")
    if content.band == "seeds":
        for x, values in per[sorted(per.columns)[:MOST_LINES]].iterrows():
            yield from ((series, x, seed, value, np.nan, np.nan, 1) for seed, value in values.dropna().items())
        return
    value, low, high = mean_and_interval(per.to_numpy(), log=log)
    for i, x in enumerate(per.index):
        yield series, x, np.nan, value[i], low[i], high[i], len(chosen.positions)


def _line_between(series: str, content: Curve, chosen: Chosen, *, results: Results) -> Rows:
    low, high = content.between or ("", "")
    first = dataclasses.replace(chosen, positions=chosen.positions[:1])
    of_metric = [
        _points(dataclasses.replace(content, metric=metric), first, results).set_index("x")["value"]
        for metric in (content.metric, low, high)
    ]
    for x, *values in pd.concat(of_metric, axis=1).itertuples():
        yield series, x, np.nan, *values, 1


def _points(content: Curve, chosen: Chosen, results: Results) -> pd.DataFrame:
    """Return rows (seed, x, value) of the chosen runs; a run that stopped early has no rows after its end."""
    table = results.table(content.metric)
    rows = table[table["run"].isin(chosen.positions)]
    if content.over == "index":
        step = rows["step"].min() if content.step is None else content.step
        away = (rows["step"] - step).abs()
        rows = rows[away == away.groupby([rows["run"], rows["index"]]).transform("min")]
    elif content.index is not None and content.band != "quantiles":
        rows = rows[rows["index"] == content.index]
    seeds = np.array([run.seed for run in results.runs])
    x = rows["index" if content.over == "index" else "step"]
    points = pd.DataFrame({"seed": seeds[rows["run"]], "x": x, "value": rows["value"]})
    return points.assign(value=points["value"].replace([np.inf, -np.inf], np.nan))


def mean_and_interval(values: np.ndarray, *, log: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and Student t ends over the last axis; NaN where any value is missing. `log`: geometric, if positive."""
    known = np.isfinite(values).all(axis=-1)
    geometric = log and bool((values[np.isfinite(values)] > 0).all())
    used = np.where(known[..., None], values, 1.0)
    used = np.log(used) if geometric else used
    size = values.shape[-1]
    mean = used.mean(axis=-1)
    reach = np.full(mean.shape, np.nan)
    if size > 1:
        reach = used.std(axis=-1, ddof=1) / np.sqrt(size) * stats.t.isf((1.0 - LEVEL) / 2.0, size - 1)
    ends = (mean, mean - reach, mean + reach)
    value, low, high = (np.where(known, np.exp(end) if geometric else end, np.nan) for end in ends)
    return value, low, high


def _group(measure: Measure, chosen: Chosen, results: Results, *, log: bool) -> tuple[float, float, float, int]:
    """Return (value, low, high, number of runs): a share with Wilson's interval for 0/1 measures, else a mean."""
    values = evaluate(measure, results).to_numpy()[chosen.positions]
    if isinstance(measure, (Reached, Diverged)):
        share = wilson(float(values.sum()), len(values))
        return share.effect, share.low, share.high, len(values)
    value, low, high = mean_and_interval(_by_seed(values, chosen, results).to_numpy()[None, :], log=log)
    return float(value[0]), float(low[0]), float(high[0]), len(values)


def _by_seed(values: np.ndarray, chosen: Chosen, results: Results) -> pd.Series:
    seeds = [results.runs[i].seed for i in chosen.positions]
    finite = pd.Series(np.where(np.isfinite(values), values, np.nan))
    return _strict_means(finite, [pd.Series(seeds, name="seed")])


def _strict_means(values: pd.Series, keys: list[pd.Series]) -> pd.Series:
    """Return means by key, missing where any value is: a mean of survivors would flatter."""
    return values.groupby(keys).mean().mask(values.isna().groupby(keys).any())


def sweep_curve(content: SweepCurve, results: Results, *, log: bool) -> Rows:
    for label, among in content.runs.items():
        for selected in among if isinstance(among, tuple) else (among,):
            for x, chosen in select_each(selected, content.over, results).items():
                value, low, high, num = _group(content.measure, chosen, results, log=log)
                yield label, as_coordinate(x), np.nan, value, low, high, num, _selected(chosen, results)


def survival(content: Survival, results: Results, *, log: bool) -> Rows:
    times = evaluate(content.measure, results).to_numpy()
    for label, selected in content.runs.items():
        chosen = select(selected, results)
        curve = kaplan_meier(times[chosen.positions], results.length[chosen.positions])
        for row in curve.itertuples():
            ends = row.share, row.low, row.high
            yield label, row.time, np.nan, *ends, len(chosen.positions), _selected(chosen, results)


def bars(content: Bars, results: Results, *, log: bool) -> Rows:
    values = evaluate(content.measure, results).to_numpy()
    for x, (label, selected) in enumerate(content.runs.items()):
        chosen = select(selected, results)
        value, low, high, num = _group(content.measure, chosen, results, log=log)
        yield label, x, np.nan, value, low, high, num, _selected(chosen, results)
        for seed, one in _by_seed(values[chosen.positions], chosen, results).items():
            yield label, x, seed, one, np.nan, np.nan, 1, _selected(chosen, results)


def heatmap(content: Heatmap, results: Results, *, log: bool) -> Rows:
    columns = select_each(dataclasses.replace(content.runs, best=()), content.x, results)
    for x in columns:
        column = dataclasses.replace(content.runs, where={**content.runs.where, content.x: x})
        for y, cell in select_each(column, content.y, results).items():
            value, low, high, num = _group(content.measure, cell, results, log=log)
            yield "", as_coordinate(x), as_coordinate(y), value, low, high, num, _selected(cell, results)


def cloud(content: Cloud, results: Results, *, log: bool) -> Rows:
    first, second = (evaluate(measure, results).to_numpy() for measure in (content.x, content.y))
    for label, selected in content.runs.items():
        chosen = select(selected, results)
        for i in chosen.positions:
            yield label, first[i], second[i], second[i], np.nan, np.nan, 1, _selected(chosen, results)
