"""Full disks: results, caches and temporary files on a few kilobytes, files that may not grow; then there is room again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from .outcomes import Trial
from .pipeline import QUIET, Pipeline, differences

ONLY = "exploding_gradient/cliff"
SIZES = ("40k", "200k", "700k", "1500k", "3m")
BLOCKS = ("20", "100", "400")  # of 512 or 1,024 bytes: `ulimit -f`


def trials(root: Path, project: Path, *, until: float) -> Iterator[Trial]:
    pipeline = Pipeline(root=root, only=ONLY).make(project)
    status, printed = pipeline.run()
    assert status == 0, printed
    assert pipeline.made(), printed
    whole = pipeline.made()
    for blocks in BLOCKS:
        if time.monotonic() < until:
            pipeline.forget()
            first = _shell(pipeline, f"ulimit -f {blocks}; {_call(pipeline)}")
            yield _judged(pipeline, whole, f"no file above {blocks} blocks", first, _shell(pipeline, _call(pipeline)))
    if not can_mount():
        return
    places = {"results": pipeline.checkout / "results", "temporary files": pipeline.temporary}
    for name, place in places.items():
        for size in SIZES if name == "results" else SIZES[:1]:
            if time.monotonic() < until:
                yield _on_small_disk(pipeline, whole, name, place, size)
    pipeline.end()


def can_mount() -> bool:
    """Return whether this user may make a small disk in a namespace of its own."""
    if not shutil.which("unshare"):
        return False
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=40k", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _on_small_disk(pipeline: Pipeline, whole: dict[str, str], name: str, place: Path, size: str) -> Trial:
    """Run a call on a small disk, one with room on the same disk, and take what it made off that disk."""
    pipeline.forget()
    place.mkdir(parents=True, exist_ok=True)
    held, disk = pipeline.root / "held", quote(str(place))
    shutil.rmtree(held, ignore_errors=True)
    script = (
        f"mount -t tmpfs -o size={size} none {disk} && cd {quote(str(pipeline.checkout))} && "
        f"{{ {_call(pipeline)} >{quote(str(pipeline.root / 'first'))} 2>&1; echo $? >>{quote(str(pipeline.root / 'first'))};"
        f" mount -o remount,size=500m {disk}; {_call(pipeline)}; status=$?; cp -a results {quote(str(held))}; exit $status; }}"
    )
    again = _shell(pipeline, script, before=("unshare", "-m"))
    first = (pipeline.root / "first").read_text(encoding="utf-8")
    printed, _, status = first.rstrip("\n").rpartition("\n")
    pipeline.end()
    shutil.rmtree(pipeline.checkout / "results", ignore_errors=True)
    if held.is_dir():
        shutil.copytree(held, pipeline.checkout / "results")
    return _judged(pipeline, whole, f"{name} on {size}", (int(status), printed), again)


def _call(pipeline: Pipeline) -> str:
    words = [sys.executable, "-m", "snakemake", "--cores", "2", *QUIET, "--config", "scale=smoke", f"only={ONLY}"]
    return " ".join(map(quote, words))


def _shell(pipeline: Pipeline, script: str, *, before: tuple[str, ...] = ()) -> tuple[int, str]:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(pipeline.temporary),
        "WANDB_MODE": "disabled",
        "SEVEN_TERMS_WARM": "0",
    }
    done = subprocess.run(
        [*before, "sh", "-c", script],
        cwd=pipeline.checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def _judged(
    pipeline: Pipeline, whole: dict[str, str], name: str, first: tuple[int, str], again: tuple[int, str]
) -> Trial:
    attack = "full disk, then room"
    if again[0]:
        return Trial(attack, name, "not made again", again[1][-300:])
    told = ", ".join(differences(pipeline.made(), whole)[:4])
    if told:
        return Trial(attack, name, "other bytes, silently", told)
    if first[0] and re.search(r'^Traceback|^ *File "', first[1], re.MULTILINE):
        return Trial(attack, name, "traceback", first[1][-600:])
    return Trial(attack, name, "refused in a sentence" if first[0] else "same bytes", first[1][-200:])
