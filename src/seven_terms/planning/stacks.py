"""Experiment -> runs -> stacks: which runs share one tensor program; standard library only."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Sequence
from typing import Any

from ..records.canonical import content_id, part_id, remembered
from ..records.runs import Mode, Run, Stack
from ..spec import (
    AnyTraining,
    Arm,
    Experiment,
    LightningTraining,
    number_fields,
    replace_paths,
    require,
    require_unique,
)
from .calibration import REFERENCE
from .cost import facts, runs_per_gpu_stack, runs_per_stack
from .modes import Compiling, compiler, mode_of
from .workload import Workload, workload

_workloads: dict[tuple[str, Mode, int, int], Workload] = {}  # by program: thousands of stacks share a few hundred


def workload_of(stack: Stack) -> Workload:
    """Return what a stack asks of a device; never part of an id."""
    first, num_seeds = stack.runs[0], len({run.seed for run in stack.runs})
    key = (program_key(first), first.mode, len(stack.runs), num_seeds)
    if key not in _workloads:
        counts = {"num_runs": len(stack.runs), "num_seeds": num_seeds, "mode": first.mode}
        _workloads[key] = workload(first.training, first.probes, **counts)
    return _workloads[key]


def expected_seconds(stack: Stack) -> float:
    """Return a stack's rough time on one core, to order stacks and to guess the time left."""
    return REFERENCE.seconds(workload_of(stack))


def num_gpus(stack: Stack) -> int:
    """Return how many GPUs to ask for where there are some: none for runs that a processor's kernels train."""
    return 0 if stack.runs[0].mode == "native" else stack.num_devices


def runs_of(experiment: Experiment, *, base_seed: int = 0) -> tuple[Run, ...]:
    """Return every run of an experiment (already at its scale), the A/A arm included."""
    arms = list(experiment.arms)
    runs = [run for arm in arms for run in _runs_of_arm(experiment, arm, base_seed)]
    if experiment.noise_floor_arm:
        arm = next(arm for arm in arms if arm.name == experiment.noise_floor_arm)
        sweep = {**arm.sweep, **{path: (value,) for path, value in experiment.noise_floor_at.items()}}
        again = dataclasses.replace(arm, name=f"{arm.name}_again", label=f"{arm.label} (A/A)", sweep=sweep)
        runs += _runs_of_arm(experiment, again, base_seed + 1_000_000)
    return tuple(runs)


def _runs_of_arm(experiment: Experiment, arm: Arm, first_seed: int) -> list[Run]:
    sweep = {**experiment.sweep, **arm.sweep}
    names = [path.rsplit(".", 1)[-1] for path in sweep]
    require_unique(f"experiment {experiment.name!r}, arm {arm.name!r}", "last parts of sweep paths", names)
    for path, values in sweep.items():  # arms, names and values are unique, hence so are runs
        require_unique(f"experiment {experiment.name!r}", f"values of sweep {path}", map(repr, values))
    runs = []
    for values in itertools.product(*sweep.values()):
        swept = dict(zip(sweep, values, strict=True))
        training = replace_paths(arm.training, swept)
        _require_equal_shares(f"experiment {experiment.name!r}, arm {arm.name!r}", training)
        settings, theirs = dict(zip(names, values, strict=True)), isinstance(training, LightningTraining)
        for seed in range(first_seed, first_seed + experiment.seeds_of(arm, swept)):
            runs.append(
                Run(
                    experiment=experiment.path,
                    arm=arm.name,
                    settings=settings,
                    seed=seed,
                    training=training,
                    probes=() if theirs else experiment.probes,
                    mode="lightning" if theirs else "eager",
                )
            )
    return runs


def _require_equal_shares(what: str, training: AnyTraining) -> None:
    if training.num_devices == 1 or isinstance(training, LightningTraining):
        return
    require(
        training.batch_size is not None and training.batch_size % training.num_devices == 0,
        what=what,
        must=f"batch_size must be a multiple of num_devices={training.num_devices}",
        got=training.batch_size,
    )
    must = "num_devices must be 1, because a point has no examples to share"
    require(facts(training).speed != "point", what=what, must=must, got=training.num_devices)


def program_key(run: Run) -> str:
    """Return what must be equal for runs to share a stack: all but seeds, schedules, initial values and rule's floats.

    Runs of one LightningModule share no program: they are trained one after the other, in one process.
    """
    return f"{remembered(_program_of, run.training)}-{part_id(run.probes)}"


@functools.cache
def _program_of(training: AnyTraining) -> str:
    if isinstance(training, LightningTraining):
        return content_id([training.module.cls, training.num_devices, training.num_steps], length=64)
    rule: Any = training.optimizer  # a dataclass
    shape = {
        field.name: getattr(rule, field.name)
        for field in dataclasses.fields(rule)
        if field.name not in number_fields(type(rule))
    }
    rest = {
        field.name: getattr(training, field.name)
        for field in dataclasses.fields(training)
        if field.name not in ("optimizer", "clipping", "schedule", "initialization")
    }
    rest["clips_adaptively"] = training.clipping.adaptive != float("inf")
    return content_id({"optimizer": type(rule).__name__, "shape": shape, "rest": rest}, length=64)


def stacks_of(experiment: Experiment, *, base_seed: int = 0, compiling: Compiling = "never") -> tuple[Stack, ...]:
    """Return the stacks of an experiment: runs grouped by program, split where a stack would grow too large.

    The mode of each program is the one that `modes` chooses; without a compiler on this machine all are eager.
    """
    compiling = compiling if compiling == "torch" or compiler() else "never"
    groups: dict[str, list[Run]] = {}
    for run in runs_of(experiment, base_seed=base_seed):
        groups.setdefault(program_key(run), []).append(run)
    stacks = []
    for runs in groups.values():
        mode = mode_of(runs[0].training, len(runs), compiling=compiling)
        runs = runs if mode == "eager" else [dataclasses.replace(run, mode=mode) for run in runs]
        size = _stack_size(runs, for_gpus=compiling == "torch")
        stacks += [
            Stack(experiment=experiment.path, runs=tuple(runs[start : start + size]))
            for start in range(0, len(runs), size)
        ]
    return tuple(stacks)


def _stack_size(runs: Sequence[Run], *, for_gpus: bool) -> int:
    training = runs[0].training
    if not for_gpus or isinstance(training, LightningTraining):
        return runs_per_stack(training, len(runs))
    two, four = (workload(training, runs[0].probes, num_runs=number, num_seeds=1).memory_bytes for number in (2, 4))
    return runs_per_gpu_stack(training, len(runs), bytes_per_run=(four - two) / 2)
