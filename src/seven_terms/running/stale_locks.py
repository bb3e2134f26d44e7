"""Snakemake's lock of the folder outlives a call that is killed, or whose terminal is closed; the kernel's do not.

Every call keeps a shared file lock until it ends, however it ends. Whoever finds itself alone knows that what
Snakemake's own lock files say is over, and deletes them. Standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO


def remove_stale_locks(folder: Path) -> IO[str] | None:
    """Delete the locks that a killed call left in .snakemake; return what marks this one, open as long as it lives."""
    try:
        import fcntl
    except ImportError:  # not on this system: Snakemake says how to unlock by hand
        return None
    folder.mkdir(exist_ok=True)
    mark = open(folder / "seven-terms.alive", "w", encoding="utf-8")  # noqa: SIM115 - open is what holds the lock
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # another call is alive: whether both can be, Snakemake decides
        pass
    else:
        _delete(sorted(folder.glob("locks/*.lock")))
    fcntl.flock(mark, fcntl.LOCK_SH)
    return mark


def _delete(locks: list[Path]) -> None:
    if locks:
        print("seven-terms: an earlier call was killed; its lock on this folder is removed.", file=sys.stderr)
    for lock in locks:
        lock.unlink(missing_ok=True)
