"""One `Trainer.fit` after the other, with everything off that a sweep of small runs does not need."""

from __future__ import annotations

import logging
import math
import tempfile
import warnings

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from seven_terms.records.runs import Run

from .job import Job, Outcome, Pause
from .plain_modules import Batch, distance, loss_of, run_parts, trained_parameters


class Batches(Dataset):
    """The batch of every step: cheaper than single examples that a DataLoader puts together."""

    def __init__(self, batch: Batch, num_steps: int) -> None:
        self.batch, self.num_steps = batch, num_steps

    def __len__(self) -> int:
        return self.num_steps

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        return self.batch(step)


class Fit(pl.LightningModule):
    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, job: Job, pause: Pause) -> None:
        super().__init__()
        self.module, self.rule, self.chunk, self.at_chunk = module, optimizer, job.chunk, pause
        self.wait = torch.cuda.synchronize if job.accelerator == "gpu" else lambda: None

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        return loss_of(self.module, batch)

    def on_train_batch_end(self, outputs: object, batch: object, index: int) -> None:
        if (index + 1) % self.chunk == 0:
            self.wait()
            self.at_chunk()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.rule


def run(job: Job, pause: Pause, mode: str = "") -> Outcome:
    torch.set_num_threads(job.num_threads)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    arrived = [_train(one, job, pause) for one in job.stack.runs]
    return Outcome(losses=[loss for loss, _ in arrived], distances=[moved for _, moved in arrived])


def _train(one: Run, job: Job, pause: Pause) -> tuple[float, float]:
    module, optimizer, batch = run_parts(one, job.accelerator)
    start, clip_norm = trained_parameters(module), one.training.clipping.norm
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on loggers, workers of the DataLoader and Slurm
        trainer = _trainer(job, clip_norm)
        trainer.fit(Fit(module, optimizer, job, pause), DataLoader(Batches(batch, job.num_steps), batch_size=None))
    module.to(batch(0)[0].device)
    return loss_of(module, batch(0)).item(), distance(module, start)


def _trainer(job: Job, clip_norm: float) -> pl.Trainer:
    return pl.Trainer(
        accelerator=job.accelerator,
        devices=1,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=clip_norm if clip_norm < math.inf else None,
        default_root_dir=tempfile.gettempdir(),
    )
