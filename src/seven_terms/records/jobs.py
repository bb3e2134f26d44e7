"""The finished jobs of a results folder and how long each took, from Snakemake's benchmark files; standard library only.

A benchmark file's modification time is the end of its job.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from .folder import Folder

STAGES = {
    "train": "training",
    "mirror_runs": "W&B",
    "mirror": "W&B",
    "runs": "statistics",
    "summarize": "statistics",
    "verdicts": "statistics",
    "power": "statistics",
    "compare": "statistics",
    "figure": "figures",
    "summary_page": "figures",
    "speed": "figures",
    "tex": "text",
    "page": "text",
    "pdf": "LaTeX",
    "supplement": "LaTeX",
}
IDLE = "start-up and scheduling"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One finished job of the pipeline, in seconds since 1970."""

    rule: str
    name: str
    start: float
    stop: float


def finished_jobs(results_dir: Path) -> list[Job]:
    """Return the jobs that left a benchmark file, in the order in which they ended; what a power cut tore is passed over."""
    folder = Folder(results_dir)
    jobs = []
    for place in dict.fromkeys((folder.path, folder.shared)):
        benchmarks = place / "benchmarks"
        for path in benchmarks.rglob("*.jsonl"):
            seconds = _seconds(path)
            if seconds is not None:
                stop = path.stat().st_mtime
                rule, *name = path.relative_to(benchmarks).with_suffix("").parts
                jobs.append(Job(rule=rule, name="/".join(name), start=stop - seconds, stop=stop))
    return sorted(jobs, key=lambda job: job.stop)


def _seconds(path: Path) -> float | None:
    """Return the seconds of a benchmark file, or None where it is torn: Snakemake writes these in place."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        return sum(float(line["s"]) for line in lines)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def speed_tables(results_dir: Path) -> list[Path]:
    """Return the tables of `make bench` that a report tells of: the published ones, or else the one measured here, if any.

    They lie beside the folder of a scale, since they do not depend on it.
    """
    results = Folder(results_dir).shared.parent
    published = sorted((results / "published").glob("bench-*.csv"))
    return published or [path for path in [results / "bench" / "speed.csv"] if path.is_file()]


def duration(seconds: float) -> str:
    """Return a duration in words: "41 s", "12 min", "3 h 05 min", "1,200 h"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes >= 6000:
        return f"{minutes / 60:,.0f} h"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
