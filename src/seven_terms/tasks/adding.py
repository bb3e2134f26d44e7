"""The adding problem: the sum of two marked numbers in a sequence (Hochreiter and Schmidhuber 1997; Le et al. 2015).

Each step carries a number from U[0, 1] and a mark; one step of each half is marked, uniformly (the form of Arjovsky et
al. 2016). Always answering 1 has a squared error of exactly 1/6. An answer is wrong when it is off by 0.08 or more, the
same share of the targets' range as Hochreiter's 0.04.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..spec import SPLITS, Adding, Split
from .data import Examples, FreshExamples, TaskData, generator, required_size
from .losses import shares, squared_error

TOLERANCE = 0.08


def adding(task: Adding, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return fresh sequences [S, B, T, 2] (number, mark) and sums [S, B, 1]; fixed ones for each evaluation split."""

    def draw(random: torch.Generator, num: int) -> Examples:
        inputs, targets = draw_sequences(random, num, length=task.length)
        return inputs.to(dtype), targets.to(dtype)

    stream = FreshExamples(draw, values_per_example=2 * task.length, device=device)
    fixed = {
        split: tuple(
            tensor.unsqueeze(0).to(device) for tensor in draw(generator(0, "evaluation", index), task.num_evaluated)
        )
        for index, split in enumerate(SPLITS)
    }

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        return stream.take(seeds, position, required_size(task, size))

    def evaluation(split: Split, seeds: Sequence[int]) -> Examples:
        return fixed[split]

    return TaskData(
        input_shape=(task.length, 2),
        num_outputs=1,
        num_examples=None,
        batches=batches,
        evaluation=evaluation,
        loss=squared_error,
        metrics=metrics,
    )


def draw_sequences(random: torch.Generator, num: int, *, length: int) -> Examples:
    """Return (numbers and marks [num, length, 2], sums [num, 1]) in float64."""
    numbers = torch.rand(num, length, generator=random, dtype=torch.float64)
    half = length // 2
    first_at = torch.randint(half, (num, 1), generator=random)
    second_at = torch.randint(half, length, (num, 1), generator=random)
    marks = torch.zeros_like(numbers).scatter_(1, torch.cat([first_at, second_at], 1), 1.0)
    return torch.stack([numbers, marks], dim=-1), (numbers * marks).sum(1, keepdim=True)


def metrics(outputs_B1: Tensor, inputs: Tensor, targets_B1: Tensor) -> dict[str, Tensor]:
    is_right_B1 = (outputs_B1 - targets_B1).abs() < TOLERANCE
    return {"loss": squared_error(outputs_B1, inputs, targets_B1)} | shares(is_right_B1, outputs_B1)
