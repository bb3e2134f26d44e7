"""The table that `make bench` prints at the end."""

from __future__ import annotations

import pandas as pd

from .whole_grid import NAME

NAME_WIDTH = 38


def printed(table: pd.DataFrame) -> str:
    """Return the rows of speed.csv as text: a block a workload, a column a size, then the whole grid."""
    sessions = table[table["workload"] != NAME]
    lines = []
    for workload, rows in sessions.groupby("workload", sort=False):
        lines += ["", *_block(str(workload), rows)]
    whole = table[table["workload"] == NAME]
    return "\n".join([*lines, *(["", *_whole_grid(whole)] if len(whole) else [])])


def _block(workload: str, rows: pd.DataFrame) -> list[str]:
    sizes = sorted(rows["num_runs"].unique())
    floors = rows.groupby("num_threads")["floor_seconds"].median()
    told = ", ".join(f"{floor * 1e6:.0f} us on {_threads(threads)}" for threads, floor in floors.items())
    lines = [
        f"{workload}: microseconds per run and step, (times ours), share of the floor: {told}",
        " " * NAME_WIDTH + "".join(f"{f'R = {size}':>21s}" for size in sizes) + f"{'memory a run':>15s}",
    ]
    for (contender, threads), own in rows.groupby(["contender", "num_threads"], sort=False):
        cells = "".join(_cell(own[own["num_runs"] == size]) for size in sizes)
        lines.append(f"{f'{contender}, {_threads(threads)}':{NAME_WIDTH}s}{cells}{_slope(own):>15s}")
    return lines


def _cell(row: pd.DataFrame) -> str:
    if row.empty:
        return f"{'failed':>21s}"
    one = row.iloc[0]
    mark = "" if one["valid"] else "!"
    extrapolated = "~" if one["basis"] == "extrapolated" else ""
    text = f"{mark}{extrapolated}{one['seconds_per_run_step'] * 1e6:.0f} ({one['times_ours']:.2f}) {one['share_of_floor']:.0%}"
    return f"{text:>21s}"


def _slope(rows: pd.DataFrame) -> str:
    """Return the least-squares slope of peak memory over the number of runs."""
    if (rows["basis"] == "extrapolated").any() or rows["num_runs"].nunique() < 2:
        return "-"
    return f"{bytes_per_run(rows) / 2**20:.2f} MiB"


def bytes_per_run(rows: pd.DataFrame) -> float:
    runs, peaks = rows["num_runs"].astype(float), rows["peak_memory_bytes"].astype(float)
    return ((runs - runs.mean()) * (peaks - peaks.mean())).sum() / ((runs - runs.mean()) ** 2).sum()


def _whole_grid(rows: pd.DataFrame) -> list[str]:
    one = rows.iloc[0]
    lines = [
        f"whole grid: {one['num_runs']} runs of {one['num_steps']} steps of the mlp, {one['num_threads']} processes "
        "side by side, one thread each, from their start to their end"
    ]
    for _, row in rows.iterrows():
        basis = "" if row["basis"] == "measured" else f", extrapolated from {row['measured_runs']} runs"
        valid = "" if row["valid"] else ", NOT VALID: ended elsewhere"
        seconds = f"{row['total_seconds']:10.1f} s {row['times_ours']:8.2f} x {row['share_of_floor']:5.0%} of the floor's rate"
        lines.append(f"{row['contender']:{NAME_WIDTH}s}{seconds}{basis}{valid}")
    return lines


def _threads(number: int) -> str:
    return f"{number} thread" + ("s" if number > 1 else "")
