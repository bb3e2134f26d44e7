"""Progress and timing: the time left while the pipeline trains, and how its wall time was spent; standard library only.

A call writes down once what there is to do. Each job that is done adds a record of fixed length, so that a count is a
file's size, and the line that says so costs the same for the first stack and the five thousandth.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..records.atomic import write
from ..records.folder import Folder
from ..records.jobs import IDLE, STAGES, Job, duration, finished_jobs

NUM_RECENT = 12  # finished stacks that tell the present speed
RECORD = 64  # bytes
Counts = Mapping[str, tuple[int, int]]  # experiment -> how many are there, of how many


def start_progress(results_dir: Path, stages: Mapping[str, Counts], *, expected_seconds: float = 0.0) -> None:
    """Write down how much there is to do, and forget what an earlier call counted. `expected_seconds`: of all training."""
    folder = _folder(results_dir)
    shutil.rmtree(folder, ignore_errors=True)
    write(folder / "start.json", json.dumps({"stages": stages, "expected_seconds": expected_seconds}), beside=False)


def say(line: str) -> None:
    """Print a line in one piece: jobs that end together share a terminal, and Python may write its end apart."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_trained(results_dir: Path, *, experiment: str, expected_seconds: float, seconds: float) -> None:
    """Say that a stack is trained: how many of how many, and the time left. Never fails: nothing may cost a training."""
    try:
        with _counted(results_dir, "train", experiment, expected=expected_seconds, seconds=seconds) as counts:
            (own, num_own), (done, num_all), left = counts
            line = f"trained {experiment}: stack {own} of {num_own}, {done} of {num_all} stacks in all"
            say(line if left is None or done == num_all else f"{line}, about {duration(left)} left")
    except Exception as error:
        say(f"trained {experiment} (not counted: {type(error).__name__})")


def say_done(results_dir: Path | None, stage: str, what: str, *, experiment: str) -> None:
    """Say that something of an experiment is done, and which of how many it is; without a folder nothing is said."""
    if results_dir is None:
        return
    try:
        with _counted(results_dir, stage, experiment) as (_, (done, num_all), _):
            say(f"{what}, {done} of {num_all}")
    except Exception:
        say(what)


@contextlib.contextmanager
def _counted(
    results_dir: Path, stage: str, experiment: str, *, expected: float = 0.0, seconds: float = 0.0
) -> Iterator[tuple[tuple[int, int], tuple[int, int], float | None]]:
    """Count a job; yield (its experiment's, all of the stage's) done and planned, and the seconds left, in the jobs' order."""
    folder, now = _folder(results_dir), time.time()
    start = json.loads((folder / "start.json").read_text(encoding="utf-8"))
    counts = start["stages"][stage]
    with open(_made(folder / stage / "all"), "a+b") as every:
        _lock(every.fileno())
        recent = _last(every)
        spent = (recent[-1][2] if recent else 0.0) + expected
        every.write(_record(now - seconds, expected, spent))
        every.flush()
        with open(_made(folder / stage / experiment), "ab") as own:
            own.write(_record(now - seconds, expected, spent))
        sizes = [os.path.getsize(file.name) // RECORD for file in (own, every)]
        num_own, num_all = counts[experiment][1], sum(planned for _, planned in counts.values())
        done_own = min(sizes[0] + counts[experiment][0], num_own)
        done_all = min(sizes[1] + sum(there for there, _ in counts.values()), num_all)
        left = _seconds_left([*recent, (now - seconds, expected, spent)], start["expected_seconds"], now=now)
        yield (done_own, num_own), (done_all, num_all), left


def _seconds_left(recent: list[tuple[float, float, float]], expected: float, *, now: float) -> float | None:
    """Scale what is expected of the rest by the speed of the last stacks; None while there is none to go by."""
    last = recent[-NUM_RECENT:]
    done, since = sum(seconds for _, seconds, _ in last), now - min(start for start, _, _ in last)
    return max(expected - recent[-1][2], 0.0) * since / done if len(recent) > 1 and done else None


def _record(start: float, expected: float, spent: float) -> bytes:
    return f"{start:.3f} {expected:.8g} {spent:.8g}".ljust(RECORD - 1).encode() + b"\n"


def _last(file) -> list[tuple[float, float, float]]:
    size = file.seek(0, os.SEEK_END) // RECORD
    file.seek(max(size - NUM_RECENT, 0) * RECORD)
    lines = file.read().decode().splitlines()
    return [tuple(float(word) for word in line.split()) for line in lines]  # type: ignore[misc]


def _lock(file: int) -> None:
    with contextlib.suppress(ImportError, OSError):  # without locks two lines may show the same count
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _folder(results_dir: Path) -> Path:
    return Folder(results_dir).shared / "progress"


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
