"""Decompressed forms of published files, made once and cached; any number of jobs may ask at the same time."""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..spec import require
from .downloads import fetch
from .files import CIFAR10_ARCHIVE, CIFAR10_BATCHES, CIFAR10_FOLDER
from .storage import algorithm_of, cache_directory, checksum_of, locked, stored_path, write_verified

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, tarfile.TarError)


def cifar10_batch(name: str) -> Path:
    """Return the path of a CIFAR-10 batch, such as `data_batch_1.bin`, whose checksum is right.

    Taken from the data directory as it is, or decompressed from its `.xz`, or from the published archive, which is
    downloaded when there is nothing else.
    """
    plain = stored_path(f"{CIFAR10_FOLDER}/{name}")
    if plain is not None:
        _require_batch(plain, name)
        return plain
    cached = cache_directory() / "decompressed" / name
    if not _is_right(cached, name):
        with locked(cached.with_name("cifar-10")):
            if not _is_right(cached, name):
                _decompress(name, cached)
    return cached


def _decompress(name: str, cached: Path) -> None:
    compressed = stored_path(f"{CIFAR10_FOLDER}/{name}.xz")
    if compressed is not None:
        with _readable(compressed), lzma.LZMAFile(compressed) as stream:
            write_verified(stream, cached, checksum=CIFAR10_BATCHES[name], source=str(compressed))
        return
    archive = fetch(CIFAR10_ARCHIVE)
    with _readable(archive), tarfile.open(archive, "r|gz") as members:
        for member in members:  # all six in one pass: the archive cannot be read at random
            base = Path(member.name).name
            stream = members.extractfile(member) if base in CIFAR10_BATCHES else None
            if stream is not None:
                target = cached.with_name(base)
                write_verified(stream, target, checksum=CIFAR10_BATCHES[base], source=str(archive))
    require(cached.exists(), what=f"data file {str(archive)!r}", must=f"it must contain {name!r}", got="no such member")


def read_gzip(path: Path) -> bytes:
    """Return the decompressed bytes of a file whose checksum was found right."""
    with _readable(path):
        return gzip.decompress(path.read_bytes())


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        raise ValueError(
            f"data file {str(path)!r}: it must be readable to its end, got {str(error)!r}; delete it and run again."
        ) from error


def _is_right(path: Path, name: str) -> bool:
    checksum = CIFAR10_BATCHES[name]
    return path.is_file() and checksum_of(path, algorithm=algorithm_of(checksum)) == checksum


def _require_batch(path: Path, name: str) -> None:
    checksum = CIFAR10_BATCHES[name]
    require(
        _is_right(path, name),
        what=f"data file {str(path)!r}",
        must=f"its checksum must be {checksum}",
        got=checksum_of(path, algorithm=algorithm_of(checksum)),
        do=f"delete it and run again, or take it from the archive at {CIFAR10_ARCHIVE.page}",
    )
