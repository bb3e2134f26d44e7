"""Which runs are mirrored one by one: every seed of the settings at which claims and figures read an arm.

A claim that reads many settings of an arm reads its sweep, and the sweep has a W&B run of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from ..records.plans import Plan
from ..records.runs import Run

FEW_SETTINGS = 2  # of an arm, in one claim: more is a sweep
MAX_RUNS = 1000  # W&B draws no more in one workspace
AGAIN = "_again"  # of the name of an A/A arm


def selected_runs(
    plans: tuple[Plan, ...], verdicts: pd.DataFrame, scores: Mapping[str, float], *, room: int
) -> set[str]:
    """Return the ids of the selected runs, at most `room`: settings that claims read, then the best of each other arm.

    `scores` are the runs' selection metrics, smaller is better, NaN where there is none.
    """
    found = {run.id for plan in plans for run in _read_by_claims(plan, verdicts)}
    for plan in plans:
        for runs in _runs_by_arm(plan).values():
            own = [] if any(run.id in found for run in runs) or _is_again(plan, runs[0].arm) else _best(runs, scores)
            if own and len(found) + len(own) <= room:
                found |= {run.id for run in own}
    return found


def _read_by_claims(plan: Plan, verdicts: pd.DataFrame) -> Iterator[Run]:
    named = _named_settings(verdicts[verdicts["experiment"] == plan.experiment.path])
    for run in plan.runs.values():
        if (not run.settings and run.arm in named) or dict(run.settings) in named.get(run.arm, []):
            yield run


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
    for run in plan.runs.values():
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
