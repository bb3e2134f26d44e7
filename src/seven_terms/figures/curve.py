"""Curves: a metric over steps or over its index, with a band."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from ..spec import Curve, Panel
from .rows import as_floats, drawn_labels, series
from .style import LineStyle, Look

FEW_POINTS = 12  # up to so many points each get a marker


def labels_of_curve(content: Curve, rows: pd.DataFrame) -> list[str]:
    return drawn_labels(rows, content)


def draw_curve(axes: Axes, panel: Panel, rows: pd.DataFrame, *, look: Look) -> list[str]:
    """Draw one line per label; return the labels without a finite value."""
    labels = labels_of_curve(panel.content, rows)  # pyright: ignore[reportArgumentType]
    tables = {label: series(rows, label) for label in labels}
    filled = [label for label in labels if len(tables[label])]
    if filled:
        draw_lines(axes, tables, filled, styles=look.styles, by_seed=panel.content.band == "seeds")
    return [label for label in labels if label not in filled]


def draw_lines(
    axes: Axes, tables: dict[str, pd.DataFrame], labels: list[str], *, styles: dict[str, LineStyle], by_seed: bool
) -> None:
    """Draw tidy rows as lines with bands: one line per label or, thin, one per label and seed (column y)."""
    for label in labels:
        chosen, style = tables[label], styles[label]
        few, drawn = len(chosen) <= FEW_POINTS, len(axes.lines)
        seaborn.lineplot(
            data=chosen.assign(x=as_floats(chosen["x"]), seed=chosen["y"].fillna(0)),
            x="x",
            y="value",
            units="seed" if by_seed else None,
            estimator=None,  # means and intervals are the statistics' own
            color=style.colour,
            linestyle=style.dash,
            marker=style.marker if few and not by_seed else None,
            linewidth=0.8 if by_seed else None,
            alpha=0.75 if by_seed else None,
            label=label,
            legend=False,
            ax=axes,
        )
        for line in axes.lines[drawn + 1 :]:
            line.set_label("_" + label)  # one line of a label is named
        low, high = as_floats(chosen["low"]), as_floats(chosen["high"])
        if np.isfinite(low).any():
            axes.fill_between(as_floats(chosen["x"]), low, high, color=style.colour, alpha=0.17, linewidth=0)
