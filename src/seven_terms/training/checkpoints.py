"""Interruption: the state of a stack, written by the clock to a directory outside the workflow's outputs.

A checkpoint belongs to one stack id, hence to one plan; it is written to a temporary file and renamed, so a kill at any
moment leaves either the last one or none.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

SECONDS_BETWEEN = 30.0


class Checkpoints(pl.Callback):
    """Saves every `SECONDS_BETWEEN`; `restore` goes on from the last save, `remove` is for the end."""

    def __init__(self, directory: Path, stack_id: str, *, seconds_between: float = SECONDS_BETWEEN) -> None:
        self.path = directory / f"{stack_id}.ckpt"
        self.stack_id = stack_id
        self.seconds_between = seconds_between
        self.saved_at = time.monotonic()

    def restore(self, module: pl.LightningModule) -> bool:
        """Load the last checkpoint of this stack if there is one; a torn or foreign file is ignored and removed."""
        if not self.path.exists():
            return False
        try:
            checkpoint = torch.load(self.path, weights_only=True)
            assert checkpoint["stack_id"] == self.stack_id
        except Exception:
            self.remove()
            return False
        module.on_load_checkpoint(checkpoint)
        return True

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if time.monotonic() - self.saved_at < self.seconds_between:
            return
        self.save(trainer)

    def save(self, trainer: pl.Trainer) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(f".{os.getpid()}.tmp")
        trainer.save_checkpoint(temporary)
        os.replace(temporary, self.path)
        self.saved_at = time.monotonic()

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["stack_id"] = self.stack_id

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
