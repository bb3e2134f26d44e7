"""Rows of a summary table, by panel and series, as numbers that can be drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..spec import Content, Curve


def panel_rows(summary: pd.DataFrame, figure: str, *, panel: int) -> pd.DataFrame:
    """Return the rows of one panel; infinite values become missing, so that they end a line."""
    rows = summary[(summary["figure"] == figure) & (summary["panel"] == panel)].copy()
    for column in ("value", "low", "high"):
        rows[column] = rows[column].replace([np.inf, -np.inf], np.nan)
    return rows.reset_index(drop=True)


def drawn_labels(rows: pd.DataFrame, content: Content) -> list[str]:
    """Return the series to draw: each asked label, and in its place what `by` split it into ("label, width = 64")."""
    present = list(dict.fromkeys(rows["series"]))
    found = {label: [name for name in present if _belongs(name, label, content)] for label in content.runs}
    whole = [label for label, names in found.items() if not names]
    return [*(name for names in found.values() for name in names), *whole]


def _belongs(name: str, label: str, content: Content) -> bool:
    if isinstance(content, Curve) and content.by is not None:
        return name.startswith(content.label_at(label, ""))
    return name == label


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
