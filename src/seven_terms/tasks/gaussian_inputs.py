"""Standard normal inputs with uniform labels: enough for statements about networks at initialization."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch

from ..spec import SPLITS, GaussianInputs, Split
from .data import Examples, FreshExamples, TaskData, generator, required_size
from .losses import classification_metrics, cross_entropy

NUM_EVALUATED = {False: 256, True: 32}  # flat inputs, sequences


def gaussian_inputs(task: GaussianInputs, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return fresh inputs [S, B, (T,) D] and labels [S, B]; evaluation examples are fixed for each seed and split."""
    shape = (task.num_features,) if task.length is None else (task.length, task.num_features)

    def draw(random: torch.Generator, num: int) -> Examples:
        inputs = torch.randn(num, *shape, generator=random, dtype=torch.float64)
        return inputs.to(dtype), torch.randint(task.num_classes, (num,), generator=random)

    stream = FreshExamples(draw, values_per_example=prod(shape), device=device)

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        return stream.take(seeds, position, required_size(task, size))

    def evaluation(split: Split, seeds: Sequence[int]) -> Examples:
        num = NUM_EVALUATED[task.length is not None]
        drawn = [draw(generator(seed, "evaluation", SPLITS.index(split)), num) for seed in seeds]
        return tuple(torch.stack(tensors).to(device) for tensors in zip(*drawn, strict=True))

    return TaskData(
        input_shape=shape,
        num_outputs=task.num_classes,
        num_examples=None,
        batches=batches,
        evaluation=evaluation,
        loss=cross_entropy,
        metrics=classification_metrics,
    )
