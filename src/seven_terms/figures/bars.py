"""Bars: a measure per label with its interval, and every seed as a dot; horizontal where labels are long."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from ..spec import Panel
from .rows import as_floats, drawn_labels
from .style import LineStyle, Look

CHARACTERS_PER_INCH = 11.0  # of tick labels that stand side by side
WRAP = 26
MANY = 6


def lies_down(panel: Panel, *, width: float) -> bool:
    """Return whether the labels are too long to stand side by side in a panel of `width` inches."""
    labels = list(panel.content.runs)  # pyright: ignore[reportArgumentType]
    longest = max((len(label) for label in labels), default=0)
    return longest * len(labels) > CHARACTERS_PER_INCH * (width - 0.6)


def draw_bars(axes: Axes, panel: Panel, rows: pd.DataFrame, *, look: Look) -> list[str]:
    """Draw one bar per label; return the labels without a finite value."""
    labels = drawn_labels(rows, panel.content)
    finite, styles, down = rows[rows["value"].notna()], look.styles, look.down
    filled = [label for label in labels if (finite["series"] == label).any()]
    if len(filled) > MANY:  # many bars are an order: sorted, in one colour, with their numbers
        means = finite[finite["y"].isna()].set_index("series")["value"]
        filled = sorted(filled, key=lambda label: means.get(label, np.inf))
        styles = dict.fromkeys(filled, styles[labels[0]])
    for place, label in enumerate(filled):
        chosen = finite[finite["series"] == label]
        _cross_lost(
            axes, rows[(rows["series"] == label) & rows["y"].notna() & rows["value"].isna()], place=place, down=down
        )
        is_seed = chosen["y"].notna()
        _draw_seeds(axes, chosen[is_seed], place=place, style=styles[label], down=down)
        _draw_mean(axes, panel, chosen[~is_seed], label=label, place=place, style=styles[label], down=down)
    names = [textwrap.fill(label, WRAP) for label in filled]
    (axes.set_yticks if down else axes.set_xticks)(range(len(filled)), names)
    _lay_out(axes, len(filled), down=down)
    return [label for label in labels if label not in filled]


def _lay_out(axes: Axes, num_labels: int, *, down: bool) -> None:
    axes.grid(False, axis="y" if down else "x")
    if down:
        axes.set_ylim(max(num_labels, 1) - 0.5, -0.5)  # first label on top
    else:
        axes.set_xlim(-0.5, max(num_labels, 1) - 0.5)


def _draw_mean(
    axes: Axes, panel: Panel, chosen: pd.DataFrame, *, label: str, place: float, style: LineStyle, down: bool
) -> None:
    value, low, high = (as_floats(chosen[column]) for column in ("value", "low", "high"))
    places = np.full(len(value), float(place))
    if not panel.log_y and panel.y_limits[0] in (None, 0):  # a bar has a meaning only from zero
        seaborn.barplot(
            x=value if down else places,
            y=places if down else value,
            orient="y" if down else "x",
            native_scale=True,
            width=0.6,
            color=style.colour,
            alpha=0.25,
            linewidth=0,
            errorbar=None,  # intervals are the statistics' own
            legend=False,
            ax=axes,
        )
    if np.isfinite(low).any():
        (axes.hlines if down else axes.vlines)(places, low, high, color=style.colour, linewidth=1.6)
    points = (value, places) if down else (places, value)
    axes.plot(
        *points,
        linestyle="none",
        label=f"_{label}",
        marker=style.marker,
        color=style.colour,
        markersize=5,
        markeredgecolor="white",
    )


def _cross_lost(axes: Axes, lost: pd.DataFrame, *, place: int, down: bool) -> None:
    """Mark every run without a finite value, such as one that diverged, by a cross at the far end of the axis."""
    spread = place + 0.22 + 0.04 * (np.arange(len(lost)) % 3 - 1)
    end = np.full(len(lost), 0.98)
    along = axes.get_yaxis_transform() if down else axes.get_xaxis_transform()
    points = (end, spread) if down else (spread, end)
    axes.plot(*points, linestyle="none", marker="x", markersize=4, color="0.2", transform=along)


def _draw_seeds(axes: Axes, chosen: pd.DataFrame, *, place: float, style: LineStyle, down: bool) -> None:
    if chosen.empty:
        return
    value = as_floats(chosen["value"])
    beside = place + 0.22 + 0.04 * (np.arange(len(value)) % 3 - 1)
    x, y = (value, beside) if down else (beside, value)
    seaborn.scatterplot(x=x, y=y, color=style.colour, s=6, alpha=0.6, linewidth=0, legend=False, ax=axes)
