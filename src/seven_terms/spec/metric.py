"""A metric as a value: its name, which way is better, its unit, and what its indices count."""

from __future__ import annotations

from typing import Literal

from .checked import checked
from .kinds import Split
from .limits import Count, Line

Direction = Literal["min", "max", "none"]


@checked
class Metric:
    """`direction`: which way is better. `index`: what its indices count, "" where it has none (index -1); `num_indexes` of
    them from `first_index` on, None where nobody knows before it is measured."""

    name: Line
    direction: Direction = "none"
    unit: str = ""
    index: Literal["", "layer", "lag", "unit", "coordinate"] = ""
    first_index: int = 0
    num_indexes: Count | None = None
    split: Split | None = None

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")

    def has_index(self, index: int | None) -> bool:
        if self.index == "":
            return index in (-1, None)
        last = None if self.num_indexes is None else self.first_index + self.num_indexes - 1
        return index is None or (index >= self.first_index and (last is None or index <= last))
