"""Sweep curves: a measure over a sweep value, a marker with an error bar each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ..spec import Panel
from .rows import as_floats, drawn_labels, is_numeric, series
from .style import LineStyle

SPREAD = 0.012  # of the axis: labels stand side by side, so that equal values do not hide each other
MANY = 4  # from so many labels on, error bars would cover everything: bands instead, in place


def draw_sweep(axes: Axes, panel: Panel, rows: pd.DataFrame, *, styles: dict[str, LineStyle]) -> list[str]:
    """Draw one line a label; return the labels without a finite value."""
    labels = drawn_labels(rows, list(panel.content.runs))
    filled = [label for label in labels if len(series(rows, label))]
    positions = _positions(pd.concat([rows["x"][rows["series"] == label] for label in filled])) if filled else {}
    for number, label in enumerate(filled):
        shift = (number - (len(filled) - 1) / 2) * SPREAD if len(filled) <= MANY else 0.0
        _draw_line(axes, panel, series(rows, label), style=styles[label], label=label, shift=shift, positions=positions)
    if positions:
        axes.set_xticks(list(positions.values()), list(positions))
    return [label for label in labels if label not in filled]


def _positions(values: pd.Series) -> dict[str, float]:
    """Return a place for each value of a sweep over names; nothing for a sweep over numbers."""
    if is_numeric(values):
        return {}
    return {str(name): float(place) for place, name in enumerate(dict.fromkeys(values))}


def _draw_line(
    axes: Axes,
    panel: Panel,
    chosen: pd.DataFrame,
    *,
    style: LineStyle,
    label: str,
    shift: float,
    positions: dict[str, float],
) -> None:
    x = np.array([positions[str(name)] for name in chosen["x"]]) if positions else as_floats(chosen["x"])
    x = _shifted(x, shift, logarithmic=panel.log_x and not positions)
    value, low, high = (as_floats(chosen[column]) for column in ("value", "low", "high"))
    line = {"color": style.colour, "linestyle": style.dash, "marker": style.marker, "label": label}
    axes.plot(x, value, **line)
    if len(panel.content.runs) > MANY:
        axes.fill_between(x, low, high, color=style.colour, alpha=0.10, linewidth=0)
    elif np.isfinite(low).any():
        axes.vlines(x, low, high, color=style.colour, linewidth=0.9, alpha=0.8)


def _shifted(x: np.ndarray, shift: float, *, logarithmic: bool) -> np.ndarray:
    if len(x) < 2 or shift == 0.0:
        return x
    if logarithmic:
        return x * (x.max() / x.min()) ** shift
    return x + shift * (x.max() - x.min())
