"""The W&B mirror: every run of a stack as a W&B run, written from the finished metrics. Nothing reads it back.

Offline unless WANDB_MODE says otherwise. The stable key of a run is `config.run_key`; W&B's own id carries the time of
the attempt, because a deterministic id would overwrite silently.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import wandb

from ..records.canonical import encode
from ..records.plans import Plan
from ..records.runs import Run, Stack
from .log import MirroredRun, write_log

MAX_POINTS = 25  # logged steps a run: a mirror is for looking at, the parquet file has every row
MAX_INDEX = 16  # of a metric by layer or unit, so many are logged
AXIS = "trainer/step"


def mirror(plan: Plan, stack: Stack, table: pd.DataFrame, record: dict[str, Any], *, directory: Path) -> None:
    """Write every run of a stack as a W&B run below `directory`; WANDB_MODE=disabled writes none."""
    mode = os.environ.get("WANDB_MODE", "offline")
    if mode == "disabled":
        return
    for run in mirrored_runs(plan, stack, table, record):
        if mode in ("offline", "dryrun"):
            write_log(run, directory / "wandb")
        else:
            log_with_wandb(run, directory, mode=mode)


def mirrored_runs(plan: Plan, stack: Stack, table: pd.DataFrame, record: dict[str, Any]) -> Iterator[MirroredRun]:
    """Yield what W&B is told of each run of a trained stack."""
    attempt = format(int(time.time()), "x")
    history = _history(table)
    for run in stack.runs:
        yield MirroredRun(
            id=f"{run.id}-{attempt}",
            project=os.environ.get("WANDB_PROJECT", "seven-terms"),
            group=run.experiment,
            job_type=run.arm,
            name="/".join(filter(None, (run.arm, _settings_of(run), f"seed{run.seed}"))),
            tags=(run.experiment.split("/")[0], plan.scale),
            config={"run_key": run.id, "stack": record["stack"], **encode(run), "provenance": record["provenance"]},
            axis=AXIS,
            history=[{AXIS: step, **values} for step, values in sorted(history.get(run.id, {}).items())],
            summary=record["runs"][run.id],
            duration_seconds=record["duration_seconds"],
        )


def _settings_of(run: Run) -> str:
    return ",".join(f"{name}={value:g}" for name, value in run.settings.items() if isinstance(value, (int, float)))


def _history(table: pd.DataFrame) -> dict[str, dict[int, dict[str, float]]]:
    """Return {run id: {step: {metric: value}}}, thinned to MAX_POINTS; indexed metrics are named `metric/index`."""
    steps = sorted(table["step"].unique().tolist())
    kept = steps[:: max(len(steps) // MAX_POINTS, 1)] + steps[-1:]
    few = table[table["step"].isin(kept) & (table["index"] < MAX_INDEX)]
    history: dict[str, dict[int, dict[str, float]]] = {}
    columns = (few[name].tolist() for name in ("run_id", "step", "metric", "index", "value"))
    for run_id, step, metric, index, value in zip(*columns, strict=True):
        values = history.setdefault(run_id, {}).setdefault(step, {})
        values[metric if index < 0 else f"{metric}/{index}"] = value
    return history


def log_with_wandb(run: MirroredRun, directory: Path, *, mode: str) -> None:
    """Log a run through wandb itself, as an account needs it."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = wandb.init(
        project=run.project,
        group=run.group,
        job_type=run.job_type,
        name=run.name,
        tags=run.tags,
        id=run.id,
        dir=str(directory),
        mode=mode,
        config=dict(run.config),
        reinit="create_new",
        settings=_settings(),
    )
    handle.define_metric(AXIS)
    handle.define_metric("*", step_metric=AXIS)
    for values in run.history:
        handle.log(dict(values))
    handle.summary.update(dict(run.summary))
    handle.finish()


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
