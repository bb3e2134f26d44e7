"""Processes killed at random moments, with a checkpoint every 0.2 s; in the end everything is as if nobody had."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .outcomes import Trial
from .pipeline import Pipeline, differences, kill

ONLY = "gradient_clipping/temporal_order lr_decay/step_drop"
IN_A_ROW = 10  # kills before a call may end
TARGETS = ("everything", "everything", "Snakemake", "one of its processes", "the warm server")
SECONDS = "SEVEN_TERMS_CHECKPOINT_SECONDS"


def trials(root: Path, project: Path, *, number: int, until: float, seed: int = 0) -> Iterator[Trial]:
    """Yield so many kills, or as many as there is time for until a moment of `time.monotonic`."""
    chance = random.Random(seed)
    pipeline = Pipeline(root=root, only=ONLY, environment={SECONDS: "0.2"}).make(project)
    started = time.monotonic()
    status, printed = pipeline.run()
    assert status == 0, printed
    assert pipeline.made(), printed
    whole, seconds = pipeline.made(), time.monotonic() - started
    done = 0
    while done < number and time.monotonic() < until:
        pipeline.forget()
        hits: list[tuple[str, str]] = []
        while len(hits) < min(IN_A_ROW, number - done):
            target = chance.choice(TARGETS)
            hit = _killed(pipeline, target, chance, seconds)
            if hit is None:
                break
            hits += [(target, _resumable(pipeline))] if hit else []
        status, printed = pipeline.run()
        told = f"status {status}: {printed[-300:]}" if status else ""
        told = told or ", ".join(differences(pipeline.made(), whole)[:4])
        end = ("not made again" if status else "other bytes, silently") if told else "same bytes"
        for target, where in hits:
            yield Trial(f"SIGKILL at a random moment{where}", target, end, told)
        done += len(hits)
    pipeline.end()


def _killed(pipeline: Pipeline, target: str, chance: random.Random, seconds: float) -> bool | None:
    """Start a call, kill what is named at a random moment, and return whether that was there; None if the call was done."""
    call = pipeline.start()
    wait = chance.uniform(0.05, 0.7) * seconds
    try:
        call.wait(timeout=wait)
    except subprocess.TimeoutExpired:
        pass
    else:
        return None
    victims = _victims(pipeline, target, call.pid, chance)
    for process in victims:
        kill(process)
    call.wait(timeout=1800)
    return bool(victims)


def _victims(pipeline: Pipeline, target: str, snakemake: int, chance: random.Random) -> list[int]:
    found = pipeline.processes()
    servers = [process for process, words in found.items() if "-m seven_terms serve" in words]
    match target:
        case "everything":
            return list(found)
        case "Snakemake":
            return [snakemake]
        case "the warm server":
            return servers
    others = sorted(process for process in found if process != snakemake)
    return [chance.choice(others)] if others else []


def _resumable(pipeline: Pipeline) -> str:
    """Return whether the kill left a state to go on from."""
    return ", in a training" if any((pipeline.folder.shared / "state").glob("*.ckpt")) else ""
