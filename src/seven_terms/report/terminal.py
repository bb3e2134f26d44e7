"""What `seven-terms show` prints: where the report is, and the verdicts as a short table."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from ..records.folder import Folder
from ..spec import VERDICTS
from .inputs import read_verdicts, scale_of

OF_ALL = "pooled with"  # how a note begins that says nothing of its own claim


def show(results_dir: Path) -> None:
    """Print one line per claim, what to know about some, how many fared how, and the path of the report."""
    print("\n".join(shown_lines(read_verdicts(results_dir))))
    pdf, has_plans = results_dir / "seven-terms.pdf", bool(Folder(results_dir).plans())  # published tables have none
    if has_plans and scale_of(results_dir) == "smoke":
        print("Scale smoke: the pipeline works; the numbers mean nothing.")
    missing = f"not compiled; its sources are in {results_dir / 'report'}"
    if has_plans or pdf.exists():
        print(f"Report: {pdf if pdf.exists() else missing}")


def shown_lines(verdicts: pd.DataFrame) -> list[str]:
    """Return the aligned table, the notes and the counts."""
    rows = [("claim", "verdict", "effect", "interval", "runs", "unit")]
    rows += [
        (
            str(key),
            str(row["verdict"]),
            _short(row["effect"]),
            "exact" if row["low"] == row["high"] else f"[{_short(row['low'])}, {_short(row['high'])}]",
            f"{row['num_runs']:.0f}",
            str(row["unit"]),
        )
        for key, row in verdicts.iterrows()
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    found = {word: int((verdicts["verdict"] == word).sum()) for word in VERDICTS}
    counts = ", ".join(f"{number} {word}" for word, number in found.items() if number or word != "conditional")
    return [*lines, *_notes(verdicts), f"{len(verdicts)} claim{'' if len(verdicts) == 1 else 's'}: {counts}."]


def _notes(verdicts: pd.DataFrame) -> list[str]:
    """Return a line for each claim about which there is something to know, such as a best rate at the edge of its grid."""
    own = {
        key: [note for note in str(row["note"] or "").split("; ") if note and not note.startswith(OF_ALL)]
        for key, row in verdicts.iterrows()
    }
    return [f"note on {key}: {'; '.join(some)}." for key, some in own.items() if some]


def _short(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g}"
