"""The figure of `make bench`: what a run's step costs over the number of runs, and the memory that stacking takes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from ..records.tables import read_csv
from ..spec import require
from .axes import set_scale, set_sweep_ticks, set_ticks
from .figure import LEGEND_ROW, add_title, legend_columns
from .rows import as_floats
from .style import REFERENCE_DASHES, TEXT_WIDTH, LineStyle, house_style, save, style_of

COLUMNS = 3
PANEL_HEIGHT = 1.9  # inches without the legend
TITLES = {
    "mlp": "MLP",
    "mlp_batch_norm": "MLP, batch norm",
    "rnn_30": "recurrent, T = 30",
    "rnn_100": "recurrent, T = 100",
    "cnn": "convolutional",
}
WHOLE_GRID = "_whole_grid"  # ends the name of what was measured once, over all runs


def draw_speed(table_path: Path, *, output_path: Path) -> None:
    """Draw a table of `make bench` to a PDF and a PNG; ValueError when it holds no workload."""
    table = read_csv(table_path, kind="speed")
    with house_style():
        save(make_speed_figure(table), output_path)


def make_speed_figure(table: pd.DataFrame) -> Canvas:
    """Return a panel a workload, on the fewest threads that were measured, and one of peak memory.

    Rows that are not valid are left out. Memory is that of the workload that took most.
    """
    rows = table[~table["workload"].str.endswith(WHOLE_GRID) & table["valid"].astype(bool)]
    rows = rows[rows["num_threads"] == rows["num_threads"].min()]
    must = "it must hold valid rows of a workload"
    require(not rows.empty, what="table of the benchmark", must=must, got=len(table), do="run `make bench` again")
    workloads, styles = list(rows["workload"].unique()), style_of(rows["contender"].unique())
    lines, width = math.ceil((len(workloads) + 1) / COLUMNS), TEXT_WIDTH / COLUMNS
    canvas = Canvas(figsize=(TEXT_WIDTH, lines * PANEL_HEIGHT), layout="constrained")
    places = list(canvas.subplots(lines, COLUMNS, squeeze=False).flat)
    for number, (axes, workload) in enumerate(zip(places, workloads, strict=False)):
        own = rows[rows["workload"] == workload]
        _draw_times(axes, own, styles=styles, labelled=number % COLUMNS == 0)
        add_title(axes, f"({chr(97 + number)}) {TITLES.get(workload, workload)}", width=width)
    largest = rows.loc[rows["peak_memory_bytes"].idxmax(), "workload"]
    axes = places[len(workloads)]
    _draw_memory(axes, rows[rows["workload"] == largest], styles=styles)
    letters = [f"({chr(97 + number)})" for number in range(len(workloads) + 1)]
    add_title(axes, f"{letters[-1]} memory in {letters[workloads.index(largest)]}", width=width)
    for axes in places[len(workloads) + 1 :]:
        axes.set_axis_off()
    _add_legend(canvas, places[: len(workloads)])
    return canvas


def _draw_times(axes: Axes, rows: pd.DataFrame, *, styles: dict[str, LineStyle], labelled: bool) -> None:
    _set_scales(axes)
    for contender in rows["contender"].unique():
        own = rows[rows["contender"] == contender].sort_values("num_runs")
        _draw_line(axes, own, "seconds_per_run_step", 1e6, style=styles[contender], label=contender)
        x, low, high = (as_floats(own[name]) for name in ("num_runs", "least", "most"))
        axes.fill_between(x, low * 1e6, high * 1e6, color=styles[contender].colour, alpha=0.17, linewidth=0)
    floor = rows["floor_seconds"].median() * 1e6
    axes.axhline(floor, color="black", linewidth=1.0, linestyle=REFERENCE_DASHES[0], label="matrix products alone")
    _finish(axes, rows, "µs a run and step" if labelled else "")


def _draw_memory(axes: Axes, rows: pd.DataFrame, *, styles: dict[str, LineStyle]) -> None:
    _set_scales(axes)
    for contender in rows["contender"].unique():
        own = rows[(rows["contender"] == contender) & (rows["basis"] == "measured")].sort_values("num_runs")
        if len(own) > 1:  # what trains one run at a time takes the memory of one
            _draw_line(axes, own, "peak_memory_bytes", 2.0**-20, style=styles[contender], label=contender)
    _finish(axes, rows, "peak MiB")


def _draw_line(axes: Axes, rows: pd.DataFrame, column: str, unit: float, *, style: LineStyle, label: str) -> None:
    x, y = as_floats(rows["num_runs"]), as_floats(rows[column]) * unit
    axes.plot(x, y, color=style.colour, linestyle=style.dash, marker=style.marker, label=label)


def _set_scales(axes: Axes) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        set_scale(axis, logarithmic=True)


def _finish(axes: Axes, rows: pd.DataFrame, y_label: str) -> None:
    set_ticks(axes.yaxis, logarithmic=True)
    set_ticks(axes.xaxis, logarithmic=True)
    set_sweep_ticks(axes, np.asarray(as_floats(rows["num_runs"])))
    axes.set_xlabel("number of runs")
    axes.set_ylabel(y_label)


def _add_legend(canvas: Canvas, places: Iterable[Axes]) -> None:
    entries = {}
    for axes in places:
        handles, names = axes.get_legend_handles_labels()
        entries |= {name: handle for name, handle in zip(names, handles, strict=True) if name not in entries}
    columns = legend_columns(list(entries), width=canvas.get_figwidth())
    canvas.set_figheight(canvas.get_figheight() + math.ceil(len(entries) / columns) * LEGEND_ROW)
    canvas.legend(entries.values(), entries, loc="outside lower center", ncols=columns)
