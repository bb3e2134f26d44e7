"""Named values that a record holds without a class that lists them, such as the arguments of somebody's constructor."""

from __future__ import annotations

from typing import Any


class Settings(dict[str, Any]):
    """A mapping that can be hashed, as records are; nobody changes it."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset((name, repr(value)) for name, value in self.items()))
