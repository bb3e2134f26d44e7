"""The stream: statistics of every update, summed up in windows and recorded without leaving the device in between."""

from __future__ import annotations

import torch
from torch import Tensor

from ..spec import Stream
from .recorder import Recorder

TOLD = ("batch_loss", "gradient_norm", "clipped_gradient_norm")  # of every update
UPDATE_NORMS = ("update_norm", "update_per_gradient")


class StreamWindow:
    """Collects what each update returns and records window statistics (see `spec.Stream`)."""

    def __init__(self, stream: Stream | None, recorder: Recorder) -> None:
        self.stream, self.recorder = stream, recorder
        self.held: list[dict[str, Tensor]] = []

    def add(self, steps: list[int], told_UR: dict[str, Tensor], rate_UR: Tensor, *, last: bool) -> None:
        """Take what the updates at `steps` told, each [U, R]; `last`: no update follows."""
        if self.stream is None:
            return
        names = [*TOLD, *(UPDATE_NORMS if self.stream.update_norms else ())]
        first = 0
        for end, step in enumerate(steps, start=1):
            if (step + 1) % self.stream.window == 0 or (last and end == len(steps)):
                self.held.append({name: told_UR[name][first:end] for name in names})
                self._record(step + 1, rate_UR[end - 1])
                self.held, first = [], end
        if first < len(steps):
            self.held.append({name: told_UR[name][first:] for name in names})

    def _record(self, step: int, rate_R: Tensor) -> None:
        record = self.recorder.record
        stacked = {name: torch.cat([values[name] for values in self.held]) for name in self.held[0]}
        for name, values_UR in stacked.items():
            record(step, name, values_UR.mean(0))
        for name in ("gradient_norm", "update_norm"):
            if name in stacked:
                record(step, f"{name}_max", stacked[name].amax(0))
        clipped_UR = stacked["clipped_gradient_norm"] < stacked["gradient_norm"] * (1 - 1e-6)
        record(step, "clip_fraction", clipped_UR.double().mean(0))
        record(step, "learning_rate", rate_R)

    def wants_update_norm(self) -> bool:
        return self.stream is not None and self.stream.update_norms
