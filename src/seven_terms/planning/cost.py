"""What a run costs: floating-point operations and memory, estimated from its record alone; standard library only."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

from ..spec import (
    Adding,
    Cifar10,
    Cnn,
    Digits,
    GaussianInputs,
    LinearRegression,
    Mlp,
    Model,
    Point,
    Recurrent,
    Resnet,
    TemporalOrder,
    Training,
)

LARGEST_STACK = 128
FLOPS_PER_STACK = 1.0e12  # about half a minute on one core: two workers share a grid evenly
FEWEST_COMPILED = 8  # rows of a compiled stack: the compiler writes other loops for a few rows than for many
COMPILING_PAYS = 1.0e13  # operations of a program's runs, some minutes on one core; compiling takes a fifth of a minute
VALUES_PER_STACK = 40_000_000  # parameters and activations of all runs: stays near the caches, far below memory
VALUES_OF_CONVOLUTIONS = 2_000_000_000  # instead, where a run alone leaves the caches: 8 GB


def num_inputs(training: Training) -> tuple[int, int]:
    """Return (features per example and time step, number of outputs)."""
    match training.task:
        case Digits(resolution=resolution):
            return resolution**2, 10
        case Cifar10():
            return 3072, 10
        case TemporalOrder():
            return 6, 4
        case Adding():
            return 2, 1
        case GaussianInputs(num_features=num_features, num_classes=num_classes):
            return num_features, num_classes
        case LinearRegression(num_features=num_features):
            return num_features, 1
        case _:
            return 88, 88


def sequence_length(training: Training) -> int:
    task = training.task
    return getattr(task, "length", None) or getattr(task, "chunk", 1) or 1


def num_parameters(training: Training) -> int:
    """Return the number of trained parameters, those of normalizations of dense layers left out."""
    inputs, outputs = num_inputs(training)
    match training.model:
        case Mlp(depth=depth, width=width):
            widths = [inputs] + [width] * depth + [outputs]
            return sum((a + 1) * b for a, b in zip(widths, widths[1:], strict=False))
        case Recurrent(cell=cell, width=width):
            gates = {"lstm": 4, "gru": 3}.get(cell, 1)
            return gates * width * (inputs + width + 2) + (width + 1) * outputs
        case Cnn() | Resnet():
            layers = convolutions(training)
            kernels = sum(9 * layer.inputs * layer.channels for layer in layers)
            norms = sum(2 * layer.channels for layer in layers) if training.model.normalization else 0
            return kernels + norms + (layers[-1].channels + 1) * outputs
        case Point(dimension=dimension):
            return dimension


@functools.cache
def flops_per_run_step(training: Training) -> float:
    """Return the operations of one update: 2 for a multiply-add, times 3 for forward and backward."""
    batch = training.batch_size or getattr(training.task, "num_train", None) or 1000
    if isinstance(training.model, Point):
        return 20.0 * num_parameters(training)
    return 6.0 * batch * multiply_adds(training)


def multiply_adds(training: Training) -> float:
    """Return the multiply-adds of one example's way forward."""
    if isinstance(training.model, (Cnn, Resnet)):
        return sum(9.0 * layer.inputs * layer.channels * layer.side**2 for layer in convolutions(training))
    return float(num_parameters(training) * sequence_length(training))


@dataclass(frozen=True, slots=True)
class Convolution:
    """A 3x3 convolution: channels in and out, and the side of its square output."""

    inputs: int
    channels: int
    side: int


def convolutions(training: Training) -> list[Convolution]:
    """Return the convolutions of a convolutional net, nearest the input first."""
    before, side = (1, training.task.resolution) if isinstance(training.task, Digits) else (3, 32)
    layers = []
    for channels, stride in _channels_and_strides(training.model):
        side = math.ceil(side / stride)
        layers.append(Convolution(inputs=before, channels=channels, side=side))
        before = channels
    return layers


def _channels_and_strides(model: Model) -> list[tuple[int, int]]:
    if isinstance(model, Cnn):
        return list(zip(model.channels, model.strides, strict=True))
    assert isinstance(model, Resnet)
    firsts = [(model.width * 2**stage, 2 if stage else 1) for stage in range(3)]
    blocks = [[first, *[(first[0], 1)] * (2 * model.n - 1)] for first in firsts]
    return [(model.width, 1), *itertools.chain.from_iterable(blocks)]


def values_per_run(training: Training) -> int:
    """Return how many numbers a run keeps alive at once: parameters with optimizer state, and activations."""
    if isinstance(training.model, Point):
        return (4 + 3 * sequence_length(training)) * num_parameters(training)
    batch = training.batch_size or getattr(training.task, "num_train", None) or 1000
    if isinstance(training.model, (Cnn, Resnet)):
        each = (
            5 if training.model.normalization else 2
        )  # kept for the way back: input, normalization's steps, activation
        outputs = each * sum(layer.channels * layer.side**2 for layer in convolutions(training))
        largest = batch * max([1, *[times for _, times in training.batch_growth]])
        return 6 * num_parameters(training) + largest * outputs
    width, depth = getattr(training.model, "width", 64), getattr(training.model, "depth", 1)
    return 4 * num_parameters(training) + 3 * batch * width * depth * sequence_length(training)


def runs_per_stack(training: Training, num_runs: int) -> int:
    """Return how many of `num_runs` runs of this program go into one stack, evenly split.

    At least two stacks for anything long, so that two workers stay busy; never more than memory allows.
    """
    run_flops = max(flops_per_run_step(training) * training.num_steps, 1.0)
    by_time = max(int(FLOPS_PER_STACK / run_flops), 8)
    largest = max(min(LARGEST_STACK, by_time, _runs_in_memory(training), num_runs), 1)
    return math.ceil(num_runs / math.ceil(num_runs / largest))


def _runs_in_memory(training: Training) -> int:
    values = VALUES_OF_CONVOLUTIONS if isinstance(training.model, (Cnn, Resnet)) else VALUES_PER_STACK
    return max(values // max(values_per_run(training), 1), 1)


def trains_alone(training: Training) -> bool:
    """Return whether memory allows no neighbour in any stack: then no padding is needed: there is nothing to agree with."""
    return _runs_in_memory(training) == 1


def num_rows(training: Training, num_runs: int, *, is_compiled: bool) -> int:
    """Return the length of the run axis: the runs and those that pad it, copies of the last one.

    Vectorised code treats the end of a tensor otherwise than its middle; stacked convolutions are grouped ones, and one or
    two groups take other kernels than three and more; the compiler writes other loops for a few rows than for many.
    """
    if trains_alone(training):
        return num_runs
    fewest = 3 if isinstance(training.model, (Cnn, Resnet)) else 2
    return max(num_runs + 1, FEWEST_COMPILED if is_compiled else fewest)


def compiling_pays(training: Training, num_runs: int) -> bool:
    """Return whether to compile a program that so many runs share.

    A loop over time would be unrolled into thousands of operations; it has its own backward pass instead. Exchanges between
    devices stay outside of compiled code. And a compiled stack is padded to FEWEST_COMPILED runs, which costs more than
    compiling gains where memory allows only a few.
    """
    if not isinstance(training.model, (Mlp, Cnn, Resnet)) or training.num_devices > 1:
        return False
    if 2 * runs_per_stack(training, num_runs) < FEWEST_COMPILED:
        return False
    return num_runs * flops_per_run_step(training) * training.num_steps >= COMPILING_PAYS
