"""Regret: what a cheap way to pick a setting costs against the best value of the full grid, per seed."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..spec import Regret
from .bounds import paired, per_seed, sample_per_seed
from .results import Results, number
from .samples import Sample
from .selection import Chosen, evaluate, select, select_each


def regret(kind: Regret, results: Results) -> tuple[Sample, list[Chosen], list[str]]:
    """Return measure(picked) - measure(best), the runs behind it, and how many picks lay outside the grid or had no value."""
    picked, outside, missing = _picked_runs(kind, results)
    best = select(dataclasses.replace(kind.runs, best=(kind.setting,)), results)
    groups = [picked, best]
    values, _ = paired(*per_seed(kind.measure, groups, results), formula=lambda a, b: a - b)
    if outside:
        values = dataclasses.replace(values, table=values.table.assign(up=True))
    if missing:
        values = dataclasses.replace(values, lost=True)
    counts = {"picks lie outside the grid": outside, "picks have no value": missing}
    notes = [f"{count} {what}" for what, count in counts.items() if count]
    return sample_per_seed(values, "mean"), [*groups, select(kind.picks, results)], [*values.notes, *notes]


def _picked_runs(kind: Regret, results: Results) -> tuple[Chosen, int, int]:
    """Return each seed's run at the grid value nearest to its pick; how many picks were outside; how many missing."""
    groups = select_each(kind.runs, kind.setting, results).values()
    positions = np.concatenate([group.positions for group in groups])
    grid = np.log([number(results.runs[i], kind.setting) for i in positions])
    seeds = np.array([results.runs[i].seed for i in positions])
    picks = evaluate(kind.picked, results).to_numpy()
    found, outside, missing = [], 0, 0
    for i in select(kind.picks, results).positions:
        own = seeds == results.runs[i].seed
        if not picks[i] > 0 or not own.any():
            missing += 1
            continue
        pick = float(np.log(picks[i]))
        outside += not grid[own].min() - 1e-9 <= pick <= grid[own].max() + 1e-9
        found.append(positions[own][np.argmin(np.abs(grid[own] - pick))])
    return Chosen(positions=np.array(found, dtype=int), settings={}), outside, missing
