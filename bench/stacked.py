"""Ours: the stacked trainer with Lightning driving it, as the pipeline calls it."""

from __future__ import annotations

import dataclasses
from unittest import mock

import pytorch_lightning as pl
import torch

from seven_terms.planning.modes import has_kernels
from seven_terms.training.advance import WAYS
from seven_terms.training.stacked_runs import StackedRuns
from seven_terms.training.train_stack import fit

from .job import Job, Outcome, Pause


class Chunks(pl.Callback):
    """Pauses after every chunk of updates, and remembers where the parameters began."""

    def __init__(self, job: Job, pause: Pause) -> None:
        self.chunk, self.pause = job.chunk, pause
        self.wait = torch.cuda.synchronize if job.accelerator == "gpu" else lambda: None
        self.initial: dict[str, torch.Tensor] = {}

    def on_train_start(self, trainer: pl.Trainer, module: StackedRuns) -> None:
        self.initial = {name: tensor.clone() for name, tensor in module.program.parameters.items()}

    def on_train_batch_end(self, trainer: pl.Trainer, module: StackedRuns, *arguments: object) -> None:
        if module.next_update % self.chunk == 0:
            self.wait()
            self.pause()


def run(job: Job, pause: Pause, mode: str) -> Outcome:
    chunks, stack = Chunks(job, pause), job.stack
    if mode == "planned":
        mode = "native" if has_kernels(job.training) and job.accelerator == "cpu" else "eager"
    stack = dataclasses.replace(stack, runs=tuple(dataclasses.replace(run, mode=mode) for run in stack.runs))
    # Lightning's steps are as long as in the pipeline, and shorter only where a chunk is.
    length = min(WAYS[mode].updates_per_step, job.chunk)
    with mock.patch.object(WAYS[mode], "updates_per_step", length):
        fitted = fit(stack, accelerator=job.accelerator, callbacks=[chunks])
    program, num_runs = fitted.program, job.stop - job.first
    loss_R = program.losses(program.parameters, program.frozen_buffers(), program.batch_of_step(0))
    moved = [(program.parameters[name] - start).flatten(1) for name, start in chunks.initial.items()]
    return Outcome(
        losses=loss_R[:num_runs].tolist(),
        distances=torch.cat(moved, 1).norm(dim=1)[:num_runs].tolist(),
        device_bytes=torch.cuda.max_memory_allocated() if job.accelerator == "gpu" else 0,
    )
