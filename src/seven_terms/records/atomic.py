"""Files that appear whole or not at all, and that are believed only when their SHA-256 is right; standard library only.

A file that travels alone (plan, metrics, checkpoint) carries its checksum inside: a mark that the digest of the rest
fills. Any other has it beside, in `.<name>.sha256`, as `sha256sum` writes it. Published files have one SHA256SUMS.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from ..spec import require

SUMS = "SHA256SUMS"  # of a published folder: one list for all files below it
PART = ".part"  # how the name of a file that is being written ends
MARK = b"sha256-of-the-rest:"
UNSTAMPED = MARK.decode() + "0" * 64  # what a file that carries its own checksum must hold once, before `stamped`
FOLDERS_ABOVE = 4  # in which a list of checksums is looked for


def write(path: Path, content: bytes | str | Callable[[Path], object], *, beside: bool = True) -> None:
    """Write a file: bytes, text, or what a function writes to the path that it is given. With `beside`, its checksum too.

    The checksum comes first: a kill between the two leaves a file that is seen to be of no use, and is made again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        _fill(temporary, content)
        if beside:
            _write_sum(path, {path.name: _digest(temporary.read_bytes())})
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def seal(path: Path, *, others: Iterable[Path] = ()) -> None:
    """Write the checksum of a file that some other program made; with it, those of others that are whole or not together."""
    names = sorted(os.path.relpath(one, path.parent) for one in (path, *others))
    _write_sum(path, {name: _digest((path.parent / name).read_bytes()) for name in names})


def is_whole(path: Path) -> bool:
    """Return whether a file is there and as it was written."""
    try:
        data = path.read_bytes()
        return MARK in data and is_stamped_right(data) if path.suffix in CARRYING else not _wrong(path, data)
    except OSError:
        return False


def has_checksum(path: Path) -> bool:
    """Return whether there is a checksum for a file, right or wrong: an older version, or somebody else, wrote none."""
    return MARK in path.read_bytes() if path.suffix in CARRYING else _sum_path(path).is_file()


def read_bytes(path: Path) -> bytes:
    """Return the contents of a file with its checksum beside it; ValueError when it is not as it was written."""
    data = path.read_bytes()
    wrong = _wrong(path, data)
    require(
        not wrong,
        what=f"file {str(path)!r}",
        must="its SHA-256 must be the one written for it",
        got=wrong,
        do=_do(path),
    )
    return data


def read_text(path: Path) -> str:
    return read_bytes(path).decode("utf-8")


CARRYING = (".parquet", ".json", ".ckpt")  # files that carry their checksum inside


def stamped(data: bytes) -> bytes:
    """Return bytes that hold UNSTAMPED once, with the digest of all the rest in the place of its zeros."""
    start = data.rindex(UNSTAMPED.encode()) + len(MARK)
    return data[:start] + _digest(data).encode() + data[start + 64 :]


def is_stamped_right(data: bytes) -> bool:
    start = data.rfind(MARK) + len(MARK)
    rest = data[:start] + b"0" * 64 + data[start + 64 :]
    return start >= len(MARK) and data[start : start + 64] == _digest(rest).encode()


def read_stamped(path: Path) -> bytes:
    """Return the contents of a file that carries its checksum; ValueError when it is not as it was written."""
    data = path.read_bytes()
    require(
        is_stamped_right(data),
        what=f"file {str(path)!r}",
        must="its SHA-256 must be the one that it carries",
        got="another" if MARK in data else f"none in {len(data)} bytes",
        do=_do(path),
    )
    return data


def remove(path: Path) -> None:
    """Delete a file with its checksum."""
    for one in (path, _sum_path(path)):
        with suppress(FileNotFoundError):
            one.unlink()


def remove_parts(folder: Path) -> None:
    """Delete what killed calls were writing below a folder; nobody may be writing there."""
    for place, _, names in os.walk(folder):
        for name in names:
            if name.startswith(".") and name.endswith(PART):
                Path(place, name).unlink(missing_ok=True)


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS of every file below a published folder, as sha256sum does, in place of the checksums beside them."""
    paths = [path for path in folder.rglob("[!.]*") if path.is_file() and path.name != SUMS]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    text = "".join(f"{_digest((folder / name).read_bytes())}  {name}\n" for name in names)
    write(folder / SUMS, text, beside=False)
    for path in paths:
        _sum_path(path).unlink(missing_ok=True)


def _fill(path: Path, content: bytes | str | Callable[[Path], object]) -> None:
    if callable(content):
        path.touch()  # with the rights that the caller's umask gives
        content(path)
    else:
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sum_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def _write_sum(path: Path, digests: dict[str, str]) -> None:
    target = _sum_path(path)
    temporary = target.with_name(f"{target.name}.{os.getpid()}{PART}")
    temporary.write_text(
        "".join(f"{digest}  {name}\n" for name, digest in digests.items()), encoding="utf-8", newline="\n"
    )
    os.replace(temporary, target)


def _wrong(path: Path, data: bytes) -> str:
    """Return what is wrong with the contents of a file whose checksum is not inside it, or ""."""
    beside = _sum_path(path)
    if beside.is_file():
        return _wrong_by(beside, {path.name: data})
    for folder in path.absolute().parents[:FOLDERS_ABOVE]:
        if (folder / SUMS).is_file():
            listed = _listed(folder / SUMS).get(path.absolute().relative_to(folder).as_posix())
            return "" if listed == _digest(data) else f"another than in {folder / SUMS}" if listed else "none"
    return "none"


def _wrong_by(beside: Path, known: dict[str, bytes]) -> str:
    listed = _listed(beside)
    if not set(known) <= set(listed):
        return "a damaged checksum"
    for name, digest in listed.items():
        path = beside.parent / name
        if name not in known and not path.is_file():
            return f"no file {name!r}"
        if _digest(known[name] if name in known else path.read_bytes()) != digest:
            return f"another of {name!r}"
    return ""


def _listed(sums: Path) -> dict[str, str]:
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: digest for digest, separator, name in (line.partition("  ") for line in lines) if separator}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _do(path: Path) -> str:
    if "published" in path.parts:
        return f"restore it (`git checkout {path.as_posix()}`), or write the checksums again if the change is meant"
    return "it is damaged, or changed by hand: the command that made it (`make report`) makes it again"
