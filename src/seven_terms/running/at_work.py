"""Who works in a folder of results: one call at a time, whatever becomes of it; what is damaged is cleared away first.

The lock is the kernel's, so it is gone with the call that held it. Whoever does not hold it writes nothing there.
Standard library only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from ..records.atomic import has_checksum, is_whole, remove
from ..spec import require

TRAINED = ".parquet"  # how the names of metrics end
OF_STACK = b'"stack": "'  # then its id: in their metadata, which Parquet does not compress
MARK = ".at-work"  # its text: the process that works there, or the last one that did
# What Snakemake does with these it does without running a job.
IDLE_FLAGS = frozenset(
    word
    for line in (
        "-n --dry-run --dryrun --lint --list-rules --list -l --list-target-rules --lt --summary -S --detailed-summary -D",
        "--unlock --dag --rulegraph --filegraph --d3dag --report --print-compilation --containerize --archive",
        "--cleanup-metadata --cm --cleanup-shadow --list-input-changes --list-params-changes --list-code-changes",
        "--generate-unit-tests",
    )
    for word in line.split()
)


def will_work(arguments: Iterable[str]) -> bool:
    """Return whether a command line of Snakemake asks for jobs to be run."""
    return not any(word.partition("=")[0] in IDLE_FLAGS for word in arguments)


def hold(folder: Path) -> IO[str] | None:
    """Return what marks this call as the one that works in a folder, open as long as it does; None on other systems.

    ValueError when another call is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark = open(folder / MARK, "a+", encoding="utf-8")  # noqa: SIM115 - open is what holds the lock
    try:
        import fcntl

        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        mark.seek(0)
        holder = mark.read().strip() or "?"
        mark.close()
        require(
            False,
            what=f"results {str(folder)!r}",
            must="one call at a time may work there",
            got=f"another one, process {holder}",
            do="wait until it is done, or stop it; nothing was changed",
        )
    except (ImportError, OSError):  # no such locks here: Snakemake's own must do
        mark.close()
        return None
    mark.truncate(0)
    mark.write(f"{os.getpid()}\n")
    mark.flush()
    return mark


def remove_damaged(paths: Iterable[Path | str]) -> list[Path]:
    """Take away the files that are not as they were written, or are another stack's, so that they are made again; return them.

    Metrics may have taken days: they are put beside, never deleted.
    """
    damaged = [(path, why) for path in map(Path, paths) if path.exists() and (why := _fault(path))]
    for path, why in damaged:
        if path.is_dir() or (path.suffix == TRAINED and path.stat().st_size):
            kept = path.with_name(f".{path.name}.kept")
            print(f"seven-terms: {path} {why}; it is made again, and kept as {kept.name}.", file=sys.stderr)
            os.replace(path, kept) if path.is_file() else path.rename(kept)
        else:
            print(f"seven-terms: {path} {why}; it is made again.", file=sys.stderr)
            remove(path)
    return [path for path, _ in damaged]


def _fault(path: Path) -> str:
    """Say what is wrong with a file that later stages would believe; empty where nothing is."""
    if not path.is_file() or not is_whole(path):
        unmarked = path.suffix == TRAINED and path.is_file() and path.stat().st_size and not has_checksum(path)
        return "carries no checksum" if unmarked else "is damaged or was changed"
    if path.suffix == TRAINED:
        data = path.read_bytes()
        if OF_STACK in data and OF_STACK + f'{path.stem}"'.encode() not in data:
            return "holds the metrics of another stack"
    return ""
