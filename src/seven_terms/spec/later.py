"""Fields added after results existed: left out of the record at their default, so that ids do not change."""

from __future__ import annotations

from dataclasses import field
from typing import Any

LATER = "later"


def later(*, default: Any) -> Any:
    """Return a dataclass field with a default at which the record is as it was before there was this field."""
    return field(default=default, metadata={LATER: True})
