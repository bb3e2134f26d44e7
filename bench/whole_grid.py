"""The whole grid from an empty machine: the wall time from the first process's start to the last one's end.

Every contender divides the runs among as many processes as there are cores, each on one thread: imports, data, compilation and
all steps included. Stacked contenders do all of it. Of those that take run after run a part is done and scaled up: two
rounds of processes where each run is a process, two fits in each process otherwise.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from .contenders import FITS, OURS, PROCESSES, Contender
from .floor import flops_per_run_step
from .job import Job
from .processes import Finished, Process, process_of
from .rows import Row, differences

WORKLOAD = "mlp"
NAME = "mlp_whole_grid"
SAMPLE = 2  # runs that each core does where runs take turns


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """What is common to all: the job of all runs, and the cores."""

    job: Job
    cores: tuple[int, ...]
    data_folder: Path
    log: IO[bytes]

    @property
    def parts(self) -> list[Job]:
        """The runs of each process, evenly; no more processes than cores."""
        size = math.ceil(self.job.num_runs / len(self.cores))
        firsts = range(0, self.job.num_runs, size)
        return [
            dataclasses.replace(
                self.job,
                first=first,
                stop=min(first + size, self.job.num_runs),
                data_path=str(self.data_folder / f"{NAME}-{first}.npz"),
            )
            for first in firsts
        ]


Timed = tuple[float, list[tuple[int, Finished]]]  # seconds of the whole, and (first run, what happened) of each process


def stacked(contender: Contender, grid: Grid) -> Timed:
    """Return the measured wall time of all runs."""
    seconds, found = _side_by_side(contender, grid, grid.parts)
    return seconds, [(job.first, finished) for job, finished in zip(grid.parts, found, strict=True)]


def one_by_one(contender: Contender, grid: Grid) -> Timed:
    """Return the wall time of all runs as fits one after the other, from the first fit and from the later ones."""
    parts = grid.parts
    jobs = [dataclasses.replace(part, stop=min(part.first + SAMPLE, part.stop)) for part in parts]
    seconds, found = _side_by_side(contender, grid, jobs)
    later = statistics.mean(time for finished in found for time in finished.rounds)
    left = max(part.stop - job.stop for part, job in zip(parts, jobs, strict=True))
    return seconds + left * later, [(job.first, finished) for job, finished in zip(jobs, found, strict=True)]


def a_process_a_run(contender: Contender, grid: Grid) -> Timed:
    """Return the wall time of all runs as processes, as many at a time as there are cores."""
    found, taken = [], []
    for wave in range(SAMPLE):
        firsts = [min(wave * len(grid.cores) + number, grid.job.num_runs - 1) for number in range(len(grid.cores))]
        jobs = [dataclasses.replace(grid.job, first=first, stop=first + 1) for first in firsts]
        seconds, finished = _side_by_side(contender, grid, jobs)
        taken.append(seconds)
        found += zip(firsts, finished, strict=True)
    return statistics.mean(taken) * math.ceil(grid.job.num_runs / len(grid.cores)), found


def _side_by_side(contender: Contender, grid: Grid, jobs: Sequence[Job]) -> tuple[float, list[Finished]]:
    with contextlib.ExitStack() as processes:
        started, begun = time.perf_counter(), []
        for core, job in zip(grid.cores, jobs, strict=False):
            process = processes.enter_context(process_of(contender, cores=[core], log=grid.log))
            process.begin_without_waiting(job, num_pauses=_num_pauses(contender, job))
            begun.append((process, job))
        for process, _ in begun:
            process.wait_until_ready()
        found = [process.wait_for_all(_num_pauses(contender, job)) for process, job in begun]
        return time.perf_counter() - started, found


def _num_pauses(contender: Contender, job: Job) -> int:
    return 1 if contender.stacked else job.stop - job.first


def measure_whole_grid(
    contenders: Sequence[Contender], grid: Grid, *, rounds: int, rate: float, exchange: Process
) -> list[Row]:
    """Return a row a contender, medians over rounds in which they take turns; `rate` is that of all cores together."""
    for job in grid.parts:
        exchange.ask("data", dataclasses.asdict(job))
    ways: dict[str, tuple[Callable[[Contender, Grid], Timed], Contender]] = {}
    for contender in contenders:
        ways[contender.name] = (stacked if contender.stacked else one_by_one, contender)
        if contender.name == FITS:
            ways[PROCESSES] = (a_process_a_run, contender)
    timed: dict[str, list[Timed]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            way, contender = ways[name]
            timed[name].append(way(contender, grid))
    return [_row(name, ways[name][1], grid, timed=timed, rate=rate) for name in ways]


def _row(name: str, contender: Contender, grid: Grid, *, timed: dict[str, list[Timed]], rate: float) -> Row:
    totals, ours = ([seconds for seconds, _ in timed[key]] for key in (name, OURS))
    job, floor = grid.job, flops_per_run_step(grid.job.training) / rate
    all_steps = job.num_runs * job.num_steps
    found = timed[name][0][1]
    median = statistics.median(totals)
    compared = [
        differences(finished, own, first=first - own_first)
        for first, finished in found
        for own_first, own in timed[OURS][0][1]
        if own_first <= first < own_first + len(own.losses)
    ]
    return {
        "workload": NAME,
        "contender": name,
        "num_threads": len(grid.cores),
        "num_runs": job.num_runs,
        "num_steps": job.num_steps,
        "basis": "measured" if contender.stacked else "extrapolated",
        "measured_runs": sum(len(finished.losses) for _, finished in found),
        "measured_steps": job.num_steps,
        "rounds": len(totals),
        "seconds_per_run_step": median / all_steps,
        "least": min(totals) / all_steps,
        "most": max(totals) / all_steps,
        "times_ours": statistics.median(t / o for t, o in zip(totals, ours, strict=True)),
        "start_seconds": math.nan,
        "total_seconds": median,
        "floor_seconds": floor,
        "share_of_floor": floor * all_steps / median,
        "product_rate": rate,
        "peak_memory_bytes": sum(finished.peak_bytes for _, finished in found[: len(grid.cores)]),
        "loss_difference": max(one["loss_difference"] for one in compared),
        "distance_difference": max(one["distance_difference"] for one in compared),
        "valid": all(one["valid"] for one in compared),
    }
