"""Which runs are mirrored one by one: every seed of the settings at which claims and figures read an arm.

A claim that reads many settings of an arm reads its sweep, and the sweep has a W&B run of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from ..records.plans import Plan
from ..records.runs import Run
from ..spec import Selected

FEW_SETTINGS = 2  # of an arm, in one claim: more is a sweep
MAX_RUNS = 1000  # W&B draws no more in one workspace
AGAIN = "_again"  # of the name of an A/A arm


def selected_runs(
    plans: tuple[Plan, ...],
    verdicts: pd.DataFrame,
    scores: Mapping[str, float],
    *,
    summaries: Mapping[str, pd.DataFrame] = MappingProxyType({}),
    room: int,
) -> set[str]:
    """Return the ids of the selected runs, at most `room`: settings that claims or figures read, then the best of other arms.

    `scores` are the runs' selection metrics, smaller is better, NaN where there is none. Where what is read has more
    runs than there is room for, each setting keeps its first seeds. `summaries`: what the figures show, by experiment.
    """
    read: list[Run] = []
    for plan in plans:
        named = _named_settings(verdicts[verdicts["experiment"] == plan.experiment.path])
        for arm, settings in _shown_settings(plan, summaries.get(plan.experiment.path)).items():
            named.setdefault(arm, []).extend(settings)
        read += _read(plan, named)
    found = _first_seeds(read, room=room)
    for plan in plans:
        for runs in _runs_by_arm(plan).values():
            own = [] if any(run.id in found for run in runs) or _is_again(plan, runs[0].arm) else _best(runs, scores)
            if own and len(found) + len(own) <= room:
                found |= {run.id for run in own}
    return found


def _read(plan: Plan, named: Mapping[str, list[dict[str, Any]]]) -> Iterator[Run]:
    for run in plan.every_run:
        if (not run.settings and run.arm in named) or dict(run.settings) in named.get(run.arm, []):
            yield run


def _first_seeds(runs: list[Run], *, room: int) -> set[str]:
    """Return the ids of at most `room` runs: of every setting its first seeds, as many as have room."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.experiment, run.arm, json.dumps(dict(run.settings), sort_keys=True)), []).append(run)
    ranked = [(rank, run.id) for group in groups.values() for rank, run in enumerate(group)]
    return {run_id for _, run_id in sorted(ranked, key=lambda pair: pair[0])[:room]}


def _shown_settings(plan: Plan, summary: pd.DataFrame | None) -> dict[str, list[dict[str, Any]]]:
    """Return arm -> the settings, by short name, at which figures show single series of it."""
    found: dict[str, list[dict[str, Any]]] = {}
    if summary is None:
        return found
    for (figure, panel, series), rows in summary.groupby(["figure", "panel", "series"], sort=False):
        texts = [text for text in rows["selected"].dropna().unique() if text]
        arm = _arm_of(plan, str(figure), int(str(panel)), str(series))
        if arm is not None and len(texts) <= FEW_SETTINGS:
            settings = [{short(path): value for path, value in json.loads(text).items()} for text in texts]
            found.setdefault(arm, []).extend(settings)
    return found


def _arm_of(plan: Plan, figure: str, panel: int, series: str) -> str | None:
    """Return the arm that a series of a figure shows, None where a series is no single selection."""
    panels = next((one.panels for one in plan.experiment.figures if one.name == figure), ())
    runs = getattr(panels[panel].content, "runs", None) if panel < len(panels) else None
    chosen = runs.get(series) if isinstance(runs, Mapping) else None
    return chosen.arm if isinstance(chosen, Selected) else None


def _named_settings(verdicts: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return arm -> the settings, by short name, at which claims read it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for text in verdicts["selected"]:
        for arm, given in json.loads(text or "{}").items():
            settings = given if isinstance(given, list) else [given]
            few = settings if len(settings) <= FEW_SETTINGS else []
            found.setdefault(arm, []).extend({short(path): value for path, value in one.items()} for one in few)
    return found


def short(path: str) -> str:
    """Return the name that a swept path has in a run's settings."""
    return path.rsplit(".", 1)[-1]


def _runs_by_arm(plan: Plan) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in plan.every_run:
        found.setdefault(run.arm, []).append(run)
    return found


def _is_again(plan: Plan, arm: str) -> bool:
    return arm == f"{plan.experiment.noise_floor_arm}{AGAIN}"


def _best(runs: list[Run], scores: Mapping[str, float]) -> list[Run]:
    """Return the runs of the setting with the best mean score, a failed run losing to none."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(json.dumps(dict(run.settings), sort_keys=True), []).append(run)
    return min(groups.values(), key=lambda group: _rank([scores[run.id] for run in group]))


def _rank(scores: list[float]) -> tuple[int, float]:
    known = [score for score in scores if score == score]
    return len(scores) - len(known), sum(known) / len(known) if known else float("inf")
