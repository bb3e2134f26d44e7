"""One W&B run written through wandb itself, offline: its folder holds what `wandb sync` sends and `wandb leet` shows."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import wandb

from .content import MirroredRun

PROJECT = "seven-terms"


def project() -> str:
    return os.environ.get("WANDB_PROJECT") or PROJECT


def write_run(run: MirroredRun, folder: Path, *, staging: Path) -> Path:
    """Write a run, move its folder into `folder`, and return where it lies."""
    staging.mkdir(parents=True, exist_ok=True)
    handle = wandb.init(
        project=project(),
        entity=os.environ.get("WANDB_ENTITY") or None,
        group=run.group,
        job_type=run.job_type,
        name=f"{run.group}/{run.label}",
        tags=run.tags,
        notes=run.notes,
        id=run.id,
        dir=str(staging),
        mode="offline",
        config=dict(run.config) | {"attempt": run.attempt},
        reinit="create_new",
        settings=settings(),
    )
    _define(handle, run)
    for values in run.history:
        handle.log(dict(values))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _log_files(handle, run)
    handle.summary.update(dict(run.summary))
    written = Path(handle.settings.sync_dir)
    handle.finish()
    for useless in ("logs", "tmp"):
        shutil.rmtree(written / useless, ignore_errors=True)
    place = folder / written.name
    os.replace(written, place)
    return place


def _define(handle: wandb.Run, run: MirroredRun) -> None:
    """Say what every metric is drawn over and which of its values is the best one."""
    if not run.axis:
        return
    handle.define_metric(run.axis, hidden=True)
    for name, end in run.directions.items():  # one by one: offline, wandb does not say which names "*" stands for
        if name != run.axis:
            handle.define_metric(name, step_metric=run.axis, summary=None if end == "none" else f"{end},last")


def _log_files(handle: wandb.Run, run: MirroredRun) -> None:
    media = {
        name: wandb.Table(columns=list(columns), data=[list(row) for row in rows], allow_mixed_types=True)
        for name, (columns, rows) in run.tables.items()
    }
    media |= {name: wandb.Image(str(path)) for name, path in run.images.items()}
    if media:
        handle.log(media)
    if run.files:
        artifact = wandb.Artifact(
            f"results-{run.config['at_scale']}", type="results", description=run.notes, metadata=dict(run.config)
        )
        for name, path in run.files.items():
            artifact.add_file(str(path), name=name)
        handle.log_artifact(artifact)


def settings() -> wandb.Settings:
    # x_... settings are private to wandb: they stand in this one place.
    return wandb.Settings(
        console="off",
        silent=True,
        disable_code=True,
        disable_git=True,
        symlink=False,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )
