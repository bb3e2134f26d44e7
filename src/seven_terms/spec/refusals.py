"""Annotations as checks: from the hint of a field to a function that says what its value must be; standard library only.

Each function returns None for a value that is allowed, and otherwise a `Refusal`. They are made once for each class.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

from .checks import LONGEST, nearest, shown
from .limits import TEXT, Bounds

DEFAULT_LIMITS = {float: Bounds(), int: Bounds(high=1_000_000_000), str: TEXT}
Check = Callable[[Any], "Refusal | None"]
SHOWN = 6  # of the kinds that a user may add to
PLAIN = {int: "a whole number", float: "a number", bool: "True or False", str: "text"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """What must hold ("be > 0"), the value as it is shown, what to do. `near`: of the right type, but not allowed."""

    words: str
    got: str
    do: str = ""
    near: bool = False

    def sentence(self) -> str:
        return f"{self.words}, got {self.got}" + (f"; {self.do}." if self.do else ".")


def refuse(words: str, value: object, *, do: str = "", near: bool = False) -> Refusal:
    return Refusal(words=words, got=shown(value), do=do, near=near)


def check_fields(spec: Any) -> None:
    """Raise `<kind>: <field> must <...>, got <value>.` as a ValueError for the first field that its annotation refuses."""
    for name, check in _checks_of(type(spec)):
        refusal = check(getattr(spec, name))
        if refusal is not None:
            raise ValueError(f"{type(spec).__name__}: {name} must {refusal.sentence()}")


@functools.cache
def _checks_of(kind: type) -> tuple[tuple[str, Callable[[Any], Refusal | None]], ...]:
    hints = hints_of(kind)
    return tuple((field.name, check_of(hints[field.name])) for field in dataclasses.fields(kind))


@functools.cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """Return the annotation of each field, with what `Annotated` adds; names are those of the class's own module first."""
    package, module = (vars(sys.modules[name]) for name in (__package__ or "", kind.__module__))
    try:
        return typing.get_type_hints(kind, localns={**package, **module}, include_extras=True)
    except NameError as error:
        raise ValueError(f"{kind.__name__}: its annotations must name what its module knows, got {error}.") from None


@functools.cache
def number_fields(kind: type) -> tuple[str, ...]:
    """Return the names of the fields that hold one number with a fraction: what may differ inside a stack."""
    return tuple(name for name, hint in hints_of(kind).items() if getattr(hint, "__origin__", hint) is float)


def check_of(hint: Any) -> Check:
    """Return the check of an annotation; what it does not know (Any, object, a type variable) allows everything."""
    origin = typing.get_origin(hint)
    if hint is None or hint is types.NoneType:
        return lambda value: None if value is None else refuse("be None", value)
    if origin is typing.Annotated:
        base = hint.__origin__
        return _limited(functools.partial(_plain, base) if base in PLAIN else check_of(base), hint.__metadata__)
    if origin is Literal:
        words = typing.get_args(hint)
        return functools.partial(_literal, words)
    if origin in (Union, types.UnionType):
        return _union(hint)
    if origin is tuple:
        return _tuple(typing.get_args(hint))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(*map(check_of, typing.get_args(hint)))
    if hint in DEFAULT_LIMITS:
        return _limited(functools.partial(_plain, hint), (DEFAULT_LIMITS[hint],))
    if hint in PLAIN:
        return functools.partial(_plain, hint)
    if _is_class(hint):
        return functools.partial(_instance, (hint,))
    return lambda value: None


def _is_class(hint: Any) -> bool:
    """Tell whether values can be asked if they are of this kind."""
    structural = getattr(hint, "_is_protocol", False) and not getattr(hint, "_is_runtime_protocol", False)
    return isinstance(hint, type) and hint not in (Any, object, types.NoneType, *PLAIN) and not structural


def _plain(kind: type, value: Any) -> Refusal | None:
    if type(value) is kind or (kind is float and type(value) is int):
        return None
    if isinstance(value, kind) and not isinstance(value, bool):
        return None
    whole = kind is int and type(value) is float and value.is_integer() and abs(value) < 1e15
    return refuse(f"be {PLAIN[kind]}", value, do=f"write {int(value)}" if whole else "", near=whole)


def _literal(allowed: tuple[Any, ...], value: Any) -> Refusal | None:
    if any(type(value) is type(word) and value == word for word in allowed):
        return None
    close = nearest(value, [one for one in allowed if isinstance(one, str)]) if isinstance(value, str) else None
    words = f"be one of {', '.join(map(repr, allowed))}"
    return refuse(words, value, do=f"try {close!r}" if close else "", near=isinstance(value, str))


def _instance(kinds: tuple[type, ...], value: Any) -> Refusal | None:
    if isinstance(value, kinds):
        if not getattr(value, "is_checked", False) and dataclasses.is_dataclass(value):
            check_fields(value)  # a plain dataclass, which nobody has checked yet
        return None
    names = [kind.__name__ for kind in kinds]
    known = dict.fromkeys(
        known.__name__ for kind in kinds if inspect.isabstract(kind) for known in kind.__subclasses__()
    )
    such = f", such as {', '.join([*known][:SHOWN])}" if known else ""
    words = f"be one of {', '.join(names)}" if len(names) > 1 else f"be of kind {names[0]}{such}"
    if isinstance(value, type) and issubclass(value, kinds):
        return refuse(words, value, do=f"write {value.__name__}() for a value of it", near=True)
    return refuse(words, value)


def _union(hint: Any) -> Check:
    options = typing.get_args(hint)
    classes = tuple(filter(_is_class, options))
    checks = [check_of(one) for one in options if one not in classes and one is not types.NoneType]
    if classes:
        checks.insert(0, functools.partial(_instance, classes))
    optional = types.NoneType in options

    def check(value: Any) -> Refusal | None:
        if optional and value is None:
            return None
        refusals = []
        for one in checks:
            refusal = one(value)
            if refusal is None:
                return None
            refusals.append(refusal)
        near = [refusal for refusal in refusals if refusal.near] or refusals
        words = " or ".join(dict.fromkeys(refusal.words.removeprefix("be ") for refusal in near))
        do = next((refusal.do for refusal in near if refusal.do), "")
        return Refusal(words=f"be {words}" + (" or None" if optional else ""), got=near[0].got, do=do, near=True)

    return check


def _tuple(hints: tuple[Any, ...]) -> Check:
    endless = len(hints) == 2 and hints[1] is ...
    checks = [check_of(one) for one in hints if one is not ...]

    def check(value: Any) -> Refusal | None:
        if not isinstance(value, tuple):
            as_tuple = shown(tuple(value)) if isinstance(value, list) else f"({shown(value)},)"
            return refuse("be a tuple", value, do=f"write {as_tuple}" if len(as_tuple) < LONGEST else "")
        if not endless and len(value) != len(checks):
            return refuse(f"have {len(checks)} entries", value, near=True)
        for number, item in enumerate(value):
            refusal = checks[0 if endless else number](item)
            if refusal is not None:
                return _inside(refusal, value)
        return None

    return check


def _mapping(key: Check = lambda value: None, item: Check = lambda value: None) -> Check:
    def check(value: Any) -> Refusal | None:
        if not isinstance(value, Mapping):
            return refuse("be a mapping", value)
        for name, entry in value.items():
            refusal = key(name) or item(entry)
            if refusal is not None:
                return _inside(refusal, value)
        return None

    return check


def _inside(refusal: Refusal, value: object) -> Refusal:
    inside = refusal.got if " in " in refusal.got else f"{refusal.got} in {shown(value)}"
    return dataclasses.replace(refusal, got=inside, near=True)


def _limited(check: Check, limits: tuple[Any, ...]) -> Check:
    def limited(value: Any) -> Refusal | None:
        refusal = check(value)
        if refusal is not None:
            return refusal
        for limit in limits:
            words = limit.refuses(value)
            if words is not None:
                return refuse(words, value, near=True)
        return None

    return limited
