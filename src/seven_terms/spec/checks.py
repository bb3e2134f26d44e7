"""Checks that specs run on themselves, so that a misspelt experiment fails when it is imported."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable

LONGEST = 160  # letters of a value that are shown of a field
LONGEST_OF_ALL = 600  # and where several belong together


def shown(value: object, *, longest: int = LONGEST) -> str:
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def require(condition: bool, *, what: str, must: str, got: object, do: str = "") -> None:
    """Raise `<what>: <must>, got <got>; <do>.` as a ValueError unless the condition holds."""
    if not condition:
        raise ValueError(f"{what}: {must}, got {shown(got, longest=LONGEST_OF_ALL)}" + (f"; {do}." if do else "."))


def require_positive(what: str, **values: float) -> None:
    for name, value in values.items():
        require(value > 0, what=what, must=f"{name} must be > 0", got=value)


def require_between(what: str, low: float, high: float, **values: float) -> None:
    for name, value in values.items():
        require(low <= value <= high, what=what, must=f"{name} must be in [{low:g}, {high:g}]", got=value)


def require_increasing(what: str, name: str, values: Iterable[float]) -> None:
    listed = list(values)
    increasing = all(a < b for a, b in zip(listed, listed[1:], strict=False))
    require(increasing, what=what, must=f"{name} must increase", got=tuple(listed))


def require_unique(what: str, name: str, values: Iterable[str]) -> None:
    repeated = sorted(value for value, count in Counter(values).items() if count > 1)
    require(not repeated, what=what, must=f"{name} must be unique", got=repeated, do="rename the repeated ones")


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that a misspelt one most likely means."""
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return close[0] if close else None


def require_known(name: object, known: Iterable[str], *, what: str, must: str, got: object = None) -> None:
    """Require that a name is a known one; the sentence proposes the nearest."""
    known = list(known)
    if name not in known:
        close = nearest(name, known)
        require(False, what=what, must=must, got=name if got is None else got, do=f"try {close!r}" if close else "")
