"""Estimates over a sweep: slopes of a measure, or of its best setting, and the best setting itself.

A best setting is that of the mean over seeds, interpolated between the points of its grid: one seed's best point of a grid is
noise, and leans towards the grid's middle. Its error comes from leaving out one seed at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..spec import BestSetting, Measure, Selected, Slope, StepsTo, require
from .bounds import Parts, PerSeed, direction, last_look_before, paired, sample_per_seed
from .intervals import Interval, unknown
from .results import Results, number
from .samples import Sample, sample_of
from .selection import Chosen, evaluate, select_each, selection_scores

WIDTH = 2.1  # factor of a setting on either side that a parabola is fitted to


def slope(kind: Slope, results: Results) -> Parts:
    """Return the slope per seed, averaged. Points without a value, or a logarithm, are left out and counted."""
    groups = [chosen for selected in kind.runs for chosen in select_each(selected, kind.over, results).values()]
    positions = np.unique(np.concatenate([group.positions for group in groups]))
    points = _points(positions, kind.over, results)
    if kind.argbest is not None and kind.crosses is None:
        return _slope_of_optima(points, kind, groups, results=results)
    if kind.argbest is None:
        require(kind.measure is not None, what="Slope", must="a measure or argbest must be given", got=None)
        assert kind.measure is not None
        values = evaluate(kind.measure, results).to_numpy()[positions]
        if isinstance(kind.measure, StepsTo):  # reached somewhere between two looks
            values = (values + last_look_before(kind.measure.metric, values, positions, results=results)) / 2
        points, notes = points.assign(y=values), []
    else:
        points, notes = _crossings(points, kind, results=results)
    return _mean_slope(points, kind, notes=notes), groups, notes


def _slope_of_optima(points: pd.DataFrame, kind: Slope, groups: list[Chosen], *, results: Results) -> Parts:
    """Return the slope of the setting at which the mean over seeds is best, each optimum interpolated, by the jackknife."""
    assert kind.argbest is not None
    scores = selection_scores(results) if kind.measure is None else _scores(kind.measure, results)
    points = points.assign(
        score=scores[points["position"]], setting=[number(results.runs[i], kind.argbest) for i in points["position"]]
    )
    tables = {x: one.pivot_table(index="seed", columns="setting", values="score") for x, one in points.groupby("x")}
    x = np.array(sorted(tables), dtype=float)  # pyright: ignore[reportArgumentType]
    valleys = [Valley.around(tables[one].to_numpy().mean(axis=0), tables[one].columns.to_numpy(float)) for one in x]

    def slope(kept: np.ndarray) -> float:
        scores = [tables[one].loc[kept].to_numpy().mean(axis=0) for one in x]
        best = np.array([valley.bottom(score) for valley, score in zip(valleys, scores, strict=True)])
        across, along = (np.log(x) if kind.log_x else x), (best if kind.log_y else np.exp(best))
        return float(np.polyfit(across, along, 1)[0])

    seeds = sorted(set.intersection(*(set(table.index) for table in tables.values())))
    outer = sum(valley.edge != 0 for valley in valleys)
    notes = [f"{outer} of {len(valleys)} best {kind.argbest} at the edge of their grid"] if outer else []
    values = jackknife(slope, np.array(seeds))
    return sample_of("mean", up=outer > 0, down=outer > 0, value=values), groups, notes


def jackknife(statistic: Callable[[np.ndarray], float], seeds: np.ndarray) -> np.ndarray:
    """Return a number per seed, whose mean is the statistic and whose spread is that of the jackknife (Tukey 1958)."""
    whole = statistic(seeds)
    if len(seeds) < 2:
        return np.array([whole])
    without = np.array([statistic(np.delete(seeds, i)) for i in range(len(seeds))])
    return whole - (len(seeds) - 1) * (without - without.mean())


@dataclass(frozen=True, kw_only=True, slots=True)
class Valley:
    """Where the lowest point of a grid and those near it lie, over the setting's logarithm; the same for every half sample.

    `edge`: -1 or 1 where the lowest point is the grid's first or last, else 0. What is near is the grid's next point, and
    others within a factor of WIDTH: a parabola through more is bent by what happens far away.
    """

    near: np.ndarray
    logs: np.ndarray
    lowest: float
    edge: int

    @classmethod
    def around(cls, scores: np.ndarray, grid: np.ndarray) -> Valley:
        filled = np.where(np.isfinite(scores), scores, np.inf)
        place, last = int(np.argmin(filled)), len(grid) - 1
        edge = 0 if not np.isfinite(filled[place]) else -1 if place == 0 else 1 if place == last else 0
        inside = np.isfinite(filled) & (grid > grid[place] / WIDTH) & (grid < grid[place] * WIDTH)
        inside[max(place - 1, 0) : place + 2] = np.isfinite(filled[max(place - 1, 0) : place + 2])
        near = np.flatnonzero(inside) if edge == 0 and np.isfinite(filled[place]) else np.array([], dtype=int)
        surrounded = len(near) > 0 and near[0] < place < near[-1]
        near = near if surrounded else np.array([], dtype=int)
        return cls(near=near, logs=np.log(grid[near]), lowest=math.log(grid[place]), edge=edge)

    def bottom(self, scores: np.ndarray) -> float:
        """Return the logarithm of the lowest point: that of the parabola through three points, of a cubic fitted to more.

        Losses rise faster above their best rate than below: a parabola through more than three would be tilted by that. It is
        the grid's own point where there is nothing to interpolate: at an edge, beside a setting without a score, in no valley.
        """
        if not len(self.near):
            return self.lowest
        centred = self.logs - self.lowest
        for degree in (3, 2) if len(self.near) > 4 else (2,):
            slope = np.polynomial.Polynomial(np.polyfit(centred, scores[self.near], degree)[::-1]).deriv()
            flat = slope.roots()
            bottoms = flat[np.isreal(flat) & (slope.deriv()(flat) > 0)].real
            inside = bottoms[(bottoms >= centred[0]) & (bottoms <= centred[-1])]
            if len(inside):
                return self.lowest + float(inside[0])
        return self.lowest


def _points(positions: np.ndarray, over: str, results: Results) -> pd.DataFrame:
    x = [number(results.runs[i], over) for i in positions]
    return pd.DataFrame({"position": positions, "seed": [results.runs[i].seed for i in positions], "x": x})


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
    values = evaluate(measure, results).to_numpy() * (direction(measure, results) or 1)
    return np.where(np.isfinite(values), values, np.nan)


def _mean_slope(points: pd.DataFrame, kind: Slope, *, notes: list[str]) -> Sample:
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
    return sample_of("mean", value=np.array(slopes))


def best_setting(kind: BestSetting, results: Results) -> Parts:
    """Return the geometric mean of the best setting, or of its ratio to the baseline's.

    A best value at the edge of the grid is a bound: the interval is open towards the values that were not tried.
    """
    values, groups = _best_per_seed(kind, kind.measure, kind.runs, which=kind.which, results=results)
    if kind.baseline is not None:
        measure, which = kind.baseline_measure or kind.measure, kind.baseline_which or kind.which
        base, more = _best_per_seed(kind, measure, kind.baseline, which=which, results=results)
        values, _ = paired(values, base, formula=lambda a, b: a / b)
        groups += more
    notes = list(values.notes)
    return (certain_between(values) if kind.exact else sample_per_seed(values, "geometric mean")), groups, notes


def certain_between(values: PerSeed) -> Interval:
    """Return where a deterministic best setting lies: between two points of its grid, whatever the start (the seed)."""
    table = values.table
    if table.empty or values.lost or table["up"].any() or table["down"].any():
        return unknown("no best setting inside the grid for every start")
    middle = float(np.exp(np.log(table["value"]).mean()))
    return Interval(effect=middle, low=float(table["low"].min()), high=float(table["high"].max()))


def _best_per_seed(
    kind: BestSetting, measure: Measure, selected: Selected, *, which: str, results: Results
) -> tuple[PerSeed, list[Chosen]]:
    groups = list(select_each(selected, kind.setting, results).values())
    points = _points(np.unique(np.concatenate([group.positions for group in groups])), kind.setting, results)
    points["y"] = evaluate(measure, results).to_numpy()[points["position"]]
    scores = points.pivot_table(index="seed", columns="x", values="y", dropna=False)
    grid = scores.columns.to_numpy(float)
    if which == "largest_reached":
        rows = [_largest_reached(one, grid) for one in scores.to_numpy() == 1.0]
        table = pd.DataFrame(rows, index=scores.index, columns=["value", "low", "high", "up", "down"])
        edges = int((table["up"] | table["down"]).sum())
    else:
        table, edge = _optimum_per_seed(scores * (1.0 if which == "min" else -1.0), grid, exact=kind.exact)
        edges = len(table) if edge else 0
    found = table[table["value"].notna()].astype({"up": bool, "down": bool})
    notes = _edge_notes(selected, kind.setting, edges=edges, total=len(table), lost=len(table) - len(found))
    return PerSeed(table=found, lost=len(found) < len(table), notes=notes), groups


def _largest_reached(reached: np.ndarray, grid: np.ndarray) -> tuple[float, float, float, bool, bool]:
    """Return (middle, low, high, up, down) of the largest setting that works: from the last that did to the next."""
    places = np.flatnonzero(reached)
    if not len(places):
        return float(grid[0]), float(grid[0]), float(grid[0]), False, True
    last = int(places[-1])
    if last == len(grid) - 1:
        return float(grid[-1]), float(grid[-1]), float(grid[-1]), True, False
    low, high = float(grid[last]), float(grid[last + 1])
    return math.sqrt(low * high), low, high, False, False


def _optimum_per_seed(scores: pd.DataFrame, grid: np.ndarray, *, exact: bool) -> tuple[pd.DataFrame, bool]:
    """Return the optimum of the mean over seeds as one pseudo-value a seed (see `jackknife`), and whether it is an edge."""
    if exact:
        values = np.array([grid[int(np.nanargmin(one))] for one in scores.to_numpy()])
        return pd.DataFrame({"value": values, "low": values, "high": values, "up": False, "down": False}), False
    table = scores.to_numpy()
    if not np.isfinite(table).any():
        lost = np.full(len(table), np.nan)
        return pd.DataFrame(
            {"value": lost, "low": lost, "high": lost, "up": True, "down": True}, index=scores.index
        ), False

    valley = Valley.around(table.mean(axis=0), grid)
    values = np.exp(jackknife(lambda kept: valley.bottom(table[kept].mean(axis=0)), np.arange(len(table))))
    ends = {"value": values, "low": values, "high": values, "up": valley.edge > 0, "down": valley.edge < 0}
    return pd.DataFrame(ends, index=scores.index), valley.edge != 0


def _edge_notes(selected: Selected, setting: str, *, edges: int, total: int, lost: int) -> tuple[str, ...]:
    counts = (
        (edges, f"best {setting} at the edge of its grid"),
        (lost, f"no best {setting}: every run diverged"),
    )
    return tuple(f"{selected.arm}: {what} in {count} of {total} seeds" for count, what in counts if count)
