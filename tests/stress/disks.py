"""Full disks: the results' disk fills up as each stage begins, temporary files have no room, files may not grow; then there is.

The disk is a tmpfs in a mount namespace of our own, so this part runs in a process of its own: `python -m tests.stress.disks`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote

from .outcomes import Trial
from .pipeline import Pipeline, differences

ONLY = "exploding_gradient/cliff"
SIZE = "300m"
BLOCKS = ("20", "100", "400")  # of 512 or 1,024 bytes: `ulimit -f`
STAGES = {  # what appears below the results when a stage begins; "": the disk is full before the call
    "plan": "",
    "training": "logs/train/*/*/*.log",
    "checkpoint": "state/*",
    "summary": "logs/summarize/*/*.log",
    "figures": "logs/figure/*/*/*.log",
    "report": "logs/tex.log",
    "PDF": "logs/pdf.log",
}
FULL = "full disk, then room"


def trials(root: Path, project: Path, *, until: float) -> Iterator[Trial]:
    pipeline = Pipeline(root=root, only=ONLY, environment={"SEVEN_TERMS_CHECKPOINT_SECONDS": "0"}).make(project)
    status, printed = pipeline.run()
    assert status == 0, printed
    assert pipeline.made(), printed
    whole = pipeline.made()
    if can_mount():
        (root / "whole.json").write_text(json.dumps(whole), encoding="utf-8")
        command = [
            "unshare",
            "-m",
            sys.executable,
            "-m",
            "tests.stress.disks",
            str(root),
            str(until - time.monotonic()),
        ]
        with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) as inside:
            assert inside.stdout
            for line in inside.stdout:
                yield Trial(*json.loads(line))
        assert inside.returncode == 0
    for blocks in BLOCKS:
        if time.monotonic() < until:
            pipeline.forget()
            status, printed = _limited(pipeline, blocks)
            yield _judged(pipeline, whole, f"no file above {blocks} blocks", status, printed)
    pipeline.end()


def can_mount() -> bool:
    """Return whether this user may make a small disk in a namespace of its own."""
    if not shutil.which("unshare"):
        return False
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=40k", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main(root: Path, seconds: float) -> None:
    """Attack in a mount namespace: the results lie on a disk of their own. Print a line of JSON a trial."""
    until = time.monotonic() + seconds
    pipeline = Pipeline(root=root, only=ONLY, environment={"SEVEN_TERMS_CHECKPOINT_SECONDS": "0"})
    whole = json.loads((root / "whole.json").read_text(encoding="utf-8"))
    results = pipeline.checkout / "results"
    for name, place in STAGES.items():
        if time.monotonic() < until:
            pipeline.forget()
            with mounted(results, SIZE):
                with _filling(results / "filler", (pipeline.folder.shared, pipeline.folder.path), place):
                    status, printed = pipeline.run()
                _say(_judged(pipeline, whole, f"results, at {name}", status, printed))
    if time.monotonic() < until:
        pipeline.forget()
        with mounted(pipeline.temporary, "40k"):
            status, printed = pipeline.run()
        _say(_judged(pipeline, whole, "temporary files", status, printed))


@contextmanager
def mounted(place: Path, size: str) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def _filling(filler: Path, results: tuple[Path, ...], begins: str) -> Iterator[None]:
    """Fill a disk to its last byte as soon as what begins a stage is there; what is deleted then is filled too."""
    stop = threading.Event()
    if not begins:
        fill(filler)
    watching = threading.Thread(target=_watch, args=(filler, results, begins, stop))
    watching.start()
    try:
        yield
    finally:
        stop.set()
        watching.join()
        filler.unlink(missing_ok=True)


def _watch(filler: Path, results: tuple[Path, ...], begins: str, stop: threading.Event) -> None:
    while begins and not any(place.glob(begins) for place in results):
        if stop.wait(0.02):
            return
    fill(filler)
    while not stop.wait(0.02):
        fill(filler)


def fill(filler: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), open(filler, "ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass


def _limited(pipeline: Pipeline, blocks: str) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f {blocks}; {' '.join(map(quote, pipeline.command))}"],
        cwd=pipeline.checkout,
        env=pipeline.surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _judged(pipeline: Pipeline, whole: dict[str, str], name: str, status: int, printed: str) -> Trial:
    """Type the same command again, with room, and judge both calls."""
    again, said = pipeline.run()
    if again:
        return Trial(FULL, name, "not made again", said[-300:])
    told = ", ".join(differences(pipeline.made(), whole)[:4])
    if told:
        return Trial(FULL, name, "other bytes, silently", told)
    if status and re.search(r'^Traceback|^ *File "', printed, re.MULTILINE):
        return Trial(FULL, name, "traceback", printed[-900:])
    return Trial(FULL, name, "refused in a sentence" if status else "same bytes", printed[-300:])


def _say(trial: Trial) -> None:
    print(json.dumps([trial.attack, trial.on, trial.outcome, trial.told]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
