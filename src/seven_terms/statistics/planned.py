"""The seeds of each claim: had, needed by a power calculation at its margin, and planned at scale full; a table of its own.

The experiments of scale full take their numbers of seeds from this table of scale laptop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from ..records.tables import POWER
from ..spec import Claim, Experiment, Scale, Selected, selections_in
from .judges import rule_of
from .power import MOST, margin_and_spread
from .samples import read_sample

PLANNED: Scale = "full"


def power_table(verdicts: pd.DataFrame, experiments: Iterable[Experiment]) -> pd.DataFrame:
    """Return a row for each claim that has a sample of seeds, in the order of the verdicts."""
    planned = dict(_planned(experiments))
    rows = [_row(row, planned) for row in verdicts.to_dict("records")]  # pyright: ignore[reportArgumentType]
    return pd.DataFrame([row for row in rows if row], columns=list(POWER))


def _row(row: dict[str, Any], planned: dict[str, int]) -> dict[str, Any] | None:
    sample = read_sample(row["sample"])
    if sample is None or math.isnan(row["num_tests"]):
        return None
    key = f"{row['claim']} ({row['form']})" if row["form"] else row["claim"]
    margin, spread = margin_and_spread(sample, rule_of(row["rule_low"], row["rule_high"]))
    kept = (
        "claim",
        "form",
        "experiment",
        "family",
        "rule",
        "verdict",
        "effect",
        "num_tests",
        "num_seeds",
        "seeds_needed",
    )
    found = {name: row[name] for name in kept} | {"margin": margin, "spread": spread}
    return found | {"full_seeds": planned.get(key, math.nan), "reason": _reason(row["seeds_needed"], planned.get(key))}


def _reason(needed: float, planned: int | None) -> str:
    if planned is None or math.isnan(needed) or planned >= needed:
        return ""
    if needed >= MOST:
        return (
            "no number of seeds decides an effect at its threshold, an interval that is open towards it, "
            "or one that grid or looks leave so wide that it holds the threshold"
        )
    return f"the effect lies so near the threshold that {needed:,.0f} seeds are needed"


def _planned(experiments: Iterable[Experiment]) -> Iterator[tuple[str, int]]:
    """Yield claim key -> seeds at scale full: the fewest of the arms that its estimate reads."""
    for experiment in experiments:
        if not experiment.runs_at(PLANNED):
            continue
        there = experiment.at_scale(PLANNED)
        arms = {arm.name: arm for arm in there.arms}
        for claim in there.claims:
            read = list(selections_in(claim.estimate))
            yield claim.key, min(there.seeds_of(arms[one.arm], _by_path(arms[one.arm].seeds_at, one)) for one in read)


def _by_path(paths: Iterable[str], selected: Selected) -> dict[str, Any]:
    """Return the values that a selection fixes, of those at the given paths; it names them by the paths' last parts."""
    return {path: selected.where.get(path.rsplit(".", 1)[-1]) for path in paths}


def arms_of(claim: Claim) -> set[str]:
    """Return the arms whose runs a claim's estimate reads."""
    return {one.arm for one in selections_in(claim.estimate)}
