"""Linear regression with targets of large variance: the toy problem on which an unclipped network goes NaN.

As scikit-learn's make_regression draws it: standard normal features, the first informative coefficients uniform in
[0, coefficient_scale) and the rest zero, Gaussian noise, features shuffled. The first half of the examples trains (its
last fifth is the validation split), the second half tests. Each seed draws its own problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch

from ..spec import LinearRegression, Split
from .data import ExampleOrder, Examples, TaskData, generator
from .losses import squared_error, squared_error_metrics


def linear_regression(task: LinearRegression, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return features [S, B, D] and targets [S, B, 1], of one problem for each seed."""
    half = task.num_examples // 2
    num_train = half - half // 5
    rows = {"train": slice(num_train), "validation": slice(num_train, half), "test": slice(half, task.num_examples)}
    order = ExampleOrder(num_train, device=device)

    @lru_cache(maxsize=2)
    def problems(seeds: tuple[int, ...]) -> Examples:
        drawn = [draw_problem(task, seed=seed, num_train=num_train) for seed in seeds]
        return tuple(torch.stack(tensors).to(device, dtype) for tensors in zip(*drawn, strict=True))

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        if size is None:
            return evaluation("train", seeds)
        indices_SB, tensors = order.indices(seeds, position, size), problems(tuple(seeds))
        first_S1 = task.num_examples * torch.arange(len(seeds), device=device).unsqueeze(
            -1
        )  # of its problem, in a pool
        chosen = (first_S1 + indices_SB).reshape(-1)
        # whole rows are copied: several times as fast as by entries
        return tuple(one.flatten(0, 1).index_select(0, chosen).view(*indices_SB.shape, -1) for one in tensors)

    def evaluation(split: Split, seeds: Sequence[int]) -> Examples:
        return tuple(tensor[:, rows[split]] for tensor in problems(tuple(seeds)))

    return TaskData(
        input_shape=(task.num_features,),
        num_outputs=1,
        num_examples=num_train,
        batches=batches,
        evaluation=evaluation,
        loss=squared_error,
        metrics=squared_error_metrics,
    )


def draw_problem(task: LinearRegression, *, seed: int, num_train: int) -> Examples:
    """Return features [N, D] and targets [N, 1] of a seed's problem, in float64."""
    random = generator(seed, "problem")
    features = torch.randn(task.num_examples, task.num_features, generator=random, dtype=torch.float64)
    coefficients = torch.zeros(task.num_features, 1, dtype=torch.float64)
    informative = torch.rand(task.num_informative, 1, generator=random, dtype=torch.float64)
    coefficients[: task.num_informative] = task.coefficient_scale * informative
    coefficients = coefficients[torch.randperm(task.num_features, generator=random)]
    noise = torch.randn(task.num_examples, 1, generator=random, dtype=torch.float64)
    targets = features @ coefficients + task.noise * noise
    if task.standardize:
        targets /= targets[:num_train].std(correction=0)
    return features, targets
