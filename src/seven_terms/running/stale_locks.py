"""What Snakemake leaves behind: locks that outlive a call which is killed or whose terminal is closed, and torn records.

Every call keeps a shared file lock until it ends, however it ends. Whoever finds itself alone knows that what
Snakemake's own lock files say is over, and deletes them. Standard library only.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import IO

from ..records.atomic import remove
from .at_work import TRAINED


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


def remove_unreadable_records(folder: Path) -> None:
    """Delete what Snakemake wrote down of its outputs and cannot read again, and the outputs, but for metrics.

    Without a record it takes a file as it is, and would not see that the code that made it has changed since.
    """
    for record in (path for path in (folder / "metadata").rglob("*") if path.is_file()):
        try:
            json.loads(record.read_text(encoding="utf-8"))
        except (ValueError, OSError):
            output = Path(_named(record.name))
            print(f"seven-terms: Snakemake's record of {output} is damaged; it is removed.", file=sys.stderr)
            record.unlink(missing_ok=True)
            if output.is_file() and output.suffix != TRAINED:
                remove(output)


def _named(record: str) -> str:
    try:
        return base64.urlsafe_b64decode(record).decode("utf-8")
    except ValueError:
        return record


def _delete(locks: list[Path]) -> None:
    if locks:
        print("seven-terms: an earlier call was killed; its lock on this folder is removed.", file=sys.stderr)
    for lock in locks:
        lock.unlink(missing_ok=True)
