"""Temporal order: name the order of two symbols far apart in a sequence of distractors (Pascanu et al. 2013, 4.1.1).

Symbols 0, 1 (A, B) matter, 2..5 (c, d, e, f) distract. Positions as in the authors' code, not its doc-string: the first
symbol in [L/10, 2L/10), the second in [L/2, 6L/10). Class = first + 2 * second.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..spec import SPLITS, Split, TemporalOrder
from .data import Examples, FreshExamples, TaskData, generator, required_size
from .losses import classification_metrics, cross_entropy

NUM_SYMBOLS, NUM_CLASSES = 6, 4


def temporal_order(task: TemporalOrder, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return fresh one-hot sequences [S, B, T, 6] and classes [S, B]; fixed sequences for each evaluation split."""

    def draw(random: torch.Generator, num: int) -> Examples:
        return draw_sequences(random, num, length=task.length)

    stream = FreshExamples(draw, values_per_example=task.length, device=device)
    fixed = {
        split: tuple(tensor.to(device) for tensor in draw(generator(0, "evaluation", index), task.num_evaluated))
        for index, split in enumerate(SPLITS)
    }
    one_hot = torch.eye(NUM_SYMBOLS, dtype=dtype, device=device)

    def encode(symbols: Tensor, labels: Tensor) -> Examples:
        rows = one_hot.index_select(0, symbols.reshape(-1).int())
        return rows.view(*symbols.shape, NUM_SYMBOLS), labels

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        return encode(*stream.take(seeds, position, required_size(task, size)))

    def evaluation(split: Split, seeds: Sequence[int]) -> Examples:
        symbols, labels = fixed[split]
        return encode(symbols.unsqueeze(0), labels.unsqueeze(0))

    return TaskData(
        input_shape=(task.length, NUM_SYMBOLS),
        num_outputs=NUM_CLASSES,
        num_examples=None,
        batches=batches,
        evaluation=evaluation,
        loss=cross_entropy,
        metrics=classification_metrics,
    )


def draw_sequences(random: torch.Generator, num: int, *, length: int) -> Examples:
    """Return symbols [num, length] as bytes and classes [num]."""
    tenth = length // 10
    symbols = torch.randint(2, NUM_SYMBOLS, (num, length), generator=random, dtype=torch.uint8)
    first_at_second_at = torch.randint(tenth, (num, 2), generator=random) + torch.tensor([tenth, length // 2])
    first_second = torch.randint(2, (num, 2), generator=random)
    symbols.scatter_(1, first_at_second_at, first_second.to(torch.uint8))
    return symbols, first_second @ torch.tensor([1, 2])
