"""The runs of a stack, one after the other, each with objects and seeds of its own: no run knows of its neighbours."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl

from ...records.runs import Run, Stack
from ...spec import LightningTraining
from ..ranks import joined, own_rank
from .making import environments_of, library_of, made, make_trainer, silence
from .recording import Recording, end_of, logger_of, read_recording, table_of, write_recording
from .resuming import callback_of, usable


class LightningRuns:
    """What a stack of them left: a table of metrics, and how each run ended."""

    def __init__(self, stack: Stack, recordings: Mapping[str, Recording]) -> None:
        self.stack, self.recordings = stack, recordings

    @property
    def ends(self) -> dict[str, dict[str, Any]]:
        return {run.id: end_of(run, self.recordings[run.id]) for run in self.stack.runs}

    def table(self) -> Any:
        return table_of(self.recordings)


def fit_runs(stack: Stack, *, state_dir: Path | None, accelerator: str) -> LightningRuns:
    """Return the trained runs; with `state_dir`, an interrupted call resumes."""
    silence()
    folder = None if state_dir is None else state_dir / f"{stack.id}.runs"
    rank = own_rank()
    recordings = {}
    with joined(rank, stack.num_devices, accelerator=accelerator), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"pytorch_lightning\..*|lightning_fabric\..*|lightning\..*")
        for run in stack.runs:
            recordings[run.id] = _fit(run, folder, accelerator=accelerator)
    return LightningRuns(stack, recordings)


def forget(stack: Stack, state_dir: Path) -> None:
    """Delete what was kept for a resume."""
    shutil.rmtree(state_dir / f"{stack.id}.runs", ignore_errors=True)


def _fit(run: Run, folder: Path | None, *, accelerator: str) -> Recording:
    training = cast(LightningTraining, run.training)
    recording = Recording(training)
    done = None if folder is None else folder / f"{run.id}.json"
    if done is not None and read_recording(done, recording):
        return recording
    pl.seed_everything(run.seed, workers=True, verbose=False)
    module = made(training.module)
    data = {} if training.datamodule is None else {"datamodule": made(training.datamodule)}
    library = library_of(module, *data.values())
    checkpoint = None if folder is None else folder / f"{run.id}.ckpt"
    logger = logger_of(library, recording)
    trainer = make_trainer(
        library,
        training,
        ours=[callback_of(library, recording, checkpoint=checkpoint)],
        logger=logger,
        accelerator=accelerator,
        devices=1,
        default_root_dir=tempfile.gettempdir(),
        # inside a Slurm job step Lightning would wait for ranks that never come
        plugins=[environments_of(library).LightningEnvironment()],
    )
    logger.trainer = trainer
    trainer.fit(module, **data, ckpt_path=usable(checkpoint))
    if trainer.interrupted:
        raise KeyboardInterrupt
    recording.num_steps = trainer.global_step
    if recording.diverged_at is None and _has_test(library, module, data):
        trainer.test(module, **data, verbose=False)
    if trainer.is_global_zero:
        recording.finish(f"{run.experiment}, arm {run.arm!r}, {training.module.name}")
        if done is not None:
            write_recording(done, recording)
    return recording


def _has_test(library: Any, module: Any, data: Mapping[str, Any]) -> bool:
    """Return whether there is a test to be made: the step, and data for it."""
    holder, kind = (data["datamodule"], library.LightningDataModule) if data else (module, library.LightningModule)
    is_step = type(module).test_step is not library.LightningModule.test_step
    return is_step and getattr(type(holder), "test_dataloader", None) is not kind.test_dataloader
