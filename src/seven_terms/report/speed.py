"""The appendix on speed: what `make bench` measured, and on which machine. Without a table of it there is no such section."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from ..records.jobs import speed_tables
from ..records.tables import read_csv
from ..spec import require
from .inputs import Inputs
from .latex import count, escape, longtable, number

SIZE = 32  # runs at which ways are compared in the table: the largest measured size up to this
WHOLE_GRID = "_whole_grid"  # ends the name of what was measured once, over all runs
COLUMNS = ("way", "threads", "time ($\\mu$s)", "range", "times ours", "floor", "start (s)", "MiB a run")
INTRODUCTION = (
    "The same runs are trained in several ways: same data, initial parameters, batches and update rule, in single precision. "
    "\\emph{Ours} is what the plan chooses: our kernels, run after run, where they know the network, otherwise PyTorch's eager "
    "operations on all runs at once. "
    "Ways take turns within one session, each in processes of its own. The time of a run and step is that of the steps alone, "
    "without imports and compilation, but for a process per run, where the start is spread over the steps. PyTorch's and "
    "Lightning's ways are timed on one run. Data are prepared before the clock starts for JAX, and inside the timed steps for "
    "all others. The floor is the time that the matrix products of a step would take at the rate of one large product, "
    "measured in the same session."
)


def speed_section(inputs: Inputs, *, output_dir: Path) -> str:
    """Return the section with a figure and its tables for each device; empty without a table of the benchmark.

    ValueError when a figure is not drawn.
    """
    paths = speed_tables(inputs.results_dir)
    if not paths:
        return ""
    parts = [part for path in paths for part in _device(inputs, path, output_dir=output_dir)]
    return "\n\n".join(["\\section{Speed}\\label{sec:speed}", INTRODUCTION, *parts]) + "\n"


def _device(inputs: Inputs, path: Path, *, output_dir: Path) -> list[str]:
    table = read_csv(path, kind="speed")
    first, valid = table.iloc[0], table[table["valid"].astype(bool)]
    hardware = f"{escape(first['processor'])}, {count(first['num_cores'])} cores"
    hardware += "" if first["device"] == "cpu" else f", {escape(first['device'])}"
    loss, distance = valid["loss_difference"].max(), 100 * valid["distance_difference"].max()
    told = (
        f"Measured on {hardware}, on {escape(first['measured_on'])}, at commit \\texttt{{{escape(first['commit'])}}}. Every "
        f"run ended where ours did: losses differ by at most {number(loss, digits=1)}, the distances that parameters moved by "
        f"at most {number(distance, digits=1)}\\,\\%."
    )
    if len(valid) < len(table):
        told += (
            f" Of {count(len(table))} rows {count(len(table) - len(valid))} are left out, because their runs did not."
        )
    whole = valid["workload"].str.endswith(WHOLE_GRID)
    parts = [told, _figure(inputs, path, hardware, output_dir=output_dir), _table(valid[~whole], path.stem)]
    return [*parts, _grid_table(valid[whole], path.stem)] if whole.any() else parts


def _figure(inputs: Inputs, path: Path, hardware: str, *, output_dir: Path) -> str:
    picture = inputs.results_dir / "figures" / "speed" / f"{path.stem}.pdf"
    what, must = f"figure of {str(path)!r}", "it must be drawn before the report is written"
    require(picture.exists(), what=what, must=must, got=str(picture), do="run `make report`")
    place = os.path.relpath(picture.resolve(), output_dir.resolve())
    caption = (
        "Time of a run and step on one thread over the number of runs, with the range over rounds, and peak memory; "
        f"{hardware}."
    )
    return (
        f"\\begin{{figure}}[htbp]\\centering\n\\includegraphics{{{place}}}\n"
        f"\\caption{{{caption}}}\\label{{fig:speed-{path.stem}}}\n\\end{{figure}}"
    )


def _table(table: pd.DataFrame, name: str) -> str:
    sizes = sorted(int(size) for size in table["num_runs"].unique())
    size = max([some for some in sizes if some <= SIZE], default=sizes[0])
    rows = []
    for workload, some in table[table["num_runs"] == size].groupby("workload", sort=False):
        rows.append([f"\\emph{{{escape(str(workload).replace('_', ' '))}}}", *[""] * (len(COLUMNS) - 1)])
        rows += [_cells(row, memory=_bytes_per_run(table, row)) for _, row in some.iterrows()]
    caption = (
        f"Time of a run and step at {count(size)} runs: median of {count(table['rounds'].max())} rounds, range, ratio to ours "
        "on as many threads, and share of the floor's rate; seconds before the first step; growth of peak memory."
    )
    table_text = longtable("lrrrrrrr", header=COLUMNS, rows=rows, caption=caption, label=f"tab:speed-{name}")
    return f"{{\\footnotesize\n{table_text}}}"


def _cells(row: pd.Series, *, memory: float) -> list[str]:
    return [
        escape(row["contender"]),
        count(row["num_threads"]),
        number(1e6 * row["seconds_per_run_step"]),
        f"{number(1e6 * row['least'])}--{number(1e6 * row['most'])}",
        number(row["times_ours"]),
        f"{number(100 * row['share_of_floor'], digits=2)}\\,\\%",
        number(row["start_seconds"], digits=2),
        number(memory / 2**20, digits=2),
    ]


def _bytes_per_run(table: pd.DataFrame, row: pd.Series) -> float:
    """Return the least-squares slope of a way's peak memory over runs; NaN where it holds one run at a time."""
    alike = ["workload", "contender", "num_threads"]
    own = table[(table[alike] == row[alike]).all(axis=1)]
    if (own["basis"] == "extrapolated").any() or len(own) < 2:
        return float("nan")
    return float(np.polyfit(own["num_runs"].astype(float), own["peak_memory_bytes"].astype(float), 1)[0])


def _grid_table(table: pd.DataFrame, name: str) -> str:
    rows = [
        [
            escape(row["contender"]),
            number(row["total_seconds"]),
            number(row["times_ours"]),
            "all runs" if row["basis"] == "measured" else f"{count(row['measured_runs'])} runs, scaled up",
        ]
        for _, row in table.iterrows()
    ]
    first = table.iloc[0]
    runs, steps, processes = (count(first[column]) for column in ("num_runs", "num_steps", "num_threads"))
    caption = (
        f"A whole grid of the MLP, {runs} runs of {steps} steps, in {processes} processes of one thread, from their start to "
        "their end: imports, data, compilation and training."
    )
    header = ("way", "time (s)", "times ours", "measured")
    table_text = longtable("lrrl", header=header, rows=rows, caption=caption, label=f"tab:speed-grid-{name}")
    return f"{{\\footnotesize\n{table_text}}}"
