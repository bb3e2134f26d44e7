"""What a run needs besides its module: it ends where its loss is no number, and is saved by the clock between epochs."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from ...records.atomic import UNSTAMPED, is_whole, stamped, write
from ..checkpoints import seconds_between
from .recording import Recording


def callback_of(library: ModuleType, recording: Recording, *, checkpoint: Path | None) -> Any:
    """Return a callback of Lightning's that ends a diverged run and, with a path, saves a checkpoint by the clock.

    Lightning starts an epoch's data anew after a resume, so it is saved at the end of one, with the states of the random number
    generators: a resumed run ends with the same numbers.
    """

    class Keeper(library.Callback):  # type: ignore[name-defined]
        state_key = "seven_terms"

        def __init__(self) -> None:
            self.saved_at = time.monotonic()
            self.generators: dict[str, Any] | None = None

        def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
            if self.generators is not None:  # the epoch's batches are drawn next
                load_generators(self.generators)

        def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
            if checkpoint is None or recording.diverged_at is not None:
                return
            if trainer.strategy.broadcast(time.monotonic() - self.saved_at >= seconds_between()):
                # Lightning logs the means of an epoch after this hook, and a resumed fit counts the epoch as logged.
                recording.add(trainer.global_step, trainer._logger_connector.metrics["log"])
                self.save(trainer, checkpoint)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            loss = outputs["loss"] if isinstance(outputs, dict) and "loss" in outputs else outputs
            bad = isinstance(loss, torch.Tensor) and not bool(torch.isfinite(loss).all())
            if trainer.strategy.reduce_boolean_decision(bad, all=False) and recording.diverged_at is None:
                recording.diverged_at = max(trainer.global_step - 1, 0)  # the update that was made with this loss
                trainer.should_stop = True
                trainer.fit_loop.epoch_loop.min_steps = trainer.fit_loop.min_epochs = (
                    None  # nothing is left to wait for
                )

        def save(self, trainer: Any, path: Path) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            trainer.save_checkpoint(temporary)
            if trainer.is_global_zero:
                data = temporary.read_bytes() + UNSTAMPED.encode()  # behind the end of a zip file, where nobody reads
                write(path, stamped(data), beside=False)
                temporary.unlink()
            self.saved_at = time.monotonic()

        def state_dict(self) -> dict[str, Any]:
            return {"recording": recording.state(), "generators": generators()}

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            recording.load_state(state_dict["recording"])
            self.generators = state_dict["generators"]

    return Keeper()


def generators() -> dict[str, Any]:
    """Return the states of all random number generators that seed_everything sets, as plain values and tensors."""
    name, keys, *rest = np.random.get_state(legacy=True)
    state: dict[str, Any] = {"torch": torch.get_rng_state(), "numpy": [str(name), keys.tolist(), *rest]}
    version, numbers, gauss = random.getstate()
    state["python"] = [version, list(numbers), gauss]
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def load_generators(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"].cpu())
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), *rest))
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    if "cuda" in state:
        torch.cuda.set_rng_state_all([one.cpu() for one in state["cuda"]])


def usable(path: Path | None) -> Path | None:
    """Return the path of a whole checkpoint; a torn one is removed."""
    if path is None or not path.is_file():
        return None
    if is_whole(path):
        return path
    path.unlink()
    return None
