"""The W&B mirror: every run of a stack as a W&B run, written from the finished metrics. Nothing reads it back.

Offline unless WANDB_MODE says otherwise. The stable key of a run is `config.run_key`; W&B's own id carries the time of
the attempt, because a deterministic id would overwrite silently.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import wandb

from ..canonical import encode
from ..plan import Plan, Run, Stack

MAX_POINTS = 25  # logged steps a run: a mirror is for looking at, the parquet file has every row
AXIS = "trainer/step"


def prepare() -> None:
    """Start W&B's local service and load what a first run loads, so that forks of this process find both."""
    wandb.setup()
    with tempfile.TemporaryDirectory() as directory:
        handle = wandb.init(dir=directory, mode="offline", reinit="create_new", settings=_settings())
        handle.log({AXIS: 0})
        handle.finish()


def mirror(plan: Plan, stack: Stack, table: pd.DataFrame, record: dict[str, Any], *, directory: Path) -> None:
    """Write every run of a stack as a W&B run below `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    attempt = format(int(time.time()), "x")
    by_run = dict(list(table.groupby("run_id", observed=True)))
    for run in stack.runs:
        _mirror_run(plan, run, by_run.get(run.id), record, directory=directory, attempt=attempt)


def _mirror_run(
    plan: Plan, run: Run, rows: pd.DataFrame | None, record: dict[str, Any], *, directory: Path, attempt: str
) -> None:
    settings = ",".join(f"{name}={value:g}" for name, value in run.settings.items() if isinstance(value, (int, float)))
    handle = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "seven-terms"),
        group=run.experiment,
        job_type=run.arm,
        name="/".join(filter(None, (run.arm, settings, f"seed{run.seed}"))),
        tags=[run.experiment.split("/")[0], plan.scale],
        id=f"{run.id}-{attempt}",
        dir=str(directory),
        mode=os.environ.get("WANDB_MODE", "offline"),
        config={"run_key": run.id, "stack": record["stack"], **encode(run), "provenance": record["provenance"]},
        reinit="create_new",
        settings=_settings(),
    )
    handle.define_metric(AXIS)
    handle.define_metric("*", step_metric=AXIS)
    for step, values in _history(rows):
        handle.log({AXIS: step, **values})
    handle.summary.update(record["runs"][run.id])
    handle.finish()


def _history(rows: pd.DataFrame | None) -> list[tuple[int, dict[str, float]]]:
    """Return (step, metrics) pairs, thinned to MAX_POINTS; indexed metrics are named `metric/index`."""
    if rows is None:
        return []
    steps = sorted(rows["step"].unique())
    kept = set(steps[:: max(len(steps) // MAX_POINTS, 1)]) | set(steps[-1:])
    history: dict[int, dict[str, float]] = {}
    few = rows[rows["step"].isin(kept) & (rows["index"] < 16)]
    for step, metric, index, value in zip(few["step"], few["metric"], few["index"], few["value"], strict=True):
        history.setdefault(step, {})[metric if index < 0 else f"{metric}/{index}"] = value
    return sorted(history.items())


def _settings() -> wandb.Settings:
    # x_... settings are private to wandb: they stand in this one place.
    return wandb.Settings(
        console="off",
        silent=True,
        disable_code=True,
        disable_git=True,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )
