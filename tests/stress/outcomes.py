"""What an attack ended in, and the table of all attacks."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# In this order in the table. An attack may end in the first four; each of the others is a mistake of the suite.
GOOD = ("noticed", "same bytes", "refused in a sentence", "planned or trained")
BAD = ("other bytes, silently", "not made again", "traceback", "no end")
OUTCOMES = (*GOOD, *BAD)


@dataclass(frozen=True, slots=True)
class Trial:
    """One attack: its kind, what it hit, and what it ended in (one of OUTCOMES)."""

    attack: str
    on: str
    outcome: str
    told: str = ""  # of a bad one, what was seen


def counted(trials: Iterable[Trial]) -> dict[tuple[str, str], Counter[str]]:
    """Return how often each attack on each thing ended in what."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for one in trials:
        assert one.outcome in OUTCOMES, one.outcome
        found.setdefault((one.attack, one.on), Counter())[one.outcome] += 1
    return found


def markdown(trials: Iterable[Trial]) -> str:
    lines = ["| attack | on | times | what happened |", "|---|---|---|---|"]
    for (attack, on), counts in counted(trials).items():
        ends = "; ".join(f"{name} {counts[name]:,}" for name in OUTCOMES if counts[name])
        lines.append(f"| {attack} | {on} | {counts.total():,} | {ends} |")
    return "\n".join(lines)


def write_trials(trials: Iterable[Trial], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["attack", "on", "outcome", "told"])
        table.writerows([one.attack, one.on, one.outcome, one.told] for one in trials)


def bad(trials: Iterable[Trial]) -> list[Trial]:
    return [one for one in trials if one.outcome in BAD]
