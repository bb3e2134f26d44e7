"""What a stack asks of a device, probes included, from its record alone: launches, operations, memory; standard library only.

Time is modelled as launches (layers passed through, whatever their size) times a device's time for one, plus operations
over its rate. An experiment's arithmetic is that of `cost`; nothing here decides what a stack holds.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .. import spec
from ..records.runs import Mode
from ..spec import Training
from .cost import convolutions, multiply_adds, num_inputs, num_parameters, num_rows, sequence_length

Split = Literal["train", "validation", "test"]
Kind = Literal["point", "dense", "recurrent", "convolution", "native"]
SPLITS: tuple[Split, ...] = Split.__args__  # type: ignore[attr-defined]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
VALUE_OPERATIONS = 100.0  # reading and writing a number costs as much time as so many operations, on a core as on a GPU
DRAWN_OPERATIONS = 500.0  # and drawing one
COMPILED_SHARE = 0.3  # of launches and of moved numbers that is left in compiled code
NATIVE_SHARE = 0.1  # of moved numbers that is left in kernels, which have a launch for every run and layer
FIXED_LAUNCHES = 3.0  # of an update besides its layers: the batch, the rule, the bookkeeping
EXAMPLES_AT_ONCE = 250  # of an evaluation
SAVED_GATES = {"lstm": 10, "gru": 8}
NUM_EXAMPLES = {"bundled": (3_500, 500, 1_000), "mnist": (55_000, 5_000, 10_000), "cifar10": (45_000, 5_000, 10_000)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """What a stack asks for. `operations` are `flops` and the time of moving numbers, in the same unit."""

    kind: Kind
    is_compiled: bool
    num_updates: int
    launches: float
    flops: float
    operations: float
    memory_bytes: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Passes:
    """`count` passes of every run over `examples`: forward alone (share 1) or forward and backward (share 3)."""

    count: float
    examples: float
    share: int = 3


def workload(
    training: Training, probes: tuple[spec.Probe, ...], *, num_runs: int, num_seeds: int, mode: Mode = "eager"
) -> Workload:
    """Return what a stack of `num_runs` runs asks for, the runs that pad it included."""
    is_compiled, is_native = mode == "compiled", mode == "native"
    rows = num_runs if is_native else num_rows(training, num_runs, is_compiled=is_compiled)
    launched = rows if is_native else 1
    sizes = update_sizes(training)
    updates = [Passes(count=count, examples=size) for size, count in sizes.items()]
    num_updates = sum(sizes.values())
    measured = [passes for probe in probes for passes in _passes_of(probe, training)]
    width = 2.0 if training.precision == "float64" else 1.0
    flops = values = launches = 0.0
    for passes in (*updates, *measured):
        eager = COMPILED_SHARE if is_compiled and passes in updates else 1.0  # probes are not compiled
        eager = NATIVE_SHARE if is_native else eager
        flops += rows * passes.count * 2 * passes.share * passes.examples * multiply_adds(training)
        moved = passes.share * passes.examples * values_per_example(training)
        values += eager * rows * passes.count * (moved + num_parameters(training) * (passes.share == 3))
        launches += (launched if is_native else eager) * passes.count * passes.share * num_layers(training)
    flops += rows * sum(_factorizations(probe, training) for probe in probes)
    drawn = num_seeds * sum(size * count for size, count in sizes.items()) * _drawn_per_example(training)
    return Workload(
        kind="native" if is_native else kind_of(training),
        is_compiled=is_compiled,
        num_updates=num_updates,
        launches=launches + launched * FIXED_LAUNCHES * num_updates,
        flops=width * flops,
        operations=width * (flops + VALUE_OPERATIONS * values + DRAWN_OPERATIONS * drawn),
        memory_bytes=4 * width * (rows * _values_at_once(training, [*updates, *measured]) + stored_values(training)),
    )


def kind_of(training: Training) -> Kind:
    match training.model:
        case spec.Mlp():
            return "dense"
        case spec.Recurrent():
            return "recurrent"
        case spec.Cnn() | spec.Resnet():
            return "convolution"
        case _:
            return "point"


@functools.cache
def update_sizes(training: Training) -> dict[int, int]:
    """Return {examples of an update: number of such updates}; batches may grow during a run."""
    base = training.batch_size or num_examples(training, "train")
    sizes: dict[int, int] = {}
    if not training.batch_growth:
        return {base: training.num_steps}
    step = 0
    while step < training.num_steps:
        growth = 1
        for fraction, times in training.batch_growth:
            if step >= round(fraction * training.num_steps):
                growth = times
        sizes[base * growth] = sizes.get(base * growth, 0) + 1
        step += growth
    return sizes


def num_examples(training: Training, split: Split) -> int:
    """Return how many examples a split has."""
    task = training.task
    match task:
        case spec.Digits() | spec.Cifar10():
            source = task.source if isinstance(task, spec.Digits) else "cifar10"
            whole = NUM_EXAMPLES[source][SPLITS.index(split)]
            return task.num_train or whole if split == "train" else whole
        case spec.TemporalOrder() | spec.Adding():
            return task.num_evaluated
        case spec.LinearRegression():
            return task.num_examples
        case spec.GaussianInputs():
            return 1_000
        case spec.PolyphonicMusic():
            return 100
        case _:
            return 1


def num_layers(training: Training) -> float:
    """Return how many layers stand one behind the other, time steps and normalizations counted."""
    model = training.model
    normalized = 2 if getattr(model, "normalization", None) else 1
    match model:
        case spec.Mlp():
            return model.depth * normalized + 1
        case spec.Recurrent():
            return sequence_length(training) * (3 if model.cell in SAVED_GATES else 1) + 2
        case spec.Cnn() | spec.Resnet():
            return len(convolutions(training)) * normalized + 1
        case _:
            return 1 + sequence_length(training) / 20


def values_per_example(training: Training) -> float:
    """Return how many numbers one example's way forward leaves behind for the way back."""
    model = training.model
    each = 5 if getattr(model, "normalization", None) else 2
    match model:
        case spec.Mlp():
            return num_inputs(training)[0] + each * model.depth * model.width
        case spec.Recurrent():
            return sequence_length(training) * model.width * SAVED_GATES.get(model.cell, 3)
        case spec.Cnn() | spec.Resnet():
            return each * sum(layer.channels * layer.side**2 for layer in convolutions(training))
        case _:
            return 2.0 * num_parameters(training) * sequence_length(training)


def stored_values(training: Training) -> float:
    """Return how many numbers the task's splits hold, kept once for all runs."""
    if isinstance(training.model, spec.Point):
        return 0.0
    per_example = num_inputs(training)[0] * sequence_length(training)
    return per_example * sum(num_examples(training, split) for split in SPLITS)


def _drawn_per_example(training: Training) -> float:
    """Return how many random numbers each seed draws for an example: none where examples are stored."""
    match training.task:
        case spec.Quadratic(noise_scale=noise_scale, dimension=dimension):
            return dimension if noise_scale else 0
        case spec.Adding(length=length) | spec.TemporalOrder(length=length):
            return length
        case _:
            return 0


def _passes_of(probe: spec.Probe, training: Training) -> Iterator[Passes]:
    """Yield the passes of all measurements of a probe."""
    if isinstance(probe, spec.Stream):
        return
    times = len(probe.steps.resolve(training.num_steps))
    batch = training.batch_size or num_examples(training, "train")
    match probe:
        case spec.Evaluate():
            yield from _passes_of_evaluation(probe, training, times)
        case spec.Sharpness(num_iterations=iterations):
            products = 2 * min(iterations, num_parameters(training))  # each is the gradient of a gradient
            yield Passes(count=times * products, examples=num_examples(training, "train"))
        case spec.LossAlongGradient(lengths=lengths):
            yield Passes(count=times * (1 + len(lengths)), examples=batch)
        case spec.CovariateShift():
            yield Passes(count=times * (1 + num_layers(training)), examples=batch)
        case spec.LayerGradients():
            yield Passes(count=2 * times, examples=batch)
        case spec.LayerJacobians(num_examples=examples):
            width, depth = getattr(training.model, "width", 1), getattr(training.model, "depth", 1)
            yield Passes(count=times, examples=min(examples, batch) * width)  # backward, one layer at a time
            yield Passes(count=times * depth, examples=min(examples, batch), share=1)
        case spec.LagGradients() | spec.ClippedDirection():
            yield Passes(count=times, examples=batch)
        case spec.Activations():
            yield Passes(count=times, examples=EXAMPLES_AT_ONCE, share=1)
        case spec.NormalizedOutputs():
            yield Passes(count=times, examples=batch, share=1)


def _passes_of_evaluation(probe: spec.Evaluate, training: Training, times: int) -> Iterator[Passes]:
    averaged = 2 if getattr(training.optimizer, "average_iterates", False) else 1
    for split in probe.splits:
        examples = min(probe.num_examples, num_examples(training, split))
        parts = math.ceil(examples / EXAMPLES_AT_ONCE)
        yield Passes(count=averaged * times * parts, examples=examples / parts, share=1)
        if probe.batch_statistics:
            yield Passes(count=times, examples=examples, share=1)


def _factorizations(probe: spec.Probe, training: Training) -> float:
    """Return the operations of eigenvalues, one run's matrix at a time, at a tenth of the speed of products."""
    if not isinstance(probe, spec.Recurrence):
        return 0.0
    return len(probe.steps.resolve(training.num_steps)) * 400.0 * getattr(training.model, "width", 1) ** 3


def _values_at_once(training: Training, all_passes: list[Passes]) -> float:
    """Return how many numbers a run keeps alive at the worst moment: weights, gradients, state and what a pass saves."""
    saved = max((passes.examples * (passes.share == 3) for passes in all_passes), default=0)
    seen = max((passes.examples * (passes.share == 1) for passes in all_passes), default=0)
    gates = 2.5 if getattr(training.model, "cell", None) in SAVED_GATES else 1.0  # autograd keeps their pieces too
    return 6 * num_parameters(training) + gates * max(saved, seen / 3) * values_per_example(training)
