"""Looks at a stack while it trains: a few numbers over all its runs, when the recorder has something new. None may cost it."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from .stacked_runs import StackedRuns

LOSSES = ("batch_loss", "train_loss", "validation_loss")
QUANTILES = (0.1, 0.5, 0.9)
Look = dict[str, float]


class Looks(pl.Callback):
    """Tells of a stack that trains for longer than `after_seconds`, every `seconds` at most.

    An exception of `tell`, whatever it is, ends the looks with one sentence and leaves the training as it is.
    """

    def __init__(self, tell: Callable[[Look], None], *, after_seconds: float = 30.0, seconds: float = 10.0) -> None:
        self.tell, self.after_seconds, self.seconds = tell, after_seconds, seconds
        self.is_ended = False
        self.num_seen = 0  # of the recorder's rows
        self.newest: dict[str, np.ndarray] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, StackedRuns)
        self.looked_at, self.step = time.monotonic(), _step(pl_module)
        self.due_at = self.looked_at + self.after_seconds

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.is_ended or time.monotonic() < self.due_at or not trainer.is_global_zero:
            return
        assert isinstance(pl_module, StackedRuns)
        if len(pl_module.recorder.rows) == self.num_seen:
            return
        try:
            self.tell(self._look(pl_module))
        except Exception as error:
            self.is_ended = True
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            print(f"seven-terms: the live view ended, the training goes on: {said}", file=sys.stderr, flush=True)

    def _look(self, runs: StackedRuns) -> Look:
        program, num_runs = runs.program, len(runs.recorder.run_ids)
        for _, metric, _, values in runs.recorder.rows[self.num_seen :]:
            if metric in LOSSES:
                self.newest[metric] = values[:, 0]
        self.num_seen = len(runs.recorder.rows)
        now, step = time.monotonic(), _step(runs)
        speed = (step - self.step) * num_runs / max(now - self.looked_at, 1e-9)
        self.looked_at, self.step, self.due_at = now, step, now + self.seconds
        rate_R = program.rules.rate_UR[max(runs.next_update - 1, 0)][:num_runs]
        num_steps = program.training.num_steps
        look: Look = {"step": step, "num_runs": num_runs, "num_steps": num_steps, "progress": step / num_steps}
        look |= {"share_diverged": float((program.diverged_at_R[:num_runs] >= 0).double().mean())}
        look |= {"run_steps_per_second": speed, "memory_bytes": _memory_bytes(program.device)}
        look |= {"learning_rate/min": float(rate_R.min()), "learning_rate/max": float(rate_R.max())}
        for metric, values in self.newest.items():
            look |= quantiles(metric, values)
        return look


def quantiles(metric: str, values: np.ndarray) -> dict[str, float]:
    """Return quantiles over the runs whose value is finite, by name; nothing where there is none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return {}
    found = np.quantile(finite, QUANTILES)
    return {f"{metric}/p{100 * share:.0f}": float(value) for share, value in zip(QUANTILES, found, strict=True)}


def _step(runs: StackedRuns) -> int:
    """Return the step up to which the stack is trained."""
    updates = runs.program.updates
    return updates[runs.next_update][0] if runs.next_update < len(updates) else runs.program.training.num_steps


def _memory_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
