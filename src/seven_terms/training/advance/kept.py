"""Compiled programs that TorchInductor keeps on disk: believed only when each of its files is as it was written.

Inductor checks nothing, and a flipped bit of code would train other numbers. So a digest of each file lies in a folder
beside, written when the program is compiled; a process that begins alone deletes everything where one does not agree.
"""

from __future__ import annotations

import atexit
import fcntl
import functools
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...records.atomic import write
from ...tasks.storage import own_directory

HELD: list[int] = []  # open files that say that this process uses the folder, until it ends
LOCKS = (".lock", ".users")  # how the names of files end that hold no program


@functools.cache
def folder() -> Path:
    """Return this process's folder of compiled programs: the user's, or an empty one where that is in use and damaged."""
    kept = own_directory("inductor")
    users = os.open(kept.parent / "inductor.users", os.O_RDWR | os.O_CREAT, 0o600)
    alone = _locked(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    wrong = next(_wrong(kept, unfinished=not alone), None)
    if wrong is not None and alone:
        print(
            f"seven-terms: compiled program {wrong} is not as it was written; all are compiled anew.", file=sys.stderr
        )
        _empty(kept)
    _locked(users, fcntl.LOCK_SH)
    HELD.append(users)
    return kept if wrong is None or alone else _passing()


def seal(kept: Path) -> None:
    """Write the digest of each file that has none."""
    for path in _files(kept):
        if not _digest_path(kept, path).is_file():
            with suppress(OSError):  # gone meanwhile, or no room: then it is compiled again
                write(_digest_path(kept, path), _digest(path), beside=False)


def _wrong(kept: Path, *, unfinished: bool) -> Iterator[Path]:
    """Yield the files that are not as they were written; `unfinished` ones, without a digest, may be in the making."""
    for path in _files(kept):
        digest = _digest_path(kept, path)
        if not (unfinished and not digest.is_file()) and not _agrees(path, digest):
            yield path


def _agrees(path: Path, digest: Path) -> bool:
    try:
        return digest.read_text(encoding="ascii", errors="replace") == _digest(path)
    except OSError:
        return False


def _files(kept: Path) -> list[Path]:
    return [path for path in sorted(kept.rglob("*")) if path.is_file() and not path.name.endswith(LOCKS)]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest_path(kept: Path, path: Path) -> Path:
    return kept.parent / f"{kept.name}-digests" / path.relative_to(kept)


def _empty(kept: Path) -> None:
    for place in (kept, kept.parent / f"{kept.name}-digests"):
        shutil.rmtree(place, ignore_errors=True)
    own_directory(kept.name)


def _passing() -> Path:
    """Return an empty folder that goes with this process."""
    path = Path(tempfile.mkdtemp(prefix="seven-terms-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def _locked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how)
    except OSError:  # others compile, or there are no locks here
        return False
    return True
