"""A PyTorch loop as one would write it, one run after the other."""

from __future__ import annotations

import math

import torch
from torch import nn

from seven_terms.records.runs import Run

from .job import Job, Outcome, Pause
from .plain_modules import distance, loss_of, run_parts, trained_parameters


def run(job: Job, pause: Pause, mode: str = "") -> Outcome:
    torch.set_num_threads(job.num_threads)
    arrived = [_train(one, job, pause) for one in job.stack.runs]
    return Outcome(losses=[loss for loss, _ in arrived], distances=[moved for _, moved in arrived])


def _train(one: Run, job: Job, pause: Pause) -> tuple[float, float]:
    module, optimizer, batch = run_parts(one, job.accelerator)
    start, clip_norm = trained_parameters(module), one.training.clipping.norm
    for step in range(job.num_steps):
        loss = loss_of(module, batch(step))
        optimizer.zero_grad()
        loss.backward()
        if clip_norm < math.inf:
            nn.utils.clip_grad_norm_(module.parameters(), clip_norm)
        optimizer.step()
        if (step + 1) % job.chunk == 0:
            loss.item()  # waits for a GPU
            pause()
    return loss_of(module, batch(0)).item(), distance(module, start)
