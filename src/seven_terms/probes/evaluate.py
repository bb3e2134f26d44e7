"""Losses and accuracies on the splits, with running statistics and, if asked, with the split's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..spec import EXAMPLES_AT_ONCE, Evaluate


def observe_evaluation(probe: Evaluate, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    evaluated = _evaluated(program, step)
    for split in probe.splits:
        for prefix, parameters in evaluated.items():
            yield from _evaluate(probe, program, split, parameters, prefix, training=False)
        if probe.batch_statistics:
            yield from _evaluate(probe, program, split, program.parameters, "batch_statistics_", training=True)


def _evaluated(program: Any, step: int) -> dict[str, dict[str, Tensor]]:
    """Return what is evaluated by the prefix of its metrics; with averages comes what is not trained."""
    parameters, result = program.parameters, program.training.optimizer.result
    if result:
        handed_over = {**parameters, **program.state[result]} if step else parameters
        return {"": handed_over, "iterate_": parameters}
    averaged = program.state.get("average")
    return {"": parameters} if averaged is None else {"": parameters, "averaged_": {**parameters, **averaged}}


def _evaluate(
    probe: Evaluate, program: Any, split: str, parameters: dict[str, Tensor], prefix: str, *, training: bool
) -> Iterator[tuple[str, Tensor, None]]:
    """Yield `<prefix><split>_<metric>`: the mean over the first `num_examples` examples of the split."""
    tensors = [tensor[:, : probe.num_examples] for tensor in program.task.evaluation(split, program.seeds)]
    total = tensors[0].shape[1]
    at_once = total if training else EXAMPLES_AT_ONCE
    sums: dict[str, Tensor] = {}
    program.module.train(training)
    try:
        with torch.no_grad():
            for first in range(0, total, at_once):
                part = tuple(tensor[:, first : first + at_once] for tensor in tensors)
                for name, value_R in _metrics(program, parameters, part).items():
                    sums[name] = sums.get(name, 0.0) + value_R.double() * (part[0].shape[1] / total)
    finally:
        program.module.train(True)
    for name, value_R in sums.items():
        yield f"{prefix}{split}_{name}", value_R, None


def _metrics(program: Any, parameters: dict[str, Tensor], part: tuple[Tensor, ...]) -> dict[str, Tensor]:
    shared = part[0].shape[0] != len(program.seeds) or len(program.seeds) == 1
    batch = tuple(tensor[0] for tensor in part) if shared else program.spread(part)
    outputs_RB = program.outputs(parameters, batch[0], shared=shared)
    dims = (0, *[None if shared else 0 for _ in batch])
    return torch.vmap(program.task.metrics, in_dims=dims)(outputs_RB, *batch)
