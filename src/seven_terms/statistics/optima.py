"""Estimates over a sweep: slopes of a measure, or of its best setting, and the best setting itself, per seed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ..spec import BestSetting, Measure, Selected, Slope, require
from .bounds import PerSeed, bounded_interval, direction, paired
from .intervals import Interval, student, student_log
from .results import Results, number
from .selection import Chosen, evaluate, select_each, selection_scores

Parts = tuple[Interval, list[Chosen], list[str]]


def estimate_slope(kind: Slope, results: Results) -> Parts:
    """Return the slope per seed, averaged. Points without a value, or a logarithm, are left out and counted."""
    groups = [chosen for selected in kind.runs for chosen in select_each(selected, kind.over, results).values()]
    positions = np.unique(np.concatenate([group.positions for group in groups]))
    points = _points(positions, kind.over, results)
    if kind.argbest is None:
        require(kind.measure is not None, what="Slope", must="a measure or argbest must be given", got=None)
        assert kind.measure is not None
        points["y"] = evaluate(kind.measure, results).to_numpy()[positions]
        notes = []
    else:
        points, notes = (_optima if kind.crosses is None else _crossings)(points, kind, results=results)
    return _mean_slope(points, kind, notes=notes), groups, notes


def _points(positions: np.ndarray, over: str, results: Results) -> pd.DataFrame:
    x = [number(results.runs[i], over) for i in positions]
    return pd.DataFrame({"position": positions, "seed": [results.runs[i].seed for i in positions], "x": x})


def _optima(points: pd.DataFrame, kind: Slope, *, results: Results) -> tuple[pd.DataFrame, list[str]]:
    assert kind.argbest is not None
    scores = selection_scores(results) if kind.measure is None else _scores(kind.measure, results)
    points = points.assign(
        score=scores[points["position"]],
        y=[number(results.runs[i], kind.argbest) for i in points["position"]],
    )
    edges = points.groupby("x")["y"].agg(["min", "max"])
    usable = points[points["score"].notna()]
    best = usable.loc[usable.groupby(["seed", "x"])["score"].idxmin()]
    grid = edges.loc[best["x"]]
    outer = (best["y"].to_numpy() == grid["min"]) | (best["y"].to_numpy() == grid["max"])
    notes = [f"{int(outer.sum())} of {len(best)} best {kind.argbest} at the edge of their grid"] if outer.any() else []
    return best, notes


def _crossings(points: pd.DataFrame, kind: Slope, *, results: Results) -> tuple[pd.DataFrame, list[str]]:
    """Return, per seed and x, the setting at which the measure falls below the level; the grid's end if it does not."""
    assert kind.argbest is not None
    assert kind.measure is not None
    assert kind.crosses is not None
    points = points.assign(
        value=evaluate(kind.measure, results).to_numpy()[points["position"]],
        setting=[number(results.runs[i], kind.argbest) for i in points["position"]],
    )
    rows, outer = [], 0
    for (seed, x), one in points.groupby(["seed", "x"]):
        values = one.groupby("setting")["value"].max()
        y, inside = _crossing(values.index.to_numpy(), values.to_numpy(), level=kind.crosses)
        rows.append({"seed": seed, "x": x, "y": y})
        outer += not inside
    notes = [f"{outer} of {len(rows)} {kind.argbest} beyond their grid"] if outer else []
    return pd.DataFrame(rows), notes


def _crossing(grid: np.ndarray, values: np.ndarray, *, level: float) -> tuple[float, bool]:
    """Return (setting, whether it lies inside the grid); a missing value, of a diverged run, is below every level."""
    reached = np.flatnonzero(values >= level)
    if len(reached) == 0 or reached[-1] == len(grid) - 1:
        return float(grid[0 if len(reached) == 0 else -1]), False
    last = int(reached[-1])
    below = values[last + 1] if np.isfinite(values[last + 1]) else -np.inf
    share = (values[last] - level) / (values[last] - below)
    return float(grid[last] * (grid[last + 1] / grid[last]) ** share), True


def _scores(measure: Measure, results: Results) -> np.ndarray:
    values = evaluate(measure, results).to_numpy() * (direction(measure) or 1)
    return np.where(np.isfinite(values), values, np.nan)


def _mean_slope(points: pd.DataFrame, kind: Slope, *, notes: list[str]) -> Interval:
    keep = np.isfinite(points["y"]) & ((points["y"] > 0) | (not kind.log_y)) & ((points["x"] > 0) | (not kind.log_x))
    if not keep.all():
        notes.append(f"{int((~keep).sum())} of {len(keep)} points have no value and are left out")
    means = points[keep].groupby(["seed", "x"])["y"].mean().reset_index()
    x = np.log(means["x"]) if kind.log_x else means["x"]
    y = np.log(means["y"]) if kind.log_y else means["y"]
    per = pd.DataFrame({"seed": means["seed"], "x": x, "y": y})
    slopes = [np.polyfit(one["x"], one["y"], 1)[0] for _, one in per.groupby("seed") if one["x"].nunique() > 1]
    short = points["seed"].nunique() - len(slopes)
    if short:
        notes.append(f"{short} of {points['seed'].nunique()} seeds have fewer than two points and no slope")
    return student(np.array(slopes))


def estimate_best_setting(kind: BestSetting, results: Results) -> Parts:
    """Return the geometric mean of the best setting, or of its ratio to the baseline's.

    A best value at the edge of the grid is a bound: the interval is open towards the values that were not tried.
    """
    values, groups = _best_per_seed(kind.measure, kind.runs, setting=kind.setting, mode=kind.mode, results=results)
    if kind.baseline is not None:
        measure, mode = kind.baseline_measure or kind.measure, kind.baseline_mode or kind.mode
        base, more = _best_per_seed(measure, kind.baseline, setting=kind.setting, mode=mode, results=results)
        values, _ = paired(values, base, formula=lambda a, b: a / b)
        groups += more
    return bounded_interval(values, student_log, floor=0.0), groups, list(values.notes)


def _best_per_seed(
    measure: Measure, selected: Selected, *, setting: str, mode: str, results: Results
) -> tuple[PerSeed, list[Chosen]]:
    groups = list(select_each(selected, setting, results).values())
    points = _points(np.unique(np.concatenate([group.positions for group in groups])), setting, results)
    points["y"] = evaluate(measure, results).to_numpy()[points["position"]]
    grid = sorted(points["x"].unique())
    rows = {seed: _best_of_seed(one, grid, mode=mode) for seed, one in points.groupby("seed")}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "up", "down"])
    found = table[table["value"].notna()].astype({"value": float, "up": bool, "down": bool})
    return PerSeed(table=found, lost=len(found) < len(table), notes=_edge_notes(selected, setting, table)), groups


def _best_of_seed(points: pd.DataFrame, grid: list[float], *, mode: str) -> tuple[float, bool, bool]:
    """Return (value, whether the truth may be larger, whether it may be smaller)."""
    if mode == "largest_reached":
        reached = points.loc[points["y"] == 1.0, "x"]
        return (grid[0], False, True) if reached.empty else (reached.max(), reached.max() == grid[-1], False)
    scores = points.groupby("x")["y"].mean() * (1.0 if mode == "min" else -1.0)
    scores = scores[np.isfinite(scores)]
    if scores.empty:
        return np.nan, True, True
    best = float(scores.idxmin())
    return best, best == grid[-1], best == grid[0]


def _edge_notes(selected: Selected, setting: str, table: pd.DataFrame) -> tuple[str, ...]:
    counts: Iterable[tuple[int, str]] = (
        (
            int((table["value"].notna() & (table["up"] | table["down"])).sum()),
            f"best {setting} at the edge of its grid",
        ),
        (int(table["value"].isna().sum()), f"no best {setting}: every run diverged"),
    )
    return tuple(f"{selected.arm}: {what} in {count} of {len(table)} seeds" for count, what in counts if count)
