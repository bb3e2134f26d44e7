"""Dotted paths into nested specs: read, and replaced in a copy."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .checks import require_known
from .settings import Settings


def read_path(record: Any, path: str) -> Any:
    """Return the field, or the entry of a mapping, at a dotted path of a nested dataclass; None for an entry not given."""
    for name in path.split("."):
        _require_field(record, name, path)
        record = _part(record, name)
    return record


def _part(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, Settings) else getattr(record, name)


def replace_path(record: Any, path: str, value: Any) -> Any:
    """Return a copy of a nested dataclass with the field at a dotted path replaced."""
    return replace_paths(record, {path: value})


def replace_paths(record: Any, changes: Mapping[str, Any], *, inside: str = "") -> Any:
    """Return a copy with several fields replaced together, so that only what comes out must agree with itself.

    Of a record and its fields the later change counts. `inside` is the path at which the record itself lies.
    """
    whole: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        name, _, rest = path.partition(".")
        _require_field(record, name, inside + path)
        if rest:
            parts.setdefault(name, {})[rest] = value
        else:
            parts.pop(name, None)
            whole[name] = value
    for name, changed in parts.items():
        whole[name] = replace_paths(whole.get(name, _part(record, name)), changed, inside=f"{inside}{name}.")
    return Settings({**record, **whole}) if isinstance(record, Settings) else dataclasses.replace(record, **whole)


def _require_field(record: Any, name: str, path: str) -> None:
    if isinstance(record, Settings):  # planning, which makes the thing, refuses an entry that it does not take
        return
    if dataclasses.is_dataclass(record) and name in record.__dataclass_fields__:
        return
    names = [field.name for field in dataclasses.fields(record)] if dataclasses.is_dataclass(record) else []
    must = f"{type(record).__name__} must have a field {name!r}"
    require_known(name, names, what=f"path {path!r}", must=must, got=names)
