"""`@checked`: a frozen dataclass whose every field is held against its annotation when a value is made.

An annotation says all that can be said of one field alone: its type, the words of a `Literal`, and through `Annotated`
(see `limits`) its range. What fields must be together stands in the class's own `__post_init__`, which runs afterwards. A kind
of your own, decorated alike, is checked alike; inside another spec a plain dataclass is too.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, dataclass_transform, overload

from .checks import nearest, shown
from .later import later
from .refusals import check_fields

Kind = TypeVar("Kind", bound=type)


@overload
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field, later))
def checked(kind: Kind, /) -> Kind: ...


@overload
@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field, later))
def checked(*, kw_only: bool = True) -> Callable[[Kind], Kind]: ...


def checked(kind: Any = None, /, *, kw_only: bool = True) -> Any:
    """Return the class as a frozen, slotted dataclass that checks its fields, and then runs its own `__post_init__`."""
    if kind is None:
        return functools.partial(checked, kw_only=kw_only)
    own = kind.__dict__.get("__post_init__")

    def __post_init__(self: Any) -> None:
        check_fields(self)
        if own is not None:
            own(self)

    kind.__post_init__ = __post_init__
    made = dataclasses.dataclass(frozen=True, kw_only=kw_only, slots=True)(kind)
    made.__init__ = _explaining(made.__init__)
    made.is_checked = True
    return made


def _explaining(init: Callable[..., None]) -> Callable[..., None]:
    """Return `__init__` with a sentence for a field that there is not, that is lacking, or that came without its name."""

    @functools.wraps(init)
    def __init__(self: Any, *values: Any, **named: Any) -> None:
        try:
            init(self, *values, **named)
        except TypeError:
            _require_call(type(self), init, values, named)
            raise

    return __init__


def _require_call(kind: type, init: Callable[..., None], values: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    what, parameters = kind.__name__, list(inspect.signature(init).parameters.values())[1:]
    known = {parameter.name: parameter for parameter in parameters}
    for name in named:
        if name not in known:
            close = nearest(name, known)
            message = f"; try {close!r}" if close else f"; its fields are {', '.join(known) or 'none'}"
            raise ValueError(f"{what}: it has no field {name!r}{message}.") from None
    unnamed = [one for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    if len(values) > len(unnamed):
        field = parameters[len(values) - 1].name if len(values) <= len(parameters) else "field"
        without = shown(values[len(unnamed)])
        raise ValueError(f"{what}: its fields must be named, got {without} alone; write `{field}=...`.") from None
    given = {*named, *(one.name for one in unnamed[: len(values)])}
    lacking = [one.name for one in parameters if one.default is one.empty and one.name not in given]
    if lacking:
        raise ValueError(f"{what}: {lacking[0]} must be given; write `{lacking[0]}=...`.") from None
