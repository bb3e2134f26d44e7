"""Facts that are measured once, where a class does not state them, and kept in the user's cache folder.

Measuring takes torch and seconds; afterwards planning, and each cluster job that parses the Snakefile, reads a small file.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

import platformdirs

from .content import content_of
from .kinds import Kind, load

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1  # raised when something else is measured


def cache_directory() -> Path:
    """Return the user's cache folder of this project, by the custom of the platform."""
    return platformdirs.user_cache_path("seven-terms", appauthor=False)


@functools.cache
def measured(kind: Kind, by: str, *arguments: Any) -> dict[str, Any]:
    """Return what the function "module:name" finds for a kind: kept under a hash of its record, its code and its data."""
    others = tuple(content_of(one) for one in arguments if isinstance(one, Kind))
    record = repr((VERSION, by, kind, content_of(kind), arguments, *others))
    path = cache_directory() / "facts" / f"{hashlib.sha256(record.encode()).hexdigest()[:24]}.json"
    with contextlib.suppress(OSError, ValueError):
        text, _, digest = path.read_text(encoding="utf-8").rpartition("\n")
        if hashlib.sha256(text.encode()).hexdigest() == digest:  # else it is damaged, and measured again
            return json.loads(text)
    found = load(by)(kind, *arguments)
    with contextlib.suppress(OSError):  # a folder that cannot be written costs the time again, no more
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        text = json.dumps(found)
        temporary.write_text(f"{text}\n{hashlib.sha256(text.encode()).hexdigest()}", encoding="utf-8")
        temporary.replace(path)
    return found
