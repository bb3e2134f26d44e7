"""Which examples every run sees: equal seeds see equal batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..records.runs import Run
from ..tasks.data import TaskData


class Batches:
    """The updates of a training as (step, batch size), and their batches with the run axis in front.

    `copied`: also what all seeds share is laid out once for each run. Compiled code would be another for tensors without a
    copy, and round differently.
    """

    def __init__(self, task: TaskData, runs: Sequence[Run], *, device: torch.device, copied: bool) -> None:
        self.task, self.num_runs, self.copied = task, len(runs), copied
        self.base_size = runs[0].training.batch_size
        self.updates = list(runs[0].training.updates())
        self.seeds = sorted({run.seed for run in runs})
        self.seed_of_row = [self.seeds.index(run.seed) for run in runs]
        self.seed_index_R = torch.tensor(self.seed_of_row, device=device)

    def of_update(self, number: int) -> tuple[Tensor, ...]:
        """Return the batch of update `number`, each tensor [R, B, ...]."""
        return self._batch(*self.updates[number])

    def of_run(self, number: int) -> Callable[[int], tuple[Tensor, ...]]:
        """Return row -> the batch of update `number` of that run, each tensor [B, ...], none of them copied."""
        step, size = self.updates[number]
        tensors = self.task.batches(self.seeds, step * (self.base_size or 1), size)
        return lambda row: tuple(one[0 if one.shape[0] == 1 else self.seed_of_row[row]] for one in tensors)

    def of_step(self, step: int) -> tuple[Tensor, ...]:
        """Return the batch that the update at `step` uses; after the last update, the batch that would come next."""
        size = next((size for first, size in reversed(self.updates) if first <= step), self.base_size)
        return self._batch(step, size)

    def spread(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return tensors [S, ...] as [R, ...] by each run's seed, and [1, ...] as [R, ...]."""
        shared = tuple(
            tensor.expand(self.num_runs, *tensor.shape[1:])
            if tensor.shape[0] == 1
            else tensor.index_select(0, self.seed_index_R)
            for tensor in tensors
        )
        return tuple(tensor.contiguous() for tensor in shared) if self.copied else shared

    def _batch(self, step: int, size: int | None) -> tuple[Tensor, ...]:
        return self.spread(self.task.batches(self.seeds, step * (self.base_size or 1), size))
