"""The LightningModule: Lightning drives the fit, one `training_step` makes many updates of the whole stack."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from ..optimizers import gradient_norm
from ..probes import observe
from ..spec import Probe, Stream
from .program import StackedProgram
from .recorder import Recorder
from .stream import StreamWindow


class StackedRuns(pl.LightningModule):
    """A stack of runs as one module. Batches are ranges of update numbers; data come from the program itself."""

    def __init__(self, program: StackedProgram, probes: tuple[Probe, ...], run_ids: list[str]) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.program = program
        self.recorder = Recorder(run_ids)
        stream = next((probe for probe in probes if isinstance(probe, Stream)), None)
        self.stream = StreamWindow(stream, self.recorder)
        steps = [step for step, _ in program.updates]
        observing = () if program.rank else probes  # the first process of several observes
        self.probes_at = _probes_by_update(observing, steps, program.training.num_steps)
        self.next_update = 0
        self.is_observed = False  # also after the last update

    def configure_optimizers(self) -> None:
        """Return nothing: the stack has its own update rules, one rate per run."""

    def ranges(self) -> list[tuple[int, int]]:
        """Return the (first, stop) ranges of updates still to be made: what Lightning iterates over.

        Without any update a stack is observed once, unless a checkpoint made after its last update has been loaded.
        """
        total, length = len(self.program.updates), self.program.way.updates_per_step
        firsts = range(self.next_update, total, length)
        ranges = [(first, min(first + length, total)) for first in firsts]
        return ranges if ranges or self.is_observed else [(total, total)]

    def training_step(self, batch: tuple[int, int], batch_index: int) -> None:
        number, stop = batch
        while number < stop:
            self._observe(number)
            end = self._end_of_part(number, stop)
            self._advance(number, end)
            number = end
        self.next_update = stop
        if stop == len(self.program.updates):
            self._observe(stop)
            self.is_observed = True

    def _end_of_part(self, number: int, stop: int) -> int:
        """Return how far to go in one call: at most to the next probe, one update where that is looked at itself."""
        if self._looks_at_update(number):
            return number + 1
        stop = min(stop, number + self.program.way.updates_per_call)
        return next((later for later in range(number + 1, stop) if later in self.probes_at), stop)

    def _looks_at_update(self, number: int) -> bool:
        """Return whether the parameters before this update are asked for after it."""
        by_probe = any(type(probe).after_update is not Probe.after_update for probe in self.probes_at.get(number, ()))
        return by_probe or (self.stream.wants_update_norm() and not self.program.way.tells_update_norms)

    def _advance(self, first: int, stop: int) -> None:
        program = self.program
        steps = [step for step, _ in program.updates[first:stop]]
        before = program.parameters
        if self._looks_at_update(first):  # kernels and graphs change them in place
            before = {name: parameter.clone() for name, parameter in before.items()}
        told_UR = program.advance(first, stop)
        if self.stream.wants_update_norm():
            if "update_norm" not in told_UR:
                moved = {name: program.parameters[name] - before[name] for name in before}
                told_UR["update_norm"] = gradient_norm(moved).unsqueeze(0)
            told_UR["update_per_gradient"] = told_UR["update_norm"] / told_UR["gradient_norm"]
        self.stream.add(steps, told_UR, program.rules.rate_UR[first:stop], last=stop == len(program.updates))
        for probe in self.probes_at.get(first, ()):
            self._record(steps[0], observe.after_update(probe, program, before))

    def _observe(self, number: int) -> None:
        updates = self.program.updates
        step = updates[number][0] if number < len(updates) else self.program.training.num_steps
        for probe in self.probes_at.get(number, ()):
            self._record(step, observe.at_step(probe, self.program, step))

    def _record(self, step: int, values: Iterable[tuple[str, Tensor, list[int] | None]]) -> None:
        for metric, tensor, index in values:
            self.recorder.record(step, metric, tensor, index=index)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        program = self.program
        checkpoint["stack"] = {
            "next_update": self.next_update,
            "is_observed": self.is_observed,
            "parameters": program.parameters,
            "buffers": program.buffers,
            "state": program.state,
            "diverged_at_R": program.diverged_at_R,
            "initial_loss_R": program.initial_loss_R,
            "probe_state": program.probe_state,
            "rows": self.recorder.state(),
            "held_UR": self.stream.held,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        saved, program = checkpoint["stack"], self.program
        # First, and together: a checkpoint of an older version lacks one of them, and must not be taken in part.
        program.probe_state, self.stream.held = saved["probe_state"], saved["held_UR"]
        self.next_update, self.is_observed = saved["next_update"], saved["is_observed"]
        program.load_state(saved["parameters"], saved["buffers"], saved["state"])
        program.diverged_at_R, program.initial_loss_R = saved["diverged_at_R"], saved["initial_loss_R"]
        self.recorder.load_state(saved["rows"])


def _probes_by_update(probes: tuple[Probe, ...], steps: list[int], num_steps: int) -> dict[int, list[Probe]]:
    """Return the probes due before each update number; a step between two (large) updates counts for the later one."""
    due: dict[int, list[Probe]] = {}
    edges = torch.tensor([*steps, num_steps])
    for probe in probes:
        if isinstance(probe, Stream):
            continue
        wanted = torch.tensor(probe.steps.resolve(num_steps), dtype=edges.dtype)
        for number in torch.searchsorted(edges, wanted).unique().tolist():
            due.setdefault(number, []).append(probe)
    return due
