"""One file of finished results is damaged; the same command must name it, make it again, and end with the same bytes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from .outcomes import Trial
from .pipeline import Pipeline, differences

ONLY = "exploding_gradient/cliff"
PLACES = (  # below the folder of the selection, or of the scale
    *("plan/*/*.json", "plan/stacks.csv", "plan/experiments.csv", "metrics/*/*/*.parquet", "runs.csv", "timing.csv"),
    *("summary/*/*.csv", "claims/*/*.csv", "verdicts.csv", "noise_floor.csv", "comparisons.csv"),
    *("figures/*/*/*.pdf", "figures/*/*/*.png", "figures/summary.pdf", "report/main.tex", "report/generated/*.tex"),
    *("report/references.bib", "report/*.aux", "seven-terms.pdf", "seven-terms-supplement.pdf", "index.html"),
    *("progress/start.json", "benchmarks/*/*/*/*.jsonl", "benchmarks/*.jsonl", ".verdicts.csv.sha256"),
    *(".snakemake/metadata/*", "summary/*/.*.sha256"),
)


ALWAYS = {".snakemake/metadata/*": "random bytes"}  # what Snakemake reads as JSON


def _a_digit(data: bytes, chance: random.Random) -> bytes:
    places = [place for place, byte in enumerate(data) if chr(byte).isdigit()] or [0]
    place = chance.choice(places)
    return data[:place] + bytes([48 + (data[place] + 1) % 10]) + data[place + 1 :]


HARMS: dict[str, Callable[[bytes, random.Random], bytes | None]] = {
    "emptied": lambda data, chance: b"",
    "cut": lambda data, chance: data[: len(data) // 2],
    "all zeros": lambda data, chance: bytes(len(data)),
    "a line less": lambda data, chance: data[: data.rfind(b"\n", 0, max(len(data) - 1, 0)) + 1],
    "a digit changed": _a_digit,
    "random bytes": lambda data, chance: chance.randbytes(len(data)),
    "deleted": lambda data, chance: None,
}


def trials(root: Path, project: Path, *, until: float, seed: int = 0) -> Iterator[Trial]:
    """Yield damage to each kind of file, each kind of harm once before any comes again, while there is time."""
    chance = random.Random(seed)
    pipeline = Pipeline(root=root, only=ONLY).make(project)
    status, printed = pipeline.run()
    assert status == 0, printed
    assert pipeline.made(), printed
    whole = pipeline.made()
    harms: list[str] = []
    for place in PLACES:
        if time.monotonic() > until:
            break
        harms = harms or chance.sample(sorted(HARMS), len(HARMS))
        harm = ALWAYS.get(place) or harms.pop()
        path = _one(pipeline, place)
        changed = HARMS[harm](path.read_bytes(), chance)
        path.unlink() if changed is None else path.write_bytes(changed)
        status, printed = pipeline.run()
        told = _wrong(pipeline, whole, status, printed)
        outcome = "same bytes"
        if told:
            outcome = "traceback" if "Traceback" in printed else "not made again" if status else "other bytes, silently"
            pipeline.forget()
            pipeline.run()
        yield Trial(f"file {harm}", "finished results", outcome, f"{place}: {told}" if told else place)
    pipeline.end()


def _one(pipeline: Pipeline, place: str) -> Path:
    roots = (pipeline.folder.path, pipeline.folder.shared, pipeline.checkout)
    return next(path for root in roots for path in sorted(root.glob(place)) if path.is_file())


def _wrong(pipeline: Pipeline, whole: dict[str, str], status: int, printed: str) -> str:
    if status:
        return f"status {status}: {printed[-300:]}"
    try:
        return ", ".join(differences(pipeline.made(), whole)[:4])
    except ValueError as error:
        return str(error)
