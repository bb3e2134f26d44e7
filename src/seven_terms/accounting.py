"""Where the time goes: what is left while the pipeline trains, how its wall time divided afterwards, and what a step costs.

Read from files alone: the stack table of the plan, finished metrics, Snakemake's benchmark files, whose modification
time is the end of their job, and the tables of `make bench`. Standard library only.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

STAGES = {
    "train": "training",
    "wandb": "W&B",
    "runs": "statistics",
    "summarize": "statistics",
    "verdicts": "statistics",
    "compare": "statistics",
    "figure": "figures",
    "summary_page": "figures",
    "speed": "figures",
    "tex": "text",
    "pdf": "LaTeX",
}
IDLE = "start-up and scheduling"
NUM_RECENT = 12  # finished stacks that tell the present speed
SESSION_GAP_SECONDS = 600.0  # a longer pause between stacks belongs to another session


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One finished job of the pipeline, in seconds since 1970."""

    rule: str
    name: str
    start: float
    stop: float


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


def finished_jobs(results_dir: Path) -> list[Job]:
    """Return the jobs that left a benchmark file, in the order in which they ended."""
    folder = results_dir / "benchmarks"
    jobs = []
    for path in folder.rglob("*.jsonl"):
        lines = path.read_text().split("\n")
        stop, seconds = path.stat().st_mtime, sum(json.loads(line)["s"] for line in lines if line)
        rule, *name = path.relative_to(folder).with_suffix("").parts
        jobs.append(Job(rule=rule, name="/".join(name), start=stop - seconds, stop=stop))
    return sorted(_apart(jobs), key=lambda job: job.stop)


def note_wandb_seconds(results_dir: Path, *, experiment: str, stack: str, seconds: float) -> None:
    """Leave a benchmark file for the W&B mirror of a stack, which is written inside the job that trains."""
    path = results_dir / "benchmarks" / "wandb" / experiment / f"{stack}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"s": seconds}) + "\n")


def _apart(jobs: list[Job]) -> list[Job]:
    """Return the jobs with training cut off where the mirror of its stack began."""
    mirrored = {job.name: job.start for job in jobs if job.rule == "wandb"}
    return [
        dataclasses.replace(job, stop=max(job.start, min(job.stop, mirrored.get(job.name, job.stop))))
        if job.rule == "train"
        else job
        for job in jobs
    ]


def speed_tables(results_dir: Path) -> list[Path]:
    """Return the tables of `make bench` that a report tells of: the published ones, or else the one measured here, if any.

    They lie beside the folder of a scale, since they do not depend on it.
    """
    published = sorted((results_dir.parent / "published").glob("bench-*.csv"))
    return published or [path for path in [results_dir.parent / "bench" / "speed.csv"] if path.is_file()]


def duration(seconds: float) -> str:
    """Return a duration in words: "41 s", "12 min", "3 h 05 min", "1,200 h"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes >= 6000:
        return f"{minutes / 60:,.0f} h"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


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
