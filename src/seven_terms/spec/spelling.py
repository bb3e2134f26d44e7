"""One spelling of a setting: its path into the training, as a sweep has it. Records keep the path's last part.

A person writes `"optimizer.learning_rate"` wherever a setting is named: in `sweep`, `where`, `best`, `over`, `by`, `setting`.
A run's id holds the last part alone, so an experiment is put into that form when it is made. Making it again changes nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from .checks import require
from .selections import EVERY, Selected

NAMING = ("over", "by", "setting", "argbest", "x", "y")  # fields that name a setting
VARYING = ("over", "by", "setting")  # those that its holder varies
Sweeps = Mapping[str, tuple[str, ...]]  # arm -> paths of what is swept


def last_part(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def in_last_parts(value: Any, sweeps: Sweeps, *, free: tuple[str, ...] = ()) -> Any:
    """Return claims, figures, measures and what they hold with each swept path as its last part, and `EVERY` spelt out.

    `free` are settings that `EVERY` leaves out: those that the holder of the selection varies itself, such as its axis.
    """
    if isinstance(value, Selected):
        return _selected(value, sweeps, free)
    if isinstance(value, (tuple, list)):
        return tuple(in_last_parts(item, sweeps, free=free) for item in value)
    if isinstance(value, Mapping):
        return {key: in_last_parts(item, sweeps, free=free) for key, item in value.items()}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    swept = {path for paths in sweeps.values() for path in paths}
    free = tuple(getattr(value, name) for name in VARYING if getattr(value, name, None) in swept)
    changes = {}
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        named = field.name in NAMING and isinstance(held, str) and held in swept
        changed = last_part(held) if named else in_last_parts(held, sweeps, free=free)
        if changed != held:
            changes[field.name] = changed
    return dataclasses.replace(value, **changes) if changes else value


def _selected(selected: Selected, sweeps: Sweeps, free: tuple[str, ...]) -> Selected:
    where = {last_part(path): value for path, value in selected.where.items()}
    swept = sweeps.get(selected.best_of or selected.arm, ())
    every = tuple(path for path in swept if last_part(path) not in where and path not in free)
    names = every if selected.best == EVERY else selected.best
    return dataclasses.replace(selected, where=where, best=tuple(last_part(path) for path in names))


def require_paths(what: str, value: Any, swept: Iterable[str]) -> None:
    """Refuse the last part of a swept path where the path itself is the spelling."""
    short = {last_part(path): path for path in swept if "." in path}
    for name in _named(value):
        require(name not in short, what=what, must="a setting must be spelt as in its sweep", got=name,
                do=f"write {short.get(name)!r}")  # fmt: skip


def _named(value: Any) -> Iterable[str]:
    """Yield every name of a setting in claims, figures and what they hold."""
    if isinstance(value, Selected):
        yield from (*value.where, *value.best)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _named(item)
    elif isinstance(value, Mapping):
        yield from _named(tuple(value.values()))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            held = getattr(value, field.name)
            yield from [held] if field.name in NAMING and isinstance(held, str) else _named(held)


def words(name: str) -> str:
    """Return a metric's name or a setting's path as an axis says it."""
    return last_part(name).replace("_", " ")
