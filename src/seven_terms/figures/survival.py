"""Survival curves: the share of runs still waiting for an event, as steps with their band."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from ..spec import Panel
from .rows import as_floats, drawn_labels, series
from .style import Look


def draw_survival(axes: Axes, panel: Panel, rows: pd.DataFrame, *, look: Look) -> list[str]:
    """Draw one Kaplan-Meier curve a label; return the labels without a finite value."""
    missing = []
    for label in drawn_labels(rows, panel.content):
        chosen = series(rows, label)
        if chosen.empty:
            missing.append(label)
            continue
        style, x = look.styles[label], as_floats(chosen["x"])
        line = {"color": style.colour, "linestyle": style.dash, "label": label}
        values = as_floats(chosen["value"])
        seaborn.lineplot(x=x, y=values, drawstyle="steps-post", estimator=None, legend=False, ax=axes, **line)
        low, high = as_floats(chosen["low"]), as_floats(chosen["high"])
        if np.isfinite(low).any():
            axes.fill_between(x, low, high, step="post", color=style.colour, alpha=0.15, linewidth=0)
    axes.set_ylim(-0.03, 1.03)
    return missing
