"""Claims judged together: seeds pooled, Holm's correction within each family, and the interval that decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..records.tables import VERDICTS
from .intervals import TAIL, Interval
from .judges import INCONCLUSIVE, SIGNIFICANCE, holm, judge, p_value, rule_of
from .power import seeds_needed
from .samples import LOGARITHMIC, Sample, heterogeneity, pooled, read_sample

PRIMARY = "primary"
BESIDE = "B-"  # ids of what others say, beside the statements under test


def family_of(claim: str, term: str) -> str:
    """Return the family of a claim: the statements under test are one over all terms, what others say is one by term."""
    return term if claim.startswith(BESIDE) else PRIMARY


def judged(claims: pd.DataFrame, others: Mapping[tuple[str, str, str], Sample]) -> pd.DataFrame:
    """Return the verdicts of raw claims; `others` are samples of a second set of seeds, by claim, form and definition."""
    rows = [_pooled(row, others) for row in claims.to_dict("records")]  # pyright: ignore[reportArgumentType]
    families = [family_of(row["claim"], row["term"]) for row in rows]
    for name in dict.fromkeys(families):
        own = [row for row, family in zip(rows, families, strict=True) if family == name]
        adjusted, tests = holm([row["p_value"] for row in own])
        for row, p_holm, num_tests in zip(own, adjusted, tests, strict=True):
            _judge(row, family=name, p_holm=float(p_holm), num_tests=float(num_tests))
    return pd.DataFrame(rows, columns=list(VERDICTS))


def _pooled(row: dict[str, Any], others: Mapping[tuple[str, str, str], Sample]) -> dict[str, Any]:
    """Return a claim's row with the numbers of both sets of seeds, where there are two."""
    own, other = read_sample(row["sample"]), others.get((row["claim"], row["form"], row["definition"]))
    row = {**row, "heterogeneity": math.nan}
    if own is None or other is None or own.method != other.method:
        return row
    sample = pooled(own, other)
    interval, rule = sample.interval(), rule_of(row["rule_low"], row["rule_high"])
    differ = heterogeneity(own.interval(), other.interval(), logarithmic=own.method in LOGARITHMIC)
    notes = [row["note"], f"pooled with a second set of {other.size} seeds"]
    if differ < SIGNIFICANCE:
        notes.append(f"the two sets differ (p = {differ:.2g})")
    numbers = {
        "effect": interval.effect,
        "low": interval.low,
        "high": interval.high,
        "p_value": p_value(rule, interval),
    }
    return (
        row
        | numbers
        | {
            "verdict": judge(rule, interval, condition=row["condition"]),
            "num_seeds": row["num_seeds"] + other.size,
            "heterogeneity": differ,
            "note": "; ".join(note for note in notes if note),
            "sample": sample.text(),
        }
    )


def _judge(row: dict[str, Any], *, family: str, p_holm: float, num_tests: float) -> None:
    """Decide a claim by the interval at its level in the family; without a sample by the adjusted p-value."""
    alone, sample = row["verdict"], read_sample(row["sample"])
    row |= {"family": family, "p_holm": p_holm, "num_tests": num_tests, "seeds_needed": math.nan}
    row |= {"low_alone": row["low"], "high_alone": row["high"]}
    if sample is not None and not math.isnan(num_tests):
        rule = rule_of(row["rule_low"], row["rule_high"])
        interval: Interval = sample.interval().at(TAIL / num_tests)
        row |= {
            "low": interval.low,
            "high": interval.high,
            "verdict": judge(rule, interval, condition=row["condition"]),
        }
        row["seeds_needed"] = seeds_needed(sample, rule, num_tests=num_tests)
    elif not np.isnan(p_holm) and p_holm > SIGNIFICANCE:
        row["verdict"] = INCONCLUSIVE
    if row["verdict"] != alone:
        note = f"{alone} alone, but p = {p_holm:.2g} after Holm's correction over its family"
        row["note"] = "; ".join(part for part in (row["note"], note) if part)
