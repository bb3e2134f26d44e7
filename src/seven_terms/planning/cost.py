"""What a run costs in operations and memory, summed from the facts of its task and model; standard library only."""

from __future__ import annotations

import dataclasses
import functools
import math

from ..spec import AnyTraining, LightningTraining, ModelFacts, Training

LARGEST_STACK = 128
FLOPS_PER_STACK = 1.0e12  # about half a minute on one core: two workers share a grid evenly
FLOPS_OF_LIGHTNING = 5.0e7  # what Lightning's own work around an update costs at least, in operations
FEWEST_COMPILED = 8  # rows of a compiled stack: the compiler writes other loops for a few rows than for many
COMPILING_PAYS = 1.0e13  # operations of a program's runs, some minutes on one core; compiling takes a fifth of a minute
VALUES_PER_STACK = 40_000_000  # parameters and activations of all runs: stays near the caches, far below memory
VALUES_OF_CONVOLUTIONS = 2_000_000_000  # instead, where a run alone leaves the caches: 8 GB
LARGEST_ON_GPU = 1024  # an update of a few small runs takes a GPU as long as one of hundreds
FLOPS_ON_GPU = 1.0e16  # some ten minutes of one
BYTES_ON_GPU = 1.2e10  # by the forecast, probes included; as much again while PyTorch works


@functools.cache
def facts(training: Training) -> ModelFacts:
    """Return the facts of a training's model on its task; what a point costs grows with the steps of its function."""
    task = training.task
    found = training.model.facts(task.input_shape, task.num_outputs)
    if found.speed != "point":
        return found
    steps = task.sequence_length
    values = {"values_saved": found.values_saved * steps, "values_alive": found.values_alive * steps}
    return dataclasses.replace(
        found, multiply_adds=found.multiply_adds * steps, num_layers=found.num_layers + steps / 20, **values
    )


def batch_of(training: Training) -> int:
    """Return the examples of an update before batches grow: the whole training split without a batch size."""
    return training.batch_size or training.task.examples("train")


def flops_per_run_step(training: Training) -> float:
    """Return the operations of one update: 2 for a multiply-add, times 3 for forward and backward."""
    if facts(training).speed == "point":
        return 20.0 * facts(training).num_parameters
    return 6.0 * batch_of(training) * facts(training).multiply_adds


def values_per_run(training: Training) -> float:
    """Return how many numbers a run keeps alive at once: parameters with optimizer state, and activations."""
    of = facts(training)
    if of.speed == "point":
        return 4 * of.num_parameters + of.values_alive
    if of.speed == "convolution":
        largest = max([1, *[times for _, times in training.batch_growth]])
        return 6 * of.num_parameters + batch_of(training) * largest * of.values_alive
    return 4 * of.num_parameters + batch_of(training) * of.values_alive


def runs_per_stack(training: AnyTraining, num_runs: int) -> int:
    """Return how many of `num_runs` runs of this program go into one stack, evenly split.

    At least two stacks for anything long, so that two workers stay busy; never more than memory allows.
    """
    if isinstance(training, LightningTraining):
        return _one_after_the_other(training, num_runs)
    run_flops = max(flops_per_run_step(training) * training.num_steps, 1.0)
    by_time = max(int(FLOPS_PER_STACK / run_flops), 8)
    largest = max(min(LARGEST_STACK, by_time, _runs_in_memory(training), num_runs), 1)
    return math.ceil(num_runs / math.ceil(num_runs / largest))


def runs_per_gpu_stack(training: Training, num_runs: int, *, bytes_per_run: float) -> int:
    """Return how many of `num_runs` runs go into one stack of a plan for GPUs, evenly split."""
    if not facts(training).stacks:
        return 1
    run_flops = max(flops_per_run_step(training) * training.num_steps, 1.0)
    by_time = max(int(FLOPS_ON_GPU / run_flops), 8)
    largest = min(LARGEST_ON_GPU, num_runs, by_time, int(BYTES_ON_GPU / bytes_per_run))
    return math.ceil(num_runs / math.ceil(num_runs / max(largest, 1)))


def _one_after_the_other(training: LightningTraining, num_runs: int) -> int:
    """Return how many runs of a LightningModule one job trains: about half a minute of them, and of several devices one."""
    if training.num_devices > 1:
        return 1
    run_flops = training.num_steps * max(training.costs.flops_per_step, FLOPS_OF_LIGHTNING)
    most = max(min(int(FLOPS_PER_STACK / run_flops), math.ceil(num_runs / 2)), 1)
    return math.ceil(num_runs / math.ceil(num_runs / most))


def _runs_in_memory(training: Training) -> int:
    if not facts(training).stacks:
        return 1
    values = VALUES_OF_CONVOLUTIONS if facts(training).speed == "convolution" else VALUES_PER_STACK
    return max(int(values // max(values_per_run(training), 1)), 1)


def trains_alone(training: Training) -> bool:
    """Return whether a stack of this program holds a single run; such stacks are not padded."""
    return _runs_in_memory(training) == 1


def num_rows(training: Training, num_runs: int, *, is_compiled: bool) -> int:
    """Return the length of the run axis: the runs and those that pad it, copies of the last one.

    Padding keeps a run's bits independent of its stack: vector loops handle the end of a tensor differently from its middle,
    grouped convolutions change kernels below three groups, compiled loops below eight rows.
    """
    if trains_alone(training):
        return num_runs
    fewest = 3 if facts(training).speed == "convolution" else 2
    return max(num_runs + 1, FEWEST_COMPILED if is_compiled else fewest)


def compiling_pays(training: Training, num_runs: int) -> bool:
    """Return whether to compile a program that this many runs share.

    A loop over time would be unrolled into thousands of operations; it has its own backward pass instead. Exchanges between
    devices stay outside of compiled code. And a compiled stack is padded to FEWEST_COMPILED runs, which costs more than
    compiling gains where memory allows only a few.
    """
    if not facts(training).compiles or training.num_devices > 1:
        return False
    if 2 * runs_per_stack(training, num_runs) < FEWEST_COMPILED:
        return False
    return num_runs * flops_per_run_step(training) * training.num_steps >= COMPILING_PAYS
