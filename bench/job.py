"""What a contender is asked to do and what it answers; both travel between processes as JSON.

A contender makes `num_steps` steps of its runs and calls `pause` after every `chunk` of them: what lies before the first
call is start-up, each later call ends one timed round. It then returns where every run arrived.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from seven_terms.records.runs import Stack
from seven_terms.spec import Training

from .workloads import WORKLOADS, grid

Pause = Callable[[], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Runs first ... stop - 1 of a workload's grid of `num_runs`. JAX finds its data, written by `exchange`, in `data_path`."""

    workload: str
    num_runs: int
    first: int
    stop: int
    num_steps: int
    chunk: int
    num_threads: int = 1
    accelerator: Literal["cpu", "gpu"] = "cpu"
    data_path: str = ""

    @property
    def training(self) -> Training:
        return WORKLOADS[self.workload]

    @property
    def stack(self) -> Stack:
        whole = grid(self.training, self.num_runs, num_steps=self.num_steps)
        return dataclasses.replace(whole, runs=whole.runs[self.first : self.stop])


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Of each run: the loss on its first batch after the last step, and how far its parameters have moved.

    `device_bytes` is the peak on a GPU, 0 on a processor, where the process's own peak counts.
    """

    losses: list[float]
    distances: list[float]
    device_bytes: int = 0
