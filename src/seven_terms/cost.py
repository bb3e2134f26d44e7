"""What a run costs: floating-point operations and memory, estimated from its record alone; standard library only."""

from __future__ import annotations

import functools
import math

from .spec import (
    Adding,
    Cifar10,
    Cnn,
    Digits,
    GaussianInputs,
    LinearRegression,
    Mlp,
    Point,
    Recurrent,
    Resnet,
    TemporalOrder,
    Training,
)

LARGEST_STACK = 128
FLOPS_PER_STACK = 1.0e12  # about half a minute on one core: two workers share a grid evenly
COMPILING_PAYS = 1.0e13  # operations of a program's runs, some minutes on one core; compiling takes a fifth of a minute
VALUES_PER_STACK = 40_000_000  # parameters and activations of all runs: stays near the caches, far below memory


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
    """Return the number of trained parameters (estimated for convolutional nets)."""
    inputs, outputs = num_inputs(training)
    match training.model:
        case Mlp(depth=depth, width=width):
            widths = [inputs] + [width] * depth + [outputs]
            return sum((a + 1) * b for a, b in zip(widths, widths[1:], strict=False))
        case Recurrent(cell=cell, width=width):
            gates = {"lstm": 4, "gru": 3}.get(cell, 1)
            return gates * width * (inputs + width + 2) + (width + 1) * outputs
        case Cnn(channels=channels):
            before = (1, *channels[:-1])
            return sum(9 * a * b for a, b in zip(before, channels, strict=True)) + channels[-1] * outputs
        case _:
            return getattr(training.model, "dimension", 270_000)


@functools.cache
def flops_per_run_step(training: Training) -> float:
    """Return the operations of one update: 2 for a multiply-add, times 3 for forward and backward."""
    batch = training.batch_size or getattr(training.task, "num_train", None) or 1000
    if isinstance(training.model, Cnn):
        return 6.0 * batch * _cnn_multiply_adds(training.model, getattr(training.task, "resolution", 28))
    if not isinstance(training.model, (Mlp, Recurrent)):
        return 20.0 * num_parameters(training)
    return 6.0 * batch * num_parameters(training) * sequence_length(training)


def _cnn_multiply_adds(model: Cnn, resolution: float) -> float:
    total, before = 0.0, 1
    for channels, stride in zip(model.channels, model.strides, strict=True):
        resolution = math.ceil(resolution / stride)
        total += 9 * before * channels * resolution**2
        before = channels
    return total


def values_per_run(training: Training) -> int:
    """Return how many numbers a run keeps alive at once: parameters with optimizer state, and activations."""
    if isinstance(training.model, Point):
        return (4 + 3 * sequence_length(training)) * num_parameters(training)
    batch = training.batch_size or getattr(training.task, "num_train", None) or 1000
    width, depth = getattr(training.model, "width", 64), getattr(training.model, "depth", 1)
    return 4 * num_parameters(training) + 3 * batch * width * depth * sequence_length(training)


def runs_per_stack(training: Training, num_runs: int) -> int:
    """Return how many of `num_runs` runs of this program go into one stack, evenly split.

    At least two stacks for anything long, so that two workers stay busy; never more than memory allows.
    """
    run_flops = max(flops_per_run_step(training) * training.num_steps, 1.0)
    by_time = max(int(FLOPS_PER_STACK / run_flops), 8)
    by_memory = max(VALUES_PER_STACK // max(values_per_run(training), 1), 1)
    largest = max(min(LARGEST_STACK, by_time, by_memory, num_runs), 1)
    return math.ceil(num_runs / math.ceil(num_runs / largest))


def compiling_pays(training: Training, num_runs: int) -> bool:
    """Return whether to compile a program that so many runs share.

    A loop over time would be unrolled into thousands of operations; it has its own backward pass instead. Exchanges between
    devices stay outside of compiled code.
    """
    if not isinstance(training.model, (Mlp, Cnn, Resnet)) or training.num_devices > 1:
        return False
    return num_runs * flops_per_run_step(training) * training.num_steps >= COMPILING_PAYS


def expected_seconds(flops: float, *, num_steps: int) -> float:
    """Return a rough time on one core: start-up, a fixed overhead per update of a stack, and the arithmetic."""
    return 5.0 + 1.5e-3 * num_steps + flops / 2.0e10
