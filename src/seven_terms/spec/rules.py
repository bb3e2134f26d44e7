"""Rules: which numbers agree with a statement, fixed before the first run. An estimate says which: `estimate.above(0.0)`."""

from __future__ import annotations

import math
from abc import abstractmethod

from .checked import checked
from .checks import require
from .kinds import Kind


class Rule(Kind):
    """Which numbers agree with a statement: those between two limits, one of which may be infinite.

    A claim is supported when its whole interval lies within, refuted when none of it does. A limit itself is within, except
    where the other is infinite: exactly zero is not above zero.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def limits(self) -> tuple[float, float]: ...


@checked(kw_only=False)
class Above(Rule):
    threshold: float

    @property
    def limits(self) -> tuple[float, float]:
        return self.threshold, math.inf


@checked(kw_only=False)
class Below(Rule):
    threshold: float

    @property
    def limits(self) -> tuple[float, float]:
        return -math.inf, self.threshold


@checked(kw_only=False)
class Within(Rule):
    low: float
    high: float

    def __post_init__(self) -> None:
        require(self.low < self.high, what="Within", must="low must be < high", got=(self.low, self.high))

    @property
    def limits(self) -> tuple[float, float]:
        return self.low, self.high
