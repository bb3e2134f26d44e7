"""Progress and timing: the time left while the pipeline trains, and how its wall time was spent; standard library only."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable
from pathlib import Path

from ..records.jobs import IDLE, STAGES, Job, duration, finished_jobs

NUM_RECENT = 12  # finished stacks that tell the present speed
SESSION_GAP_SECONDS = 600.0  # a longer pause between stacks belongs to another session


def training_line(results_dir: Path, *, stack: str) -> str:
    """Return what to say when a stack is done: how many of how many, and the time left."""
    planned = _planned(results_dir)
    experiment = planned[stack][0]
    missing = {
        key for key, (path, _) in planned.items() if not (results_dir / "metrics" / path / f"{key}.parquet").is_file()
    } - {stack}
    own = [key for key, (path, _) in planned.items() if path == experiment]
    line = f"trained {experiment}: stack {sum(key not in missing for key in own)} of {len(own)}, "
    line += f"{len(planned) - len(missing)} of {len(planned)} stacks in all"
    left = _seconds_left(results_dir, {key: seconds for key, (_, seconds) in planned.items()}, missing)
    return line if left is None or not missing else f"{line}, about {duration(left)} left"


def wall_time_line(results_dir: Path, *, since: float, until: float | None = None) -> str:
    """Return how the wall time since a moment divides; jobs that ran side by side share their seconds."""
    until = time.time() if until is None else until
    shares = wall_time(finished_jobs(results_dir), since=since, until=until)
    parts = [f"{stage} {seconds / max(until - since, 1e-9):.0%}" for stage, seconds in shares.items() if seconds > 0]
    minutes, seconds = divmod(round(until - since), 60)
    return f"wall time {minutes} min {seconds:02d} s: {', '.join(parts)}"


def wall_time(jobs: Iterable[Job], *, since: float, until: float) -> dict[str, float]:
    """Return the seconds between two moments by stage: each instant is shared evenly by the jobs that ran then."""
    running = [job for job in jobs if job.stop > since and job.start < until]
    shares = dict.fromkeys([*STAGES.values(), IDLE], 0.0)
    moments = sorted({since, until, *(min(max(t, since), until) for job in running for t in (job.start, job.stop))})
    for start, stop in zip(moments, moments[1:], strict=False):
        active = [job for job in running if job.start < stop and job.stop > start]
        for stage in [STAGES.get(job.rule, IDLE) for job in active] or [IDLE]:
            shares[stage] += (stop - start) / max(len(active), 1)
    return shares


def _planned(results_dir: Path) -> dict[str, tuple[str, float]]:
    """Return stack -> (experiment, expected seconds) of the plan."""
    with open(results_dir / "plan" / "stacks.csv", newline="") as table:
        return {row["stack"]: (row["experiment"], float(row["expected_seconds"])) for row in csv.DictReader(table)}


def _seconds_left(results_dir: Path, expected: dict[str, float], missing: set[str]) -> float | None:
    """Scale the expected time of what is missing by the speed of the last stacks; None while there is none to go by."""
    recent = [job for job in finished_jobs(results_dir) if job.rule == "train"][-NUM_RECENT:]
    recent = [job for job in recent if job.stop > time.time() - SESSION_GAP_SECONDS]
    done = sum(expected.get(job.name.rsplit("/", 1)[-1], 0.0) for job in recent)
    if not done:
        return None
    return sum(expected[key] for key in missing) * (time.time() - min(job.start for job in recent)) / done
