"""Sweep curves: a measure over a sweep value, a marker with an error bar each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from ..spec import Panel
from ..spec.metrics import Direction
from .rows import as_floats, drawn_labels, is_numeric, series
from .style import LineStyle, Look

MANY = 4  # from so many labels on, error bars would cover everything: bands instead, in place


def draw_sweep(axes: Axes, panel: Panel, rows: pd.DataFrame, *, look: Look) -> list[str]:
    """Draw one line per label, with a ring where it is best; return the labels without a finite value."""
    labels = drawn_labels(rows, panel.content)
    filled = [label for label in labels if len(series(rows, label))]
    positions = _positions(pd.concat([rows["x"][rows["series"] == label] for label in filled])) if filled else {}
    for label in filled:
        _draw_line(axes, panel, series(rows, label), style=look.styles[label], label=label, positions=positions)
        if look.best != "none" and not positions:
            _draw_ring(axes, series(rows, label), style=look.styles[label], best=look.best)
    if positions:
        axes.set_xticks(list(positions.values()), list(positions))
    return [label for label in labels if label not in filled]


def _positions(values: pd.Series) -> dict[str, float]:
    """Return a place for each value of a sweep over names; nothing for a sweep over numbers."""
    if is_numeric(values):
        return {}
    return {str(name): float(place) for place, name in enumerate(dict.fromkeys(values))}


def _draw_ring(axes: Axes, chosen: pd.DataFrame, *, style: LineStyle, best: Direction) -> None:
    values = chosen["value"]
    row = chosen.loc[values.idxmin() if best == "min" else values.idxmax()]
    place = ([float(row["x"])], [float(row["value"])])  # pyright: ignore[reportArgumentType]
    axes.plot(*place, linestyle="none", marker="o", markersize=8, markerfacecolor="none", markeredgecolor=style.colour)


def _draw_line(
    axes: Axes,
    panel: Panel,
    chosen: pd.DataFrame,
    *,
    style: LineStyle,
    label: str,
    positions: dict[str, float],
) -> None:
    x = np.array([positions[str(name)] for name in chosen["x"]]) if positions else as_floats(chosen["x"])
    value, low, high = (as_floats(chosen[column]) for column in ("value", "low", "high"))
    seaborn.lineplot(
        x=x,
        y=value,
        estimator=None,  # means and intervals are the statistics' own
        color=style.colour,
        linestyle=style.dash,
        marker=style.marker,
        label=label,
        legend=False,
        ax=axes,
    )
    if len(panel.content.runs) > MANY:  # pyright: ignore[reportArgumentType]
        axes.fill_between(x, low, high, color=style.colour, alpha=0.10, linewidth=0)
    elif np.isfinite(low).any():
        axes.vlines(x, low, high, color=style.colour, linewidth=0.9, alpha=0.8)
