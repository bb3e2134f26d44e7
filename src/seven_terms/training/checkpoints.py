"""Interruption: the state of a stack, written by the clock to a directory outside the workflow's outputs.

A checkpoint belongs to one stack id, hence to one plan; it is written to a temporary file and renamed, so a kill at any
moment leaves either the last one or none. SEVEN_TERMS_CHECKPOINT_SECONDS says how often, 30 if unset.
"""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from ..records.atomic import PART, UNSTAMPED, read_stamped, stamped, write
from ..spec import require

SECONDS_BETWEEN = "SEVEN_TERMS_CHECKPOINT_SECONDS"


class Checkpoints(pl.Callback):
    """Saves every so many seconds; `restore` resumes from the last save, `remove` deletes it when the metrics are written."""

    def __init__(self, directory: Path, stack_id: str) -> None:
        self.path = directory / f"{stack_id}.ckpt"
        self.stack_id = stack_id
        self.seconds_between = seconds_between()
        self.saved_at = time.monotonic()

    def restore(self, module: pl.LightningModule) -> bool:
        """Load the last checkpoint of this stack if there is one; a torn, older or foreign file is ignored and removed."""
        if not self.path.exists():
            return False
        try:
            data = read_stamped(self.path)
            where = {"cuda:0": str(module.program.device)}
            checkpoint = torch.load(io.BytesIO(data), weights_only=True, map_location=where)
            assert checkpoint["stack_id"] == self.stack_id
            module.on_load_checkpoint(checkpoint)
        except Exception as error:
            print(
                f"seven-terms train: checkpoint {self.path} is of no use ({error}); training starts anew.",
                file=sys.stderr,
            )
            self.remove()
            return False
        return True

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        due = time.monotonic() - self.saved_at >= self.seconds_between
        if trainer.strategy.broadcast(due):  # of several processes the first decides: all have to save together
            self.save(trainer)

    def save(self, trainer: pl.Trainer) -> None:
        temporary = self.path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            trainer.save_checkpoint(temporary)
            if trainer.is_global_zero:
                data = temporary.read_bytes() + UNSTAMPED.encode()  # behind the end of a zip file, where nobody reads
                write(self.path, stamped(data), beside=False)
        except OSError as error:  # a full disk: what is trained so far must not be lost for a way to resume it
            told = (
                f"checkpoint {self.path} cannot be written ({error.strerror}); training goes on, the last one stands."
            )
            print(f"seven-terms train: {told}", file=sys.stderr)
        finally:
            temporary.unlink(missing_ok=True)
        self.saved_at = time.monotonic()

    def on_save_checkpoint(self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint["stack_id"] = self.stack_id

    def remove(self) -> None:
        """Delete the checkpoint, and what a kill in the middle of a save has left."""
        left = (*self.path.parent.glob(f"{self.stack_id}.*.tmp"), *self.path.parent.glob(f".{self.path.name}.*{PART}"))
        for path in (self.path, *left):
            path.unlink(missing_ok=True)


def seconds_between() -> float:
    """Return how often to save; ValueError where the environment says no such thing."""
    given = os.environ.get(SECONDS_BETWEEN) or "30"
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    require(seconds >= 0, what=SECONDS_BETWEEN, must="it must be a number of seconds >= 0", got=given)
    return seconds
