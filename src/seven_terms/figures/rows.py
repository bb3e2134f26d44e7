"""Rows of a summary table, by panel and series, as numbers that can be drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd


def panel_rows(summary: pd.DataFrame, figure: str, *, panel: int) -> pd.DataFrame:
    """Return the rows of one panel; infinite values become missing, so that they end a line."""
    rows = summary[(summary["figure"] == figure) & (summary["panel"] == panel)].copy()
    for column in ("value", "low", "high"):
        rows[column] = rows[column].replace([np.inf, -np.inf], np.nan)
    return rows.reset_index(drop=True)


def drawn_labels(rows: pd.DataFrame, asked: list[str]) -> list[str]:
    """Return the series to draw: each asked label, and in its place what it was split into ("label, width = 64")."""
    present = list(dict.fromkeys(rows["series"]))
    split = [name for label in asked for name in [label, *(p for p in present if p.startswith(f"{label}, "))]]
    found = [name for name in split if name in present]
    whole = [label for label in asked if not any(name == label or name.startswith(f"{label}, ") for name in found)]
    return list(dict.fromkeys([*found, *whole]))


def series(rows: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the rows of one series that have something to draw, sorted by x where x is a number."""
    chosen = rows[(rows["series"] == label) & rows["value"].notna()].copy()
    numbers = pd.to_numeric(chosen["x"], errors="coerce")
    if numbers.notna().all():
        chosen["x"] = numbers.astype(float)
        chosen = chosen.sort_values("x", kind="stable")
    return chosen


def is_numeric(values: pd.Series) -> bool:
    return bool(len(values)) and bool(pd.to_numeric(values, errors="coerce").notna().all())


def as_floats(values: pd.Series) -> np.ndarray:
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
