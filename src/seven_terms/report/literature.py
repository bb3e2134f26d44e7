"""The literature: paper/literature.yaml, numbers that others published. What may not be printed is refused here.

Certainty is written in the marks of the project's literature notes: "S3 P" (read in a paper or its authors' code), "S9 R"
(a public reproduction), "S2 N + MC" (notes and memory agreeing), "D" (algebra), "C" (computed, and recomputed by a test).
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from ..spec import Term, require

_PRINTABLE = re.compile(r"S\d+ [PR]|D|C|S\d+ N \+ MC")


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """Where our number stands: a claim's verdict, or one row of an experiment's summary table."""

    experiment: str  # "<term>/<name>"
    claim: str = ""
    figure: str = ""
    panel: int = 0
    series: str = ""
    x: float | str | None = None

    def __post_init__(self) -> None:
        require(
            bool(self.claim) != bool(self.figure),
            what=f"measured in {self.experiment!r}",
            must="either claim or figure must be given",
            got={"claim": self.claim, "figure": self.figure},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Cited:
    """One number that others published and what of ours stands beside it.

    `compare="value"`: the intervals must overlap, a lone value widened by `tolerance` of itself. `compare="direction"`:
    another setting or data set, so only the side of `neutral` (1 for a ratio, 0 for a difference) is compared; the word is
    still "agrees" where a published value lies in our interval.
    """

    key: str
    term: Term
    quantity: str
    unit: str
    cite: str  # key in references.bib
    where: str  # section, table or figure
    certainty: str
    measured: Measured
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    tolerance: float = 0.0
    compare: Literal["value", "direction"] = "value"
    neutral: float = math.nan
    difference_because: str = ""

    def __post_init__(self) -> None:
        what = f"number of others {self.key!r}"
        own = self.measured.experiment.partition("/")[0]
        require(self.term == own, what=what, must=f"term must be that of its experiment, {own!r}", got=self.term)
        require(
            any(math.isfinite(number) for number in (self.value, self.low, self.high)),
            what=what,
            must="value, low or high must be a number",
            got=(self.value, self.low, self.high),
        )
        require(
            _PRINTABLE.fullmatch(self.certainty) is not None,
            what=what,
            must="certainty must be 'S<n> P', 'S<n> R', 'S<n> N + MC', 'D' or 'C' for a number to be printed",
            got=self.certainty,
            do="read it in the source first, or leave it out",
        )
        require(
            self.compare == "value" or math.isfinite(self.neutral),
            what=what,
            must="a direction must have a neutral number (1 for ratios, 0 for differences)",
            got=self.neutral,
        )

    @property
    def range(self) -> tuple[float, float]:
        """The published interval, or the value widened by the tolerance."""
        slack = abs(self.value) * self.tolerance
        low = self.value - slack if math.isnan(self.low) else self.low
        high = self.value + slack if math.isnan(self.high) else self.high
        return (-math.inf if math.isnan(low) else low), (math.inf if math.isnan(high) else high)

    @property
    def is_above(self) -> bool:
        """Whether the number lies above `neutral`."""
        return self.value > self.neutral if math.isfinite(self.value) else self.range[0] >= self.neutral


def read_literature(path: Path) -> tuple[Cited, ...]:
    """Return the numbers of others of a YAML file (a list under `literature`; other keys hold anchors); none without a file."""
    if not path.is_file():
        return ()
    try:
        records = yaml.safe_load(path.read_text(encoding="utf-8"))["literature"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path}: it must be YAML with a list `literature`; mend it where it says: {reason}."
        ) from error
    rows = tuple(_cited(record, path=path) for record in records)
    keys = [row.key for row in rows]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    require(not repeated, what=str(path), must="keys must be unique", got=repeated)
    return rows


def _cited(record: Mapping[str, Any], *, path: Path) -> Cited:
    what = f"{path.name}, {record.get('key', 'a row without key')!r}"
    measured = _checked(Measured, record.get("measured", {}), what=f"{what}, measured")
    return _checked(Cited, {**record, "measured": measured}, what=what)


def _checked(kind: type[Any], fields: Mapping[str, Any], *, what: str) -> Any:
    known = {field.name: field for field in dataclasses.fields(kind)}
    needed = {name for name, field in known.items() if field.default is dataclasses.MISSING}
    require(set(fields) <= set(known), what=what, must=f"fields must be {sorted(known)}", got=sorted(fields))
    require(needed <= set(fields), what=what, must=f"fields {sorted(needed)} must be there", got=sorted(fields))
    return kind(**fields)
