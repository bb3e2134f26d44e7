"""Did a repetition agree with what is published? Claim by claim: the same bits, within the interval, moved, or flipped."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..spec import require
from .inputs import read_verdicts
from .sentences import said

SAME, WITHIN, MOVED, FLIPPED = "same bits", "within its interval", "moved", "flipped"
OUTCOMES = (SAME, WITHIN, MOVED, FLIPPED)
ROUNDING = 1e-9  # relative: how far an effect without an interval may be off and still be the published one
OF_THE_ROOM = 0.01  # or this share of its distance from its rule: an effect may be a rounding error itself


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """One claim of both: how ours stands to the published one, with both effects and verdicts."""

    key: str
    outcome: str
    ours: pd.Series
    published: pd.Series


def agree(results_dir: Path, published_dir: Path) -> tuple[Agreement, ...]:
    """Return one agreement for each claim that both have; ValueError where they have none in common."""
    ours, published = read_verdicts(results_dir), read_verdicts(published_dir)
    common = [key for key in published.index if key in ours.index]
    what = f"results {str(results_dir)!r}"
    require(bool(common), what=what, must=f"must share a claim with {str(published_dir)!r}", got="none")
    return tuple(_agreement(str(key), ours.loc[key], published.loc[key]) for key in common)


def _agreement(key: str, ours: pd.Series, published: pd.Series) -> Agreement:
    return Agreement(key=key, outcome=outcome(ours, published), ours=ours, published=published)


def outcome(ours: pd.Series, published: pd.Series) -> str:
    """Return how our row stands to the published one: another verdict counts as flipped, whatever the effect."""
    if said(ours["verdict"]) != said(published["verdict"]):
        return FLIPPED
    if all(
        ours[name] == published[name] or (pd.isna(ours[name]) and pd.isna(published[name]))
        for name in ("effect", "low", "high")
    ):
        return SAME
    slack = _slack(published)
    is_within = published["low"] - slack <= ours["effect"] <= published["high"] + slack
    return WITHIN if is_within else MOVED


def _slack(published: pd.Series) -> float:
    """Return how far outside the published interval an effect still counts as within it.

    Another processor adds in another order. An identity that holds up to 1e-15 here holds up to 2e-15 there, under a rule
    of 1e-12: twice as much, and nothing to the verdict.
    """
    slack = ROUNDING * abs(published["effect"])
    room = min(abs(published["effect"] - published[name]) for name in ("rule_low", "rule_high"))
    if published["low"] < published["high"] or not math.isfinite(room):
        return slack
    return max(slack, OF_THE_ROOM * room)


def is_repeated(found: Iterable[Agreement]) -> bool:
    """Return whether no claim moved or flipped."""
    return all(one.outcome in (SAME, WITHIN) for one in found)


def agreement_lines(found: tuple[Agreement, ...]) -> list[str]:
    """Return the counts, and a line for each claim that is not the published one to the bit."""
    counts = ", ".join(f"{sum(one.outcome == name for one in found)} {name}" for name in OUTCOMES)
    lines = [
        f"{one.outcome:<20} {one.key:<28} {one.ours['effect']:.4g} ({one.ours['verdict']}), published "
        f"{one.published['effect']:.4g} [{one.published['low']:.4g}, {one.published['high']:.4g}] ({one.published['verdict']})"
        for one in sorted(found, key=lambda one: -OUTCOMES.index(one.outcome))
        if one.outcome != SAME
    ]
    return [*lines, f"{len(found)} claims: {counts}."]
