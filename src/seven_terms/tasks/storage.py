"""Where data lies on disk, checked by checksum, written atomically and by one process at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..spec import require
from ..spec.measured import cache_directory as cache_directory
from .files import CIFAR10_ARCHIVE, MNIST, MUSIC, DataFile

VARIABLE = "SEVEN_TERMS_DATA"
CHUNK_BYTES = 1 << 20


def own_directory(name: str) -> Path:
    """Return a folder of the cache for code that is run again, which nobody but this user may write to; it is made here.

    ValueError where it belongs to somebody else, or others may write to it: what lies there would be run as ours.
    """
    path = cache_directory() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise ValueError(
            f"cache folder {str(path)!r}: it must be writable, got {error.strerror!r}; "
            "set XDG_CACHE_HOME to a folder of yours, or plan with `--compiling never`."
        ) from error
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    require(
        is_ours,
        what=f"cache folder {str(path)!r}",
        must=f"it must be a folder of user {os.getuid()} that no other may write to",
        got=f"owner {found.st_uid}, mode {stat.S_IMODE(found.st_mode):o}",
        do="delete it, or set XDG_CACHE_HOME to a folder of yours",
    )
    return path


def data_directory() -> Path:
    """Return the folder of the published files: $SEVEN_TERMS_DATA, or the cache folder's `data`."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else cache_directory() / "data"


def stored_path(path: str) -> Path | None:
    """Return where a published file lies in the data directory, in its own folder or directly, or None."""
    folder = data_directory()
    return next((found for found in (folder / path, folder / Path(path).name) if found.is_file()), None)


def checksum_of(path: Path, *, algorithm: str) -> str:
    """Return "<algorithm>:<hex digits>" of a file."""
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def require_checksum(path: Path, file: DataFile) -> None:
    """Raise a ValueError that says what to do unless the file at `path` is the published one."""
    found = checksum_of(path, algorithm=algorithm_of(file.checksum))
    known = {other.checksum: other.name for other in (*MNIST.values(), *MUSIC.values(), CIFAR10_ARCHIVE)}
    another = f" (that is {known[found]!r} under another name)" if found in known and found != file.checksum else ""
    require(
        found == file.checksum,
        what=f"data file {str(path)!r}",
        must=f"its checksum must be {file.checksum}{another}",
        got=found,
        do=f"delete it and run again, or put the right file there by hand from {file.page}",
    )


def algorithm_of(checksum: str) -> str:
    return checksum.partition(":")[0]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that belongs to a file; the kernel frees it on any death of the process."""
    lock_path = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_path.open("w", encoding="utf-8")
    except OSError as error:
        raise ValueError(
            f"folder {str(path.parent)!r}: {path.name!r} must be written there, got {error.strerror!r}; "
            f"set {VARIABLE} (downloads) or XDG_CACHE_HOME (decompressed files) to a writable folder."
        ) from error
    with lock:  # stays behind: removing it would let two processes hold locks on different files of one name
        with suppress(OSError):  # a file system without locks: some work is done twice, and each file appears whole
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_verified(stream: IO[bytes], target: Path, *, checksum: str, source: str) -> None:
    """Copy a stream to a file, atomically; ValueError when the copy's checksum is not the expected one."""
    digest = hashlib.new(algorithm_of(checksum))
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
        require(
            digest.hexdigest() == checksum.partition(":")[2],
            what=f"data file {source!r}",
            must=f"its decompressed contents {target.name!r} must have checksum {checksum}",
            got=f"{algorithm_of(checksum)}:{digest.hexdigest()}",
            do="delete it and run again",
        )
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
