"""What a stack asks of a device, probes included, from its record alone: launches, operations, memory; standard library only.

Time is modelled as launches (layers passed through, whatever their size) times a device's time for one, plus operations
over its rate. An experiment's arithmetic is that of `cost`; nothing here decides what a stack holds.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from ..records.runs import Mode
from ..spec import SPEEDS, SPLITS, AnyTraining, LightningTraining, Passes, Probe, Speed, Training
from .cost import batch_of, facts, num_rows

Kind = Speed | Literal["native"]
KINDS: tuple[Kind, ...] = (*SPEEDS, "native")
VALUE_OPERATIONS = 100.0  # time to move one number, in operations, on a core and on a GPU
DRAWN_OPERATIONS = 500.0  # time to draw one, in operations
COMPILED_SHARE = 0.3  # of launches and of moved numbers that is left in compiled code
NATIVE_SHARE = 0.1  # of moved numbers that is left in kernels, which have a launch for every run and layer
LIGHTNING_LAUNCHES = (
    100.0  # of an update by Lightning's Trainer besides its layers: a batch of a DataLoader, hooks, logging
)
FIXED_LAUNCHES = 3.0  # of an update besides its layers: the batch, the rule, the bookkeeping


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


def workload(
    training: AnyTraining, probes: tuple[Probe, ...], *, num_runs: int, num_seeds: int, mode: Mode = "eager"
) -> Workload:
    """Return what a stack of `num_runs` runs asks for, the runs that pad it included."""
    if isinstance(training, LightningTraining):
        return _of_lightning(training, num_runs=num_runs)
    of = facts(training)
    is_compiled, is_native = mode == "compiled", mode == "native"
    rows = num_runs if is_native else num_rows(training, num_runs, is_compiled=is_compiled)
    launched = rows if is_native or mode == "serial" else 1
    sizes = update_sizes(training)
    updates = [Passes(count=count, examples=size) for size, count in sizes.items()]
    num_updates = sum(sizes.values())
    measured = [passes for probe in probes for passes in probe.passes(training)]
    width = 2.0 if training.precision == "float64" else 1.0
    flops = values = launches = 0.0
    for passes in (*updates, *measured):
        eager = COMPILED_SHARE if is_compiled and passes in updates else 1.0  # probes are not compiled
        eager = NATIVE_SHARE if is_native else eager
        flops += rows * passes.count * 2 * passes.share * passes.examples * of.multiply_adds
        moved = passes.share * passes.examples * of.values_saved
        values += eager * rows * passes.count * (moved + of.num_parameters * (passes.share == 3))
        launches += (launched if launched > 1 else eager) * passes.count * passes.share * of.num_layers
    flops += rows * sum(probe.other_operations(training) for probe in probes)
    drawn = num_seeds * sum(size * count for size, count in sizes.items()) * training.task.drawn_per_example
    return Workload(
        kind="native" if is_native else of.speed,
        is_compiled=is_compiled,
        num_updates=num_updates,
        launches=launches + launched * FIXED_LAUNCHES * num_updates,
        flops=width * flops,
        operations=width * (flops + VALUE_OPERATIONS * values + DRAWN_OPERATIONS * drawn),
        memory_bytes=4 * width * (rows * _values_at_once(training, [*updates, *measured]) + stored_values(training)),
    )


def _of_lightning(training: LightningTraining, *, num_runs: int) -> Workload:
    """Return what runs of a LightningModule ask for: one of them at a time, with Lightning's own work around each update."""
    of, updates = training.costs, num_runs * training.num_steps
    values = 3 * of.values_saved + of.num_parameters
    return Workload(
        kind="dense",
        is_compiled=False,
        num_updates=updates,
        launches=updates * (3.0 * of.num_layers + LIGHTNING_LAUNCHES),
        flops=updates * of.flops_per_step,
        operations=updates * (of.flops_per_step + VALUE_OPERATIONS * values),
        memory_bytes=4 * (6 * of.num_parameters + of.values_saved),
    )


@functools.cache
def update_sizes(training: Training) -> dict[int, int]:
    """Return {examples of an update: number of such updates}; batches may grow during a run."""
    return dict(Counter(size or batch_of(training) for _, size in training.updates()))


def stored_values(training: Training) -> float:
    """Return how many numbers the task's splits hold, kept once for all runs."""
    if facts(training).speed == "point":
        return 0.0
    return math.prod(training.task.input_shape) * sum(training.task.examples(split) for split in SPLITS)


def _values_at_once(training: Training, all_passes: list[Passes]) -> float:
    """Return how many numbers a run keeps alive at the worst moment: weights, gradients, state and what a pass saves."""
    of = facts(training)
    saved = max((passes.examples * (passes.share == 3) for passes in all_passes), default=0)
    seen = max((passes.examples * (passes.share == 1) for passes in all_passes), default=0)
    return 6 * of.num_parameters + of.pieces * max(saved, seen / 3) * of.values_saved
