"""Limits that an annotation adds to a type: `learning_rate: Positive` is a float above zero.

Every number is finite, and no larger than float32 can hold, unless its limits say that infinity is meant. Counts have an upper
limit, generous but finite, because a huge one would not be refused by anything: it would hang.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated

LARGEST = 3.4e38  # float32's, rounded down


@dataclass(frozen=True, slots=True)
class Bounds:
    """From `low` to `high`, or above and below numbers that are themselves left out; `infinite`: infinity is meant too."""

    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    infinite: bool = False

    def refuses(self, value: float) -> str | None:
        """Return what a number must be that is not within."""
        infinite = value in (math.inf, -math.inf)
        if value != value or (infinite and not (self.infinite and value > 0)):
            return self._words() if self._is_interval() else f"be a finite number{self._and_words()}"
        if not infinite and abs(value) > (self.high or LARGEST) and not self._is_interval():
            return f"be at most {_number(self.high or LARGEST)}" if value > 0 else self._words()
        return None if self._holds(value) else self._words()

    def _holds(self, value: float) -> bool:
        return (
            (self.low is None or value >= self.low)
            and (self.above is None or value > self.above)
            and (self.high is None or value <= self.high)
            and (self.below is None or value < self.below)
        )

    def _is_interval(self) -> bool:
        """Tell whether both ends belong to the quantity, as for a fraction, and not the upper one to patience."""
        return self.below is not None or (self.high is not None and self.high <= 1.0)

    def _words(self) -> str:
        if self._is_interval():
            left = f"[{self.low:g}" if self.low is not None else f"({self.above or -math.inf:g}"
            return f"be in {left}, " + (f"{self.high:g}]" if self.high is not None else f"{self.below:g})")
        if self.low is not None or self.above is not None:
            words = f"be >= {self.low:g}" if self.low is not None else f"be > {self.above:g}"
            return words + (" (infinity is off)" if self.infinite else "")
        return f"be a number of at most {_number(self.high or LARGEST)} either way"

    def _and_words(self) -> str:
        return f" {self._words().removeprefix('be ')}" if self.low is not None or self.above is not None else ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Matches:
    """Text of one pattern, and in words what that is."""

    pattern: str
    words: str

    def refuses(self, value: str) -> str | None:
        return None if re.fullmatch(self.pattern, value) else f"be {self.words}"


@dataclass(frozen=True, slots=True)
class Sized:
    """A tuple or a mapping of at least `least` and at most `most` entries; `unique`: none twice."""

    least: int = 0
    most: int = 10_000
    unique: bool = False

    def refuses(self, value: tuple[object, ...]) -> str | None:
        if not self.least <= len(value) <= self.most:
            some = "not be empty" if self.least == 1 else f"have at least {self.least} entries"
            return some if len(value) < self.least else f"have at most {self.most:,} entries"
        repeated = self.unique and any(one in value[:number] for number, one in enumerate(value))
        return "name nothing twice" if repeated else None


Limit = Bounds | Matches | Sized

Positive = Annotated[float, Bounds(above=0.0)]
NonNegative = Annotated[float, Bounds(low=0.0)]
PositiveOrOff = Annotated[float, Bounds(above=0.0, infinite=True)]
Fraction = Annotated[float, Bounds(low=0.0, high=1.0)]
PositiveFraction = Annotated[float, Bounds(above=0.0, high=1.0)]
ShareBelowOne = Annotated[float, Bounds(low=0.0, below=1.0)]

Count = Annotated[int, Bounds(low=1, high=1_000_000)]
Number = Annotated[int, Bounds(low=0, high=1_000_000_000)]  # of steps, examples
Index = Annotated[int, Bounds(low=-1, high=1_000_000_000)]  # of a layer, lag or unit; -1: the metric has none

FILE_NAME = "1 to 60 lower-case letters (a-z), digits and _, the first no _"
FileName = Annotated[str, Matches("[a-z0-9][a-z0-9_]{0,59}", FILE_NAME)]
# What is printed: letters of any alphabet, but no control characters; matplotlib leaves out labels that begin with _.
CONTROLS = r"\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff"
TEXT = Matches(rf"[^{CONTROLS}]*", "text without control characters")
Line = Annotated[str, Matches(rf"(?=.*\S)[^\n{CONTROLS}]*", "one line of text, not empty, without control characters")]
SHORT = Matches(r"(?s).{0,200}", "text of at most 200 letters")  # a label that is longer fits nowhere
UNHIDDEN = "one line of text that does not begin with _"
Label = Annotated[str, Matches(rf"(?=.*\S)[^_\n{CONTROLS}][^\n{CONTROLS}]*", UNHIDDEN), SHORT]
LabelOrNone = Annotated[str, Matches(rf"(?!_)[^\n{CONTROLS}]*", UNHIDDEN), SHORT]  # "": no entry in a legend
