"""From what the contenders took to rows of speed.csv."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from .contenders import FITS, OURS, PROCESSES
from .floor import flops_per_run_step
from .job import Job
from .processes import Finished
from .rounds import Entry, job_of

# Float32 rounding alone separates the contenders. It grows with the steps: 1e-6 after a hundred, 2e-3 in the loss and 3e-4 in
# the distance after two thousand. Batches in another order, or a rule without momentum or clipping, move distances by percents.
LOSS_TOLERANCE = 1e-2  # nats, absolute
DISTANCE_TOLERANCE = 2e-3  # of the distance that the parameters have moved
Row = dict[str, Any]


def rows_of(
    job: Job, found: Mapping[Entry, Finished], *, starts: Mapping[Entry, float], rates: Mapping[int, float]
) -> list[Row]:
    """Return a row for each contender of one session, and the one derived for a process a run.

    starts: seconds until a contender's process has its imports; rates: operations a second by number of threads. No rows where
    our own run failed, which the others are compared with.
    """
    reference = next((entry for entry in found if entry[0].name == OURS), None)
    rows: list[Row] = []
    for entry, finished in found.items() if reference else ():
        ours = found.get((reference[0], entry[1]), found[reference])  # on as many threads
        rows.append(_row(job, entry, finished, ours=ours, start=starts[entry], rate=rates[entry[1]]))
        rows[-1] |= differences(finished, found[reference], first=job_of(job, entry).first - job.first)
        if entry[0].name == FITS:
            rows.append(_process_a_run(rows[-1]))
    return rows


def _row(job: Job, entry: Entry, finished: Finished, *, ours: Finished, start: float, rate: float) -> Row:
    contender, num_threads = entry
    own_job = job_of(job, entry)
    measured_runs = own_job.stop - own_job.first
    times = [seconds / (measured_runs * job.chunk) for seconds in finished.rounds]
    our_times = [seconds / ((job.stop - job.first) * job.chunk) for seconds in ours.rounds]
    median, floor = statistics.median(times), flops_per_run_step(job.training) / rate
    build = max(finished.first_seconds - median * measured_runs * job.chunk, 0.0)
    steps = job.training.num_steps
    repeats = 1 if contender.stacked else job.num_runs
    return {
        "workload": job.workload,
        "contender": contender.name,
        "num_threads": num_threads,
        "num_runs": job.num_runs,
        "num_steps": steps,
        "basis": "measured" if measured_runs == job.num_runs else "extrapolated",
        "measured_runs": measured_runs,
        "measured_steps": job.num_steps,
        "rounds": len(times),
        "seconds_per_run_step": median,
        "least": min(times),
        "most": max(times),
        "times_ours": statistics.median(t / o for t, o in zip(times, our_times, strict=True)),
        "start_seconds": start + build,
        "total_seconds": start + repeats * build + job.num_runs * steps * median,
        "floor_seconds": floor,
        "share_of_floor": floor / median,
        "product_rate": rate,
        "peak_memory_bytes": finished.peak_bytes,
    }


def _process_a_run(row: Row) -> Row:
    """Return the row of a process a run: the fits as they were measured, each with the start of its own process.

    The seconds per run and step hold the start, spread over the workload's steps.
    """
    spread = row["start_seconds"] / row["num_steps"]
    times = {name: row[name] + spread for name in ("seconds_per_run_step", "least", "most")}
    median = times["seconds_per_run_step"]
    return (
        row
        | times
        | {
            "contender": PROCESSES,
            "basis": "extrapolated",
            "times_ours": row["times_ours"] * median / row["seconds_per_run_step"],
            "total_seconds": row["num_runs"] * row["num_steps"] * median,
            "share_of_floor": row["floor_seconds"] / median,
        }
    )


def differences(finished: Finished, ours: Finished, *, first: int) -> Row:
    """Return how far a contender's runs ended from ours, whose runs `first` and on they are, and whether that is rounding."""
    losses = [abs(a - b) for a, b in zip(finished.losses, ours.losses[first:], strict=False)]
    distances = [abs(a - b) / b for a, b in zip(finished.distances, ours.distances[first:], strict=False)]
    loss, distance = _largest(losses), _largest(distances)
    valid = loss <= LOSS_TOLERANCE and distance <= DISTANCE_TOLERANCE
    return {"loss_difference": loss, "distance_difference": distance, "valid": valid}


def _largest(values: Sequence[float]) -> float:
    """Return the largest number, or NaN where there is one or nothing was compared."""
    return max(values) if values and all(value == value for value in values) else float("nan")
