"""Which runs count: sweep values are chosen on validation data, by the mean over seeds, and never for a diverging setting.

Also `evaluate`: measures whose target is another arm's number need that arm's selected runs first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..spec import Best, Combine, Last, Measure, Over, Ranked, Reached, Selected, StepsTo, direction_of, require
from .measures import has_met, measure_runs
from .results import Results, as_coordinate, setting


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Positions of the chosen runs, the sweep values chosen for them, and what a reader must know about the choice."""

    positions: np.ndarray
    settings: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def settings_of(chosen: Chosen, results: Results) -> dict[str, float | int | str]:
    """Return path -> value of every swept setting that all of the chosen runs share: what was fixed or selected."""
    runs = [results.runs[i] for i in chosen.positions]
    if not runs:
        return {}
    paths = {path.rsplit(".", 1)[-1]: path for path in _swept_paths(results)}
    shared = [name for name in runs[0].settings if all(run.settings[name] == runs[0].settings[name] for run in runs)]
    return {(paths.get(name) or name): as_coordinate(runs[0].settings[name]) for name in shared}


def _swept_paths(results: Results) -> tuple[str, ...]:
    experiment = results.experiment
    return tuple(dict.fromkeys([*experiment.sweep, *(path for arm in experiment.arms for path in arm.sweep)]))


def evaluate(measure: Measure, results: Results) -> pd.Series:
    """Return the measure of every run, by run id, with targets of other arms filled in."""
    return results.remember(("measure", repr(measure)), lambda: measure_runs(resolve(measure, results), results))


def resolve(measure: Measure, results: Results) -> Measure:
    """Return the measure with `target_of` replaced by its number, in which meeting the target exactly counts."""
    match measure:
        case StepsTo(target_of=target_of) if target_of is not None:
            return _with_number(measure, results)
        case Reached():
            return dataclasses.replace(measure, measure=resolve(measure.measure, results))
        case Combine(first=first, second=second):
            other = second if second is None or isinstance(second, (int, float)) else resolve(second, results)
            return dataclasses.replace(measure, first=resolve(first, results), second=other)
    return measure


def _with_number(measure: StepsTo, results: Results) -> StepsTo:
    assert measure.target_of is not None
    arm, inner = measure.target_of
    selected = arm if isinstance(arm, Selected) else Selected(arm, best=swept(results, arm))
    values = evaluate(inner, results).iloc[select(selected, results).positions]
    target = float(values.mean())
    require(
        np.isfinite(target),
        what=f"target of {measure.metric!r} in {results.experiment.path!r}",
        must=f"the runs of arm {selected.arm!r} must have a mean to aim at",
        got=target,
    )
    if measure.above is not None or (
        measure.below is None and direction_of(results.experiment, measure.metric) == "max"
    ):
        target += measure.above or 0.0
        return StepsTo(measure.metric, above=float(np.nextafter(target, -np.inf)))
    return StepsTo(measure.metric, below=float(np.nextafter(target + (measure.below or 0.0), np.inf)))


def swept(results: Results, arm: str) -> tuple[str, ...]:
    """Return the sweep names of an arm."""
    return tuple(results.runs[_of_arm(results, arm)[0]].settings)


def select(selected: Selected, results: Results) -> Chosen:
    """Return the runs that a selection names; ValueError when there are none."""
    return results.remember(("selected", repr(selected)), lambda: _select(selected, results))


def select_each(selected: Selected, over: str, results: Results) -> dict[Hashable, Chosen]:
    """Return value -> runs, chosen separately for each value of a sweep, of a field of the training, or of a theory."""
    members: dict[Hashable, list[int]] = {}
    for i in _matching(selected, results):
        members.setdefault(setting(results.runs[i], over), []).append(i)
    values = sorted(members) if all(isinstance(value, (int, float)) for value in members) else list(members)  # pyright: ignore[reportArgumentType]
    if over in swept(results, selected.arm):
        fixed = {value: dataclasses.replace(selected, where={**selected.where, over: value}) for value in values}
        return {value: select(one, results) for value, one in fixed.items()}
    return {value: _within(selected, np.array(members[value]), results) for value in values}


def _within(selected: Selected, positions: np.ndarray, results: Results) -> Chosen:
    """Return the selection among the given runs only."""
    if selected.best_of is not None:
        chosen = select(selected, results)
        return dataclasses.replace(chosen, positions=np.intersect1d(chosen.positions, positions))
    return _best(selected, positions, results) if selected.best else Chosen(positions=positions, settings={})


def _select(selected: Selected, results: Results) -> Chosen:
    if selected.given is not None:
        return _given(selected.given, select(dataclasses.replace(selected, given=None), results), results)
    if selected.best_of is not None:
        other = select(dataclasses.replace(selected, arm=selected.best_of, best_of=None, times=1.0), results)
        settings = {name: _times(selected.times, value) for name, value in other.settings.items()}
        given = dataclasses.replace(selected, where={**selected.where, **settings}, best=(), best_of=None, times=1.0)
        return dataclasses.replace(select(given, results), settings=settings, notes=other.notes)
    return _within(selected, _matching(selected, results), results)


def _given(measure: Measure, chosen: Chosen, results: Results) -> Chosen:
    """Return, of the chosen runs, those of which a 0/1 measure holds, also if they diverge later; there may be none."""
    holds = has_met(resolve(measure, results), results)[chosen.positions]
    arm, kept = results.runs[chosen.positions[0]].arm, chosen.positions[holds]
    note = f"{arm}: given what must hold first, {len(kept)} of {len(holds)} runs count"
    return dataclasses.replace(chosen, positions=kept, notes=(*chosen.notes, note))


def _times(factor: float, value: Any) -> Any:
    return value if factor == 1.0 else factor * value


def _of_arm(results: Results, arm: str) -> list[int]:
    arms = results.remember("arms", lambda: [run.arm for run in results.runs])
    found = [i for i, name in enumerate(arms) if name == arm]
    require(
        bool(found),
        what=f"experiment {results.experiment.path!r}",
        must=f"arm {arm!r} must have runs",
        got=sorted(set(arms)),
    )
    return found


def _matching(selected: Selected, results: Results) -> np.ndarray:
    runs = _of_arm(results, selected.arm)
    sweeps = results.runs[runs[0]].settings
    what = f"runs of arm {selected.arm!r} in {results.experiment.path!r}"
    unknown = [name for name in (*selected.where, *selected.best) if name not in sweeps]
    require(not unknown, what=what, must=f"only {sorted(sweeps)} are swept and can be fixed or chosen", got=unknown)
    fixed = {
        name: _fixed(value, {results.runs[i].settings[name] for i in runs}) for name, value in selected.where.items()
    }
    where = fixed.items()
    found = [i for i in runs if all(results.runs[i].settings[name] == value for name, value in where)]
    require(
        bool(found),
        what=what,
        must=f"some must have {dict(where)}",
        got={name: sorted({repr(results.runs[i].settings[name]) for i in runs}) for name, _ in where},
        do="name values of this scale's sweep",
    )
    return np.array(found)


def _fixed(value: Any, swept: set[Any]) -> Any:
    if not isinstance(value, Ranked):
        return value
    ordered = sorted(swept)
    require(
        -len(ordered) <= value.position < len(ordered),
        what="Ranked",
        must=f"the position must be one among the values {ordered}",
        got=value.position,
    )
    return ordered[value.position]


def _best(selected: Selected, positions: np.ndarray, results: Results) -> Chosen:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i in positions.tolist():
        groups.setdefault(tuple(results.runs[i].settings[name] for name in selected.best), []).append(i)
    scores = selection_scores(results)
    ranks = {settings: _rank(scores[members]) for settings, members in groups.items()}
    best = min(ranks, key=ranks.__getitem__)
    notes = _edge_notes(selected, positions, best, results=results)
    if ranks[best][0]:
        notes = (f"{selected.arm}: every setting has diverged runs, the one with fewest is taken", *notes)
    return Chosen(positions=np.array(groups[best]), settings=dict(zip(selected.best, best, strict=True)), notes=notes)


def _rank(scores: np.ndarray) -> tuple[int, float]:
    """Return (failed runs, mean score): a setting with a failed run loses to every setting without one."""
    failed = np.isnan(scores)
    return int(failed.sum()), float(scores[~failed].mean()) if not failed.all() else np.inf


def selection_scores(results: Results) -> np.ndarray:
    """Return each run's selection metric, smaller is better; NaN for a diverged run."""
    selection = results.experiment.selection
    measures: dict[str, Measure] = {
        "last": Last(selection.metric),
        "best": Best(selection.metric, selection.which),
        "mean": Over(selection.metric, "mean"),
    }
    values = evaluate(measures[selection.at], results).to_numpy()
    usable = np.isfinite(values) & ~results.diverged
    return np.where(usable, values if selection.which == "min" else -values, np.nan)


def _edge_notes(
    selected: Selected, positions: np.ndarray, best: tuple[Any, ...], *, results: Results
) -> tuple[str, ...]:
    notes = []
    for name, value in zip(selected.best, best, strict=True):
        if at_edge(value, [results.runs[i].settings[name] for i in positions]):
            notes.append(f"{selected.arm}: best {name} at the edge of its grid")
    return tuple(notes)


def at_edge(value: Any, grid: list[Any]) -> bool:
    """Tell whether a number is the smallest or largest of a grid of at least two numbers."""
    if not all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in grid):
        return False
    return min(grid) < max(grid) and value in (min(grid), max(grid))
