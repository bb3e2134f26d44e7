"""One panel: its content, theory, scales and ticks, and what is missing from it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from ..spec import Bars, Panel, SweepCurve, load
from ..spec.metrics import Direction
from .axes import draw_references, say_empty, say_missing, set_limits, set_scale, set_sweep_ticks, set_ticks
from .bars import lies_down
from .rows import as_floats, drawn_labels, is_numeric
from .style import LineStyle, Look

LETTERS_UP = 18  # of a label along the y axis, a line


def labels_of(panel: Panel, rows: pd.DataFrame) -> list[str]:
    """Return the labels that a legend must tell apart."""
    return drawn_labels(rows, panel.content) if isinstance(panel.content.runs, Mapping) else []


def needs_legend(panel: Panel) -> bool:
    return bool(panel.references) or panel.content.legend


def draw_panel(
    axes: Axes,
    panel: Panel,
    rows: pd.DataFrame,
    *,
    styles: dict[str, LineStyle],
    width: float,
    limits: tuple[float, float] | None = None,
    best: Direction = "none",
) -> None:
    """Draw one panel of `width` inches; `limits` are those of a heatmap's colours, `best` rings the best rate of each line."""
    down = isinstance(panel.content, Bars) and lies_down(panel, width=width)
    _set_scales(axes, panel, down=down)
    draw = load(panel.content.drawing)
    missing = draw(axes, panel, rows, look=Look(styles=styles, down=down, limits=limits, best=best))
    if len(missing) == max(len(labels_of(panel, rows)), 1):
        say_empty(axes, missing)
    else:
        missing += draw_references(axes, panel, rows, down=down)
        _set_ticks(axes, panel, rows, down=down)
        if missing:
            say_missing(axes, missing)
    axes.set_xlabel(panel.y_label if down else panel.x_label)
    axes.set_ylabel("" if down else textwrap.fill(panel.y_label, LETTERS_UP))


def _is_named_sweep(panel: Panel, rows: pd.DataFrame) -> bool:
    return isinstance(panel.content, SweepCurve) and not is_numeric(rows["x"])


def _set_scales(axes: Axes, panel: Panel, *, down: bool) -> None:
    if not panel.content.scaled:
        return
    set_scale(axes.xaxis if down else axes.yaxis, logarithmic=panel.log_y)
    if not isinstance(panel.content, Bars):
        set_scale(axes.xaxis, logarithmic=panel.log_x)


def _set_ticks(axes: Axes, panel: Panel, rows: pd.DataFrame, *, down: bool) -> None:
    if not panel.content.scaled:
        return
    values = axes.xaxis if down else axes.yaxis
    set_limits(values, panel.y_limits)
    set_ticks(values, logarithmic=panel.log_y)
    if isinstance(panel.content, Bars) or _is_named_sweep(panel, rows):
        return
    set_ticks(axes.xaxis, logarithmic=panel.log_x)
    if isinstance(panel.content, SweepCurve):
        set_sweep_ticks(axes, as_floats(rows["x"]))
