"""Published files, downloaded on first use: mirrors in turn, partial downloads resumed, checked, then moved into place."""

from __future__ import annotations

import http.client
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .files import DataFile
from .storage import VARIABLE, algorithm_of, checksum_of, data_directory, locked, require_checksum, stored_path

TIMEOUT_SECONDS = 30.0  # without a byte; not of the whole download
CHUNK_BYTES = 1 << 16
ATTEMPTS_PER_MIRROR = 3


class _Interrupted(Exception):
    """A mirror failed; the sentence says how."""


def fetch(file: DataFile, *, timeout_seconds: float = TIMEOUT_SECONDS) -> Path:
    """Return the path of a published file whose checksum is right, downloading it first when it is absent.

    A file that is there but wrong is never replaced: ValueError with both checksums. Processes that ask at the same time
    wait for the one that downloads.
    """
    found = stored_path(file.path)
    if found is None:
        target = data_directory() / file.path
        with locked(target):
            found = stored_path(file.path) or _download(file, target, timeout_seconds=timeout_seconds)
    require_checksum(found, file)
    return found


def _download(file: DataFile, target: Path, *, timeout_seconds: float) -> Path:
    part = target.with_name(f"{target.name}.part")
    failures = []
    for url in file.urls:
        print(f"downloading {file.name} from {url}", file=sys.stderr)
        try:
            _from_mirror(url, part, file=file, timeout_seconds=timeout_seconds)
        except _Interrupted as failure:
            failures.append(f"{url} {failure}")
        else:
            os.replace(part, target)
            return target
    raise ValueError(
        f"data file {file.name!r}: it must be in {str(data_directory())!r} or downloadable with checksum "
        f"{file.checksum}, got {'; '.join(failures)!r}; get it by hand from {file.page} and put it at "
        f"{str(target)!r}, or set {VARIABLE} to the folder that has it."
    )


def _from_mirror(url: str, part: Path, *, file: DataFile, timeout_seconds: float) -> None:
    """Complete the partial file from one mirror and check it; attempts go on from where the last one stopped."""
    for attempt in range(1, ATTEMPTS_PER_MIRROR + 1):
        resumed = part.exists() and part.stat().st_size > 0
        try:
            _continue_download(url, part, timeout_seconds=timeout_seconds)
            _require_checksum(part, file)
            return
        except urllib.error.HTTPError as error:  # the server answered: asking again gives the same answer
            if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise _Interrupted(f"answered {error.code} {error.reason}") from error
            part.unlink()  # longer than the file: from another mirror or damaged
        except _WrongChecksum as error:
            part.unlink()
            if not resumed:  # the mirror itself has a wrong file; a resumed one is tried once more from its start
                raise _Interrupted(str(error)) from error
        except (OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS_PER_MIRROR or not part.exists():
                raise _Interrupted(f"failed with {_reason(error)}") from error
    raise _Interrupted("sent no usable file")


class _WrongChecksum(Exception):
    """A complete download that is not the published file."""


def _continue_download(url: str, part: Path, *, timeout_seconds: float) -> None:
    """Append what is missing to the partial file; start over where the server does not send ranges."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "seven-terms", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=timeout_seconds) as response:
        start, total = _range_of(response)
        if start not in (0, have):
            raise ConnectionError(f"a range from byte {start} where byte {have} was asked for")
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            while chunk := response.read1(CHUNK_BYTES):  # what arrived before a stall is kept
                file.write(chunk)
            end = file.tell()
    if total is not None and end != total:
        raise ConnectionError(f"the connection closed after {end} of {total} bytes")


def _range_of(response: Any) -> tuple[int, int | None]:
    """Return (first byte sent, size of the whole file if told)."""
    content_range = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if response.status == http.HTTPStatus.PARTIAL_CONTENT and content_range:
        first, total = content_range.groups()
        return int(first), None if total == "*" else int(total)
    length = response.headers.get("Content-Length")
    return 0, int(length) if length else None


def _require_checksum(part: Path, file: DataFile) -> None:
    found = checksum_of(part, algorithm=algorithm_of(file.checksum))
    if found != file.checksum:
        raise _WrongChecksum(f"sent a file with checksum {found}")


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", error)
    return f"{type(inner).__name__}: {inner}" if str(inner) else type(inner).__name__
