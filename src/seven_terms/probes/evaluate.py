"""Losses and accuracies on the splits, with running statistics and, if asked, with the split's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ..spec import Evaluate


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
    examples = tuple(tensor[:, : probe.num_examples] for tensor in program.task.evaluation(split, program.seeds))
    program.module.train(training)
    try:
        metrics = program.metrics(parameters, examples)
    finally:
        program.module.train(True)
    for name, value_R in metrics.items():
        yield f"{prefix}{split}_{name}", value_R, None
