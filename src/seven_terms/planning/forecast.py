"""What a plan will cost before it is trained: by experiment, and on several devices; standard library only."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..records.folder import Folder
from ..records.jobs import duration
from ..records.plans import Plan
from ..records.runs import Stack
from .calibration import Calibration, calibration_of
from .stacks import workload_of
from .workload import Workload

COLUMNS = ("experiment", "runs", "stacks", "steps", "TFLOP", "memory", "time alone")


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """What some stacks cost; `num_steps` is the longest run's, `memory_bytes` the largest stack's, the rest are sums."""

    num_runs: int
    num_stacks: int
    num_steps: int
    flops: float
    memory_bytes: float
    seconds: tuple[float, ...]  # of each stack


def forecasts(plans: Mapping[str, Plan], calibration: Calibration) -> dict[str, Forecast]:
    """Return the forecast of every experiment of a plan, by "<term>/<name>"."""
    found = {}
    for name, plan in plans.items():
        works: list[Workload] = [workload_of(stack) for stack in plan.stacks.values()]
        found[name] = Forecast(
            num_runs=sum(len(stack.runs) for stack in plan.stacks.values()),
            num_stacks=len(works),
            num_steps=max(stack.num_steps for stack in plan.stacks.values()),
            flops=sum(work.flops for work in works),
            memory_bytes=max(work.memory_bytes for work in works),
            seconds=tuple(calibration.seconds(work) for work in works),
        )
    return found


def total(parts: Iterable[Forecast]) -> Forecast:
    """Return the forecast of all experiments together."""
    every = list(parts)
    return Forecast(
        num_runs=sum(part.num_runs for part in every),
        num_stacks=sum(part.num_stacks for part in every),
        num_steps=max(part.num_steps for part in every),
        flops=sum(part.flops for part in every),
        memory_bytes=max(part.memory_bytes for part in every),
        seconds=tuple(seconds for part in every for seconds in part.seconds),
    )


def wall_seconds(stack_seconds: Iterable[float], num_devices: int) -> float:
    """Return when the last of several devices is done, each taking the longest stack that is left (Graham 1969)."""
    ends = [0.0] * num_devices
    for seconds in sorted(stack_seconds, reverse=True):
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def table(plans: Mapping[str, Plan], calibration: Calibration) -> str:
    """Return a line for every experiment and one for all."""
    parts = forecasts(plans, calibration)
    rows = [COLUMNS, *[_row(name, part) for name, part in parts.items()], _row("total", total(parts.values()))]
    widths = (38, 6, 7, 8, 14, 9, 12)
    return "\n".join(
        f"{row[0]:<{widths[0]}}" + "".join(f"{word:>{width}}" for word, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


def _row(name: str, part: Forecast) -> tuple[str, ...]:
    counts = (f"{part.num_runs}", f"{part.num_stacks}", f"{part.num_steps}")
    return name, *counts, f"{part.flops / 1e12:,.2f}", size(part.memory_bytes), duration(sum(part.seconds))


def total_line(plans: Mapping[str, Plan], calibration: Calibration, results_dir: Path, *, num_devices: int) -> str:
    """Return one sentence: what is left to train, and how long that should take on this many devices."""
    left = missing_stacks(plans, results_dir).values()
    num_stacks = sum(len(plan.stacks) for plan in plans.values())
    if not left:
        return f"to train: nothing, all {num_stacks} stacks are there"
    works = [workload_of(stack) for stack in left]
    wall = wall_seconds(map(calibration.seconds, works), num_devices)
    of_all = f" of {num_stacks}" if len(left) < num_stacks else ""
    num_runs = sum(len(stack.runs) for stack in left)
    counts = f"{num_runs} run{'s'[: num_runs > 1]} in {len(left)}{of_all} stack{'s'[: num_stacks > 1]}"
    flops = sum(work.flops for work in works)
    return f"to train: {counts}, {flops / 1e12:,.1f} TFLOP, about {duration(wall)} with {num_devices} at a time"


def missing_stacks(plans: Mapping[str, Plan], results_dir: Path) -> dict[str, Stack]:
    """Return the stacks that have no metrics yet, by id."""
    folder = Folder(results_dir)
    return {
        key: stack
        for name, plan in plans.items()
        for key, stack in plan.stacks.items()
        if not folder.metrics(name, key).is_file()
    }


def scaling_table(plans: Mapping[str, Plan], calibration: Calibration, devices: Sequence[int]) -> str:
    """Return a line for each number of devices when every stack is a job of its own, which pays its imports.

    `bound by` says what keeps more devices from helping: the longest stack, or nothing yet. The last line divides the
    time of all devices.
    """
    works = [workload_of(stack) for plan in plans.values() for stack in plan.stacks.values()]
    parts = [calibration.parts(work) for work in works]
    seconds = [calibration.import_seconds + sum(part) for part in parts]
    alone = sum(seconds)
    lines = [f"{'devices':>7}{'wall time':>14}{'speed-up':>10}{'busy':>7}{'starts a minute':>17}  bound by"]
    for number in devices:
        wall = wall_seconds(seconds, number)
        bound = "the longest stack" if wall <= 1.02 * max(seconds) else "all stacks"
        rate = f"{60 * len(seconds) / wall:,.1f}"
        lines.append(
            f"{number:>7}{duration(wall):>14}{alone / wall:>10.1f}{alone / wall / number:>7.0%}{rate:>17}  {bound}"
        )
    starting, launching, computing = (sum(column) for column in zip(*parts, strict=True))
    starting += len(works) * calibration.import_seconds
    shares = f"starting {starting / alone:.1%}, launching {launching / alone:.1%}, computing {computing / alone:.1%}"
    return "\n".join(
        [*lines, f"of {duration(alone)} on one device: {shares}; the longest stack takes {duration(max(seconds))}"]
    )


def cost_before(
    plans: Mapping[str, Plan],
    results_dir: Path,
    *,
    accelerator: str = "cpu",
    calibration_path: Path | None = None,
    devices: Sequence[int] = (),
    at_a_time: int | None = None,
    brief: bool = False,
) -> str:
    """Return what to show before training: a table by experiment, whose speed it supposes, and the total.

    With `devices`, also how long the whole takes on so many of them; `at_a_time` is how many stacks train beside each other,
    if not one on each core; `brief` leaves the table by experiment out.
    """
    calibration = calibration_of(accelerator, calibration_path)
    parts = [] if brief else [table(plans, calibration)]
    default = (os.cpu_count() or 1) if accelerator == "cpu" else 1
    num_devices = devices[0] if devices else at_a_time or default
    parts.append(f"time of {calibration.hardware}, {calibration.measured}; memory besides PyTorch's own half gigabyte")
    parts.append(total_line(plans, calibration, results_dir, num_devices=num_devices))
    if devices:
        parts += ["", scaling_table(plans, calibration, devices)]
    return "\n".join(parts)


def size(num_bytes: float) -> str:
    """Return an amount of memory in words: "12 MB", "3.4 GB"."""
    return f"{num_bytes / 1e6:.0f} MB" if num_bytes < 1e9 else f"{num_bytes / 1e9:.1f} GB"
