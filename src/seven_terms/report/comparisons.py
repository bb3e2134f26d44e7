"""Numbers of others beside ours: which agree, which differ, which this scale does not have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..records.folder import Folder
from ..records.tables import COMPARISONS, read_csv, write_csv
from ..spec import REPORTED, Experiment, Scale, require
from .inputs import read_plans, read_verdicts
from .literature import Cited, Measured, read_literature

AGREES, DIFFERS, SAME_DIRECTION = "agrees", "differs", "direction agrees"
OPEN, NO_VALUE, NOT_RUN = "direction open", "no value", "not run at this scale"


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """A measured number with its interval, which is the number itself where there is none."""

    value: float
    low: float
    high: float


def compare(results_dir: Path, literature_path: Path, output_path: Path) -> None:
    """Write comparisons.csv: every number of the literature with ours beside it, in the file's order."""
    cited = read_literature(literature_path)
    plans = read_plans(results_dir)
    experiments = {plan.experiment.path: plan.experiment for plan in plans}
    verdicts = read_verdicts(results_dir)
    rows = []
    for row in cited:
        ours = _find(row, results_dir, experiments=experiments, verdicts=verdicts, scale=plans[0].scale)
        rows.append(_comparison(row, ours))
    write_csv(pd.DataFrame(rows, columns=list(COMPARISONS)), output_path, kind="comparisons")


def merge_comparisons(
    own: pd.DataFrame, before: pd.DataFrame, literature_path: Path, *, held: Set[str]
) -> pd.DataFrame:
    """Return the rows of `own` for numbers of the experiments `held`, else those of `before` where it has them."""
    tables = [table.set_index("key", drop=False) for table in (own, before)]
    rows = []
    for row in read_literature(literature_path):
        mine, theirs = tables if row.measured.experiment in held else reversed(tables)
        found = mine if row.key in mine.index else theirs
        require(
            row.key in found.index,
            what=f"comparisons of number {row.key!r}",
            must="there must be a row for each number of literature.yaml",
            got=f"{len(own)} rows",
            do="run `make report` again",
        )
        rows.append(found.loc[row.key])
    return pd.DataFrame(rows, columns=list(COMPARISONS)).reset_index(drop=True)


def _comparison(row: Cited, ours: Number | None) -> dict[str, object]:
    found = ours or Number(value=math.nan, low=math.nan, high=math.nan)
    return {
        "key": row.key,
        "term": row.term,
        "quantity": row.quantity,
        "literature": row.value,
        "literature_low": row.low,
        "literature_high": row.high,
        "source": f"[{row.cite}], {row.where}",
        "certainty": row.certainty,
        "measured": found.value,
        "measured_low": found.low,
        "measured_high": found.high,
        "unit": row.unit,
        "agreement": agreement(row, ours),
        "difference_because": row.difference_because,
    }


def agreement(row: Cited, ours: Number | None) -> str:
    """Return the word for how ours stands to the number of others; None: the experiment is not in this scale."""
    if ours is None:
        return NOT_RUN
    if math.isnan(ours.value):
        return NO_VALUE
    low, high = row.range
    overlaps = ours.low <= high and low <= ours.high
    if row.compare == "value":
        return AGREES if overlaps else DIFFERS
    if overlaps and math.isfinite(row.value):
        return AGREES
    above, below = ours.low > row.neutral, ours.high < row.neutral
    if not (above or below):
        return OPEN
    return SAME_DIRECTION if above == row.is_above else DIFFERS


def _find(
    row: Cited,
    results_dir: Path,
    *,
    experiments: Mapping[str, Experiment],
    verdicts: pd.DataFrame,
    scale: Scale,
) -> Number | None:
    """Return our number; None where this scale lacks the experiment, the claim, the figure or the point."""
    place = row.measured
    if place.experiment not in experiments:
        return None
    if place.claim:
        return _number(verdicts.loc[place.claim], name="effect") if place.claim in verdicts.index else None  # pyright: ignore[reportArgumentType]
    if place.figure not in {figure.name for figure in experiments[place.experiment].figures}:
        return None
    summary = read_csv(Folder(results_dir).summary(place.experiment), kind="summary")
    found = _summary_rows(summary, place)
    if found.empty and scale != REPORTED:  # `measured` is written for that scale: other grids may lack its point
        return None
    _require_one(found, place, what=f"number of others {row.key!r}")
    return _number(found.iloc[0], name="value")


def _summary_rows(summary: pd.DataFrame, place: Measured) -> pd.DataFrame:
    chosen = summary[
        (summary["figure"] == place.figure) & (summary["panel"] == place.panel) & (summary["series"] == place.series)
    ]
    if place.x is None:
        return chosen[chosen["y"].isna()]  # a bar's mean, not its seeds
    numbers = pd.to_numeric(chosen["x"], errors="coerce")
    return chosen[(chosen["x"].astype(str) == str(place.x)) | (numbers == place.x)]


def _require_one(chosen: pd.DataFrame, place: Measured, *, what: str) -> None:
    require(
        len(chosen) == 1,
        what=what,
        must=f"one row of the summary of {place.experiment!r} must be figure {place.figure!r}, panel {place.panel}, "
        f"series {place.series!r}, x {place.x!r}",
        got=f"{len(chosen)} rows",
        do="change `measured` in literature.yaml",
    )


def _number(row: pd.Series, *, name: str) -> Number:
    value, low, high = (float(row[column]) for column in (name, "low", "high"))
    return Number(value=value, low=value if math.isnan(low) else low, high=value if math.isnan(high) else high)
