"""Curves: a metric over steps or over its index, with a band."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ..spec import Curve, Panel
from .rows import as_floats, drawn_labels, series
from .style import LineStyle

FEW_POINTS = 12  # up to so many points each get a marker


def labels_of_curve(content: Curve, rows: pd.DataFrame) -> list[str]:
    return drawn_labels(rows, list(content.runs))


def draw_curve(axes: Axes, panel: Panel, rows: pd.DataFrame, *, styles: dict[str, LineStyle]) -> list[str]:
    """Draw one line a label; return the labels without a finite value."""
    missing = []
    for label in labels_of_curve(panel.content, rows):
        chosen = series(rows, label)
        if chosen.empty:
            missing.append(label)
        elif panel.content.band == "seeds":
            _draw_seeds(axes, chosen, style=styles[label], label=label)
        else:
            _draw_band(axes, chosen, style=styles[label], label=label)
    return missing


def _draw_band(axes: Axes, chosen: pd.DataFrame, *, style: LineStyle, label: str) -> None:
    x, value = as_floats(chosen["x"]), as_floats(chosen["value"])
    low, high = as_floats(chosen["low"]), as_floats(chosen["high"])
    marker = style.marker if len(x) <= FEW_POINTS else None
    axes.plot(x, value, color=style.colour, linestyle=style.dash, marker=marker, label=label)
    if np.isfinite(low).any():
        axes.fill_between(x, low, high, color=style.colour, alpha=0.17, linewidth=0)


def _draw_seeds(axes: Axes, chosen: pd.DataFrame, *, style: LineStyle, label: str) -> None:
    for number, (_, one) in enumerate(chosen.groupby(chosen["y"].fillna(0), sort=True)):
        axes.plot(
            as_floats(one["x"]),
            as_floats(one["value"]),
            color=style.colour,
            linestyle=style.dash,
            linewidth=0.8,
            alpha=0.75,
            label=label if number == 0 else None,
        )
