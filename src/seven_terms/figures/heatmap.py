"""Heatmaps: the mean of a measure over two sweep values; cells without a value are hatched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize

from ..spec import Panel
from .axes import tick_text
from .style import Look

MOST_WRITTEN = 64  # cells: up to here each shows its number
MOST_TICKS = 8


def draw_heatmap(axes: Axes, panel: Panel, rows: pd.DataFrame, *, look: Look) -> list[str]:
    """Draw the cells with a colour bar; return ["the map"] when no cell has a finite value."""
    rows = rows[rows["x"].notna() & rows["y"].notna()]
    if rows["value"].notna().sum() == 0:
        return ["the map"]
    xs, ys = _sorted_unique(rows["x"]), _sorted_unique(rows["y"])
    cells = np.full((len(ys), len(xs)), np.nan)
    for x, y, value in zip(rows["x"], rows["y"], rows["value"], strict=True):
        cells[ys.index(_key(y)), xs.index(_key(x))] = value
    axes.set_facecolor("0.93")
    axes.patch.set(hatch="////", edgecolor="0.6", linewidth=0)
    norm = _norm(cells if look.limits is None else np.append(cells.ravel(), look.limits))
    seaborn.heatmap(
        cells,
        mask=~np.isfinite(cells),
        cmap="cividis",
        norm=norm,
        cbar_kws={"pad": 0.02, "fraction": 0.05, "format": lambda value, _: tick_text(value)},
        xticklabels=False,
        yticklabels=False,
        rasterized=cells.size > 2000,
        ax=axes,
    )
    axes.invert_yaxis()
    _label_cells(axes, xs, ys)
    if cells.size <= MOST_WRITTEN:
        _write_numbers(axes, cells, norm)
    axes.grid(False)
    return []


def _key(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)


def _sorted_unique(values: pd.Series) -> list[Any]:
    keys = list(dict.fromkeys(_key(value) for value in values))
    return sorted(keys) if all(isinstance(key, float) for key in keys) else keys


def _norm(cells: np.ndarray) -> Normalize:
    finite = cells[np.isfinite(cells)]
    if finite.min() > 0 and finite.max() / finite.min() > 100:
        return LogNorm(finite.min(), finite.max())
    low, high = finite.min(), finite.max()
    return Normalize(low, high if high > low else low + 1.0)


def _label_cells(axes: Axes, xs: list[Any], ys: list[Any]) -> None:
    for values, setter in ((xs, axes.set_xticks), (ys, axes.set_yticks)):
        stride = -(-len(values) // MOST_TICKS)
        chosen = range(0, len(values), stride)
        names = [tick_text(values[i]) if isinstance(values[i], float) else values[i] for i in chosen]
        setter([i + 0.5 for i in chosen], names)


def _write_numbers(axes: Axes, cells: np.ndarray, norm: Normalize) -> None:
    for (row, column), value in np.ndenumerate(cells):
        if np.isfinite(value):
            colour = "white" if norm(value) < 0.6 else "black"
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{value:.2f}" if abs(value) < 10 else tick_text(float(f"{value:.2g}")),
                ha="center",
                va="center",
                color=colour,
                fontsize=8,
            )
