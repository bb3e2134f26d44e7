"""A run and a stack: what is trained, and the ids that follow from it; standard library only."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..spec import AnyTraining, Probe
from .canonical import ID_LENGTH, content_id, part_id, settings_json

TRAINING_VERSION = 3  # raised by every commit that changes a run's numbers: all runs get new ids
# How the arithmetic is carried out, and by whom: see `planning.modes`.
Mode = Literal["eager", "compiled", "native", "serial", "lightning"]
# Raised where a mode rounds in another way and nothing else changes: its runs get new ids, claims keep their definition.
ROUNDINGS: Mapping[Mode, int] = {"native": 2}

_quoted = functools.cache(json.dumps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One training: its record decides its numbers. `settings` are the sweep values by short name.

    Modes round differently, so the mode is part of a run's identity.
    """

    experiment: str  # "<term>/<name>"
    arm: str
    settings: Mapping[str, Any]
    seed: int
    training: AnyTraining
    probes: tuple[Probe, ...]
    mode: Mode = "eager"

    @property
    def id(self) -> str:
        # The canonical JSON of the record, put together from parts that are remembered: thousands of runs share them.
        mode = "" if self.mode == "eager" else f'"mode":{_quoted(self.mode)},'
        rounding = f'"rounding":{ROUNDINGS[self.mode]},' if self.mode in ROUNDINGS else ""
        text = (
            f'{{"arm":{_quoted(self.arm)},"experiment":{_quoted(self.experiment)},{mode}"probes":"{part_id(self.probes)}",'
            f'{rounding}"seed":{self.seed},"settings":{settings_json(self.settings)},"training":"{part_id(self.training)}",'
            f'"version":{TRAINING_VERSION}}}'
        )
        return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """Runs trained as one tensor program. The id names the metrics file."""

    experiment: str
    runs: tuple[Run, ...]

    @property
    def id(self) -> str:
        return content_id([run.id for run in self.runs])

    @property
    def num_steps(self) -> int:
        return self.runs[0].training.num_steps

    @property
    def num_devices(self) -> int:
        """How many devices share each batch of these runs."""
        return self.runs[0].training.num_devices
