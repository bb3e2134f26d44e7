"""Clouds: a point per run, one measure against another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes

from ..spec import Panel
from .rows import as_floats, drawn_labels
from .style import Look


def draw_cloud(axes: Axes, panel: Panel, rows: pd.DataFrame, *, look: Look) -> list[str]:
    """Draw the points of each label; return the labels without a finite point."""
    missing = []
    for label in drawn_labels(rows, panel.content):
        chosen = rows[rows["series"] == label]
        x, y = as_floats(chosen["x"]), as_floats(chosen["y"])
        finite = np.isfinite(x) & np.isfinite(y)
        if not finite.any():
            missing.append(label)
            continue
        style = look.styles[label]
        seaborn.scatterplot(
            x=x[finite],
            y=y[finite],
            marker=style.marker,
            color=style.colour,
            label=label,
            alpha=0.65,
            s=14,
            linewidth=0,
            legend=False,
            ax=axes,
        )
    return missing
