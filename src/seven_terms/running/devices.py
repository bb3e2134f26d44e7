"""Hand out devices: a job holds its GPU through a file lock, which the kernel releases when the process ends.

Snakemake counts GPUs but does not hand them out: without this all jobs of a machine would train on its first one. The
lock belongs to the process that trains, a fork of the warm server or one of its own, and no program that it starts
inherits it. CUDA reads CUDA_VISIBLE_DEVICES at its first call and works in a fork only if the server made none, so
devices are found without CUDA. Standard library only.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from ..spec import require
from .user_directory import user_directory

DEVICES = "SEVEN_TERMS_DEVICES"  # names instead of the GPUs found; pretend ones in the tests
SLOTS = "SEVEN_TERMS_SLOTS"  # how many jobs share a device, 1 if unset
VISIBLE = "CUDA_VISIBLE_DEVICES"
DRIVER = Path("/proc/driver/nvidia/gpus")


@contextmanager
def held_devices(number: int, *, accelerator: str) -> Iterator[tuple[str, ...]]:
    """Hold a slot on `number` devices, or on every one where there are fewer, and make CUDA see no others.

    Yields their names. Waits, saying so once, while too few are free. Does nothing and yields () on the processor, where
    no device is found, and in a Slurm job, which has its own; of an allocation with more, jobs take theirs as elsewhere.
    """
    names, allocation = device_names(accelerator), os.environ.get("SLURM_JOB_ID", "")
    if not names or (allocation and len(names) <= number):
        yield ()
        return
    prefix = f"slurm{allocation}-" if allocation else ""
    before = os.environ.get(VISIBLE)
    with ExitStack() as locks:
        chosen = _wait_for(locks, names, min(number, len(names)), prefix=prefix)
        os.environ[VISIBLE] = ",".join(chosen)
        try:
            yield chosen
        finally:
            if before is None:
                del os.environ[VISIBLE]
            else:
                os.environ[VISIBLE] = before


def device_names(accelerator: str) -> tuple[str, ...]:
    """Return what a job may train on, as CUDA_VISIBLE_DEVICES spells it: given by name, or all GPUs of the machine."""
    given = os.environ.get(DEVICES)
    if given is None and accelerator == "cpu":
        return ()
    given = os.environ.get(VISIBLE) if given is None else given
    names = _found() if given is None else [name.strip() for name in given.split(",")]
    return tuple(dict.fromkeys(filter(None, names)))


def _found() -> list[str]:
    """Return the UUIDs of the machine's GPUs, and of the parts of those that are divided (MIG)."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=120, check=True)
    except (OSError, subprocess.SubprocessError):
        files = sorted(DRIVER.glob("*/information"))
        return [
            name
            for file in files
            for name in re.findall(r"GPU UUID:\s*(GPU-[0-9a-f-]+)", file.read_text(encoding="utf-8"))
        ]
    names: list[str] = []
    for gpu in re.split(r"(?m)^(?=GPU )", done.stdout):
        whole, *parts = re.findall(r"\(UUID: (\S+)\)", gpu) or [""]
        names += parts or [whole]
    return names


def _wait_for(locks: ExitStack, names: Sequence[str], number: int, *, prefix: str) -> tuple[str, ...]:
    slots, said = _num_slots(), False
    while True:
        taken = _take(names, number, slots=slots, prefix=prefix)
        for lock in taken.values():
            locks.enter_context(lock)
        if len(taken) == number:
            return tuple(taken)
        locks.close()  # all or none: two jobs that each hold half of what they need would wait for ever
        if not said:
            print(
                f"seven-terms: waiting for {number} of {len(names)} devices ({slots} at a time on each).",
                file=sys.stderr,
            )
            said = True
        time.sleep(random.uniform(0.05, 0.25))


def _take(names: Sequence[str], number: int, *, slots: int, prefix: str) -> dict[str, IO[str]]:
    """Return up to `number` devices with their locks; empty devices before shared ones."""
    taken: dict[str, IO[str]] = {}
    for slot in range(slots):
        for name in names:
            if len(taken) < number and name not in taken:
                lock = _lock(f"{prefix}{name}-{slot}")
                taken |= {name: lock} if lock else {}
    return taken


def _lock(name: str) -> IO[str] | None:
    """Return the open file of a lock that was free, which says whose it is now; None when another process has it."""
    import fcntl

    folder = user_directory() / "devices"
    folder.mkdir(exist_ok=True)
    file = open(folder / f"{name.replace('/', '_')}.lock", "a", encoding="utf-8")  # noqa: SIM115 - open is what holds the lock
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except OSError as error:
        file.close()
        raise ValueError(
            f"folder {str(folder)!r}: it must be on a file system with locks, which share out the devices, got "
            f"{error.strerror!r}; let TMPDIR name a folder on a disk of this machine."
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _num_slots() -> int:
    given = os.environ.get(SLOTS, "1")
    must = "it must be a whole number > 0, the jobs that may share a device"
    require(given.isdecimal() and int(given) > 0, what=SLOTS, must=must, got=given)
    return int(given)
