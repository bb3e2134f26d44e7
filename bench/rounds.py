"""One workload at one size: every contender makes the same steps, in turn, a chunk of steps at a time."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from seven_terms.spec import Training

from .contenders import Contender
from .floor import flops_per_run_step
from .job import Job
from .processes import ContenderFailed, Finished, Process

Entry = tuple[Contender, int]  # with its number of threads
Answer = TypeVar("Answer")
FEWEST, MOST = 2, 200  # steps of a chunk
LIGHTNING_STEP = 50  # longer chunks are multiples of it: a step of Lightning's makes that many updates


def chunk_steps(training: Training, num_runs: int, *, seconds: float) -> int:
    """Return the steps of a chunk that should take a stack about `seconds` on one core."""
    expected = 1.5e-3 + num_runs * flops_per_run_step(training) / 2.0e10
    steps = min(max(int(seconds / expected), FEWEST), MOST)
    return steps if steps < LIGHTNING_STEP else steps - steps % LIGHTNING_STEP


def job_of(job: Job, entry: Entry) -> Job:
    """Return a job for one contender: the whole stack, or the last run alone where runs take turns."""
    contender, num_threads = entry
    first = job.first if contender.stacked else job.stop - 1
    return dataclasses.replace(job, first=first, num_threads=num_threads)


def measure(job: Job, processes: Mapping[Entry, Process]) -> dict[Entry, Finished]:
    """Return what each contender took; one that fails is named on stderr and left out.

    All start up one after the other, then take turns, in reverse order every second time.
    """
    active = list(processes)

    def attempt(entry: Entry, act: Callable[[Process], Answer]) -> Answer | None:
        try:
            return act(processes[entry])
        except ContenderFailed as error:
            active.remove(entry)
            name = f"{entry[0].name} on {entry[1]} threads, {job.workload}, R = {job.num_runs}"
            print(f"seven-terms bench: {name}: {error}", file=sys.stderr, flush=True)
            return None

    for entry in list(active):
        attempt(entry, lambda process, entry=entry: process.begin(job_of(job, entry)))
    for number in range(1, job.num_steps // job.chunk):
        for entry in active[:: 1 if number % 2 else -1]:
            attempt(entry, lambda process: process.go_on())
    found = {entry: attempt(entry, lambda process: process.finish()) for entry in list(active)}
    return {entry: finished for entry, finished in found.items() if finished is not None}
