"""Which runs of an arm count: swept values that are fixed, and those that are chosen on validation data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, fields, is_dataclass
from typing import Annotated, Any

from .checked import checked
from .checks import require
from .limits import Line, Positive, Sized
from .measures import Measure


@checked(kw_only=False)
class Ranked:
    """A swept value by its rank among those of the arm, 0 the smallest and -1 the largest: so each scale has its own."""

    position: int


EVERY = ("*",)  # `best` of `Arm.best()` until the experiment, which knows the sweep, names the settings


@checked(kw_only=False)
class Selected:
    """Which runs of an arm count.

    `where` fixes sweep values by name, each a value or a `Ranked`; `best` names the sweep values that are then chosen by
    the experiment's selection metric on validation data (mean over seeds), the same grid for each arm. `best_of` takes
    the values that were best for another arm instead: equal rates, or `times` as large (the linear scaling rule).
    `given` keeps, of the runs so named, those of which this 0/1 measure holds, also if they diverge later: what
    is said of runs that began to learn.
    """

    arm: Line
    where: Mapping[str, Any] = field(default_factory=dict)
    best: Annotated[tuple[str, ...], Sized(unique=True)] = ()
    best_of: str | None = None
    times: Positive = 1.0
    given: Measure | None = None

    def __post_init__(self) -> None:
        what, both = f"Selected({self.arm!r})", sorted({*self.where} & {*self.best})
        require(not both, what=what, must="a setting must be fixed in `where` or chosen in `best`, not both", got=both)
        alone = self.times == 1.0 or self.best_of is not None
        require(alone, what=what, must="times must be 1 without best_of", got=self.times, do="name the arm in best_of")


def selections_in(value: Any) -> Iterator[Selected]:
    """Yield every selection of runs within an estimate, or a tuple of what holds some."""
    if isinstance(value, Selected):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from selections_in(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from selections_in(getattr(value, part.name))
