"""A small stack of every kind of program of the suite, at any scale: one for each task, model, rule, batch and set of probes.

What a scale's data are not on the machine for stands for itself on the bundled digits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from experiments import EXPERIMENTS
from seven_terms.planning.selection import plans_at
from seven_terms.records.runs import Run, Stack
from seven_terms.spec import Cifar10, Digits, Scale, Training
from seven_terms.training.program import StackedProgram
from seven_terms.training.stacked_runs import StackedRuns

NUM_RUNS, NUM_STEPS = 2, 6


def every_kind(*scales: Scale) -> dict[str, Stack]:
    """Return {kind: a stack of two runs in eager mode that make a few steps}; what a Trainer of Lightning trains is none."""
    found: dict[str, Stack] = {}
    for scale in scales:
        for plan in plans_at(EXPERIMENTS, scale, compiling="never").values():
            for stack in plan.stacks.values():
                if isinstance(stack.runs[0].training, Training):
                    found.setdefault(kind_of(stack.runs[0]), _small(stack))
    return found


def kind_of(run: Run) -> str:
    """Return a name of what decides which code a run takes."""
    return ", ".join(_words(run.training)) + "; " + " ".join(sorted(type(probe).__name__ for probe in run.probes))


def covering(stacks: dict[str, Stack]) -> dict[str, Stack]:
    """Return few of the kinds that together hold every word: task, cell, norm, rule, clipping, probe."""
    words = {name: set(name.replace(";", ",").replace(" ", ",").split(",")) for name in stacks}
    left, chosen = set().union(*words.values()), {}
    while left:
        best = max(words, key=lambda name: len(words[name] & left))
        left -= words[best]
        chosen[best] = stacks[best]
    return chosen


def _words(training: Training) -> Iterator[str]:
    model, rule = training.model, training.optimizer
    norm = getattr(model, "normalization", None)
    yield type(training.task).__name__
    yield getattr(model, "cell", type(model).__name__)
    if norm is not None:
        yield "".join([type(norm).__name__, *[f" {name}" for name in ("ghost", "noisy") if getattr(norm, name, None)]])
    for name in ("read_all", "regularization", "residual"):
        if getattr(model, name, False):
            yield name
    if getattr(model, "parametrization", "standard") != "standard":
        yield "muP"
    yield type(rule).__name__ + "".join(
        f" {name}" for name in ("momentum", "nesterov", "average_iterates", "decoupled") if getattr(rule, name, False)
    )
    clipping = training.clipping
    yield from (name for name in ("norm", "value", "adaptive") if getattr(clipping, name) != float("inf"))
    if training.batch_size is None:
        yield "whole split"
    if training.batch_growth:
        yield "growing"
    if training.num_steps == 0:
        yield "untrained"
    yield training.precision


def _small(stack: Stack) -> Stack:
    """Return the first and the last run, with fewer steps, smaller batches and nets where that leaves the kind as it is."""
    runs = stack.runs[:: max(len(stack.runs) - 1, 1)][:NUM_RUNS]
    return dataclasses.replace(stack, runs=tuple(_small_run(run) for run in runs))


def _small_run(run: Run) -> Run:
    training = run.training
    changes: dict = {"num_steps": min(training.num_steps, NUM_STEPS)}
    model, task = training.model, training.task
    if isinstance(task, Cifar10):
        changes["task"] = Digits(resolution=14, num_train=1000, image=task.image)
    if isinstance(task, Digits):
        changes["task"] = dataclasses.replace(task, num_train=min(task.num_train or 1000, 1000))
    if getattr(model, "depth", 0) > 6:
        changes["model"] = dataclasses.replace(model, depth=6)
    if getattr(model, "n", 0) > 1:
        changes["model"] = dataclasses.replace(model, n=1, width=8)
    if (training.batch_size or 0) > 16:
        changes["batch_size"] = 16
    if (getattr(task, "length", None) or 0) > 20:
        changes["task"] = dataclasses.replace(task, length=20)
    norm = getattr(model, "normalization", None)
    if getattr(norm, "ghost", None):
        changes["model"] = dataclasses.replace(
            changes.get("model", model), normalization=dataclasses.replace(norm, ghost=8)
        )
    return dataclasses.replace(run, mode="eager", training=dataclasses.replace(training, **changes))


def in_float64(stack: Stack) -> Stack:
    """Return the same runs in double precision: they tell how far single precision itself goes astray."""
    return dataclasses.replace(
        stack,
        runs=tuple(
            dataclasses.replace(run, training=dataclasses.replace(run.training, precision="float64"))
            for run in stack.runs
        ),
    )


def recorded(stack: Stack, *, device: str) -> dict[tuple[str, str], list[float]]:
    """Train a stack on a device without Lightning; return every recorded value by run and metric."""
    program = StackedProgram(stack, device=device)
    runs = StackedRuns(program, stack.runs[0].probes, [run.id for run in stack.runs])
    for number, part in enumerate(runs.ranges()):
        runs.training_step(part, number)
    table = runs.recorder.table()
    groups = table.groupby(["run_id", "metric"], observed=True)["value"]
    return {(str(run), str(metric)): values.tolist() for (run, metric), values in groups}


def difference(found: dict, wanted: dict, *, by_images: bool = False) -> float:
    """Return the largest difference of two records, relative to the largest number of its metric; inf where one lacks some.

    `by_images`: accuracies count as they are, so that one image at the brink is one image, however few were named right.
    """
    if {key: len(values) for key, values in found.items()} != {key: len(values) for key, values in wanted.items()}:
        return float("inf")
    return max(_difference(found[key], wanted[key], scale=float(by_images and "accuracy" in key[1])) for key in wanted)


def _difference(found: list[float], wanted: list[float], *, scale: float) -> float:
    a, b = np.array(found), np.array(wanted)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return float("inf")
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    return float(np.abs(a - b).max() / max(np.abs(b).max(), scale, 1e-6)) if len(a) else 0.0
