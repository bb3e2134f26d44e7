"""Which experiments of a scale to run in a given time: those with the most claims a minute that nobody has published yet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..records.jobs import duration
from ..records.plans import Plan
from ..spec import require
from .calibration import Calibration
from .forecast import wall_seconds
from .stacks import workload_of

UNITS = {"s": 1, "m": 60, "h": 3600}
TRAINING_SHARE = 0.85  # of a report's time; the rest is statistics, figures and text


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """An experiment of a scale: what it would tell, and the seconds of each of its stacks."""

    name: str
    num_claims: int
    seconds: tuple[float, ...]


def budget_seconds(text: str) -> float:
    """Return the seconds of "25m", "90s" or "8h"; ValueError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    require(found is not None, what="budget", must="it must be a number with s, m or h", got=text, do="try 25m")
    assert found
    return float(found[1]) * UNITS[found[2]]


def rows_of(
    plans: Mapping[str, Plan],
    calibration: Calibration,
    *,
    published: Iterable[str] = (),
    missing: Iterable[str] | None = None,
) -> list[Row]:
    """Return the experiments that make a claim and are not published, with the stacks that are `missing`, or all of them."""
    done, left = set(published), None if missing is None else set(missing)
    return [
        Row(
            name=name,
            num_claims=len(plan.experiment.claims),
            seconds=tuple(
                calibration.seconds(workload_of(stack))
                for key, stack in plan.stacks.items()
                if left is None or key in left
            ),
        )
        for name, plan in plans.items()
        if plan.experiment.claims and name not in done
    ]


def chosen(rows: Iterable[Row], *, seconds: float, num_devices: int) -> list[Row]:
    """Return rows that fit together, the most claims a second first; those that do not fit make room for later ones."""
    taken: list[Row] = []
    for row in sorted(rows, key=lambda row: sum(row.seconds) / row.num_claims):
        together = [second for other in (*taken, row) for second in other.seconds]
        if wall_seconds(together, num_devices) <= TRAINING_SHARE * seconds:
            taken.append(row)
    return taken


def published_experiments(folder: Path) -> set[str]:
    """Return the experiments of a folder of published tables, none where there is no such folder."""
    path = folder / "provenance.csv"
    if not path.is_file():
        return set()
    with path.open(encoding="utf-8", newline="") as file:
        return {line["experiment"] for line in csv.DictReader(file)}


def sentence(rows: list[Row], *, num_left: int, num_devices: int) -> str:
    """Return what was chosen, in a line; where nothing was, what to do."""
    if not rows:
        return f"none of {num_left} unpublished experiments fits into the budget; give more time, such as BUDGET=25m"
    wall = wall_seconds([second for row in rows for second in row.seconds], num_devices)
    claims = sum(row.num_claims for row in rows)
    return f"{len(rows)} of {num_left} unpublished experiments, {claims} claims, about {duration(wall)} of training"
