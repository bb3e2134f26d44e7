"""Specs to canonical JSON and back, and the ids made from it; standard library only.

Equal values have equal ids (0.5 == 0.50, 1 == 1.0), which is what lets the ids of parts be remembered by value. A field
that was added to a spec later (`spec/later.py`) is left out where it has its default, so that older ids stay.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

from .. import spec
from ..spec.content import content_of, name_of
from ..spec.later import LATER

CONTENT = "@content"  # no field's name
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})


def encode(value: Any) -> Any:
    """Return JSON data for a spec: dataclasses become {"is": class name, field: value...}, infinities strings.

    A class from outside of this package is named by its module, and beside it stands a hash of its code and of its data files.
    """
    if type(value) in _AS_THEY_ARE:  # most of what there is
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((name, getattr(value, name), default) for name, default in _fields(type(value)))
        named, content = {"is": name_of(type(value))}, content_of(value)
        named |= {CONTENT: content} if content else {}
        return named | {name: encode(item) for name, item, default in fields if item != default}
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"is": "float", "value": str(value)}
    return value


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    """Return each field's name, and the value at which it is left out, for most none."""
    return tuple(
        (field.name, field.default if LATER in field.metadata else dataclasses.MISSING)
        for field in dataclasses.fields(kind)
    )


def decode(data: Any) -> Any:
    """Return the spec that `encode` was given (lists come back as tuples)."""
    if isinstance(data, list):
        return tuple(decode(item) for item in data)
    if not isinstance(data, dict):
        return data
    if "is" not in data:
        return {key: decode(item) for key, item in data.items()}
    if data["is"] == "float":
        return float(data["value"])
    kind = spec.load(data["is"]) if ":" in data["is"] else getattr(spec, data["is"], None)
    spec.require(
        kind is not None,
        what="plan file",
        must="every record must be a class of seven_terms.spec",
        got=data["is"],
        do="make the plan again with this version of seven-terms",
    )
    assert kind is not None
    return kind(**{key: decode(item) for key, item in data.items() if key not in ("is", CONTENT)})


def canonical_json(value: Any) -> str:
    return json.dumps(_plain(encode(value)), sort_keys=True, separators=(",", ":"), allow_nan=False)


ID_LENGTH = 10


def content_id(value: Any, *, length: int = ID_LENGTH) -> str:
    """Return the first hex digits of the sha256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def part_id(part: Any) -> str:
    """Return the full content id of a hashable part, remembered: the runs of a grid share most of their record."""
    return remembered(_content_id_of, part)


def part_json(part: Any) -> str:
    """Return a hashable part as plan files hold it, remembered."""
    return remembered(_json_of, part)


def settings_json(settings: Any) -> str:
    """Return the canonical JSON of a run's settings, remembered: the seeds of a cell share one mapping."""
    return remembered(canonical_json, settings)


@functools.cache
def _content_id_of(part: Any) -> str:
    return content_id(part, length=64)


@functools.cache
def _json_of(part: Any) -> str:
    return json.dumps(encode(part))


_seen: dict[tuple[Any, int], tuple[Any, str]] = {}


def remembered(make: Callable[[Any], str], part: Any) -> str:
    """Return make(part); the same object, as thousands of runs hold it, is not even hashed again."""
    key = (make, id(part))
    if key not in _seen:
        _seen[key] = (part, make(part))  # kept alive, so that no other object gets its id
    return _seen[key][1]


def _plain(data: Any) -> Any:
    """Write whole floats as integers, so that 1 and 1.0 are the same content."""
    if type(data) in _AS_THEY_ARE:
        return data
    if isinstance(data, dict):
        return {key: _plain(item) for key, item in data.items()}
    if isinstance(data, list):
        return [_plain(item) for item in data]
    return int(data) if isinstance(data, float) and data.is_integer() else data
