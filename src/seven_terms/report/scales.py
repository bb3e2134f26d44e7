"""The appendix that puts this report's verdicts beside the published ones of another scale: laptop beside paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import cast

import pandas as pd
import yaml

from ..records.jobs import duration
from ..records.tables import read_csv
from ..spec import SCALES, Scale, require, title_of
from .inputs import Inputs, read_verdicts
from .latex import count, escape, estimate, in_words, longtable
from .sentences import in_full, said

COLUMNS = r"P{0.13\linewidth}P{0.125\linewidth}P{0.15\linewidth}P{0.125\linewidth}P{0.15\linewidth}P{0.18\linewidth}"
DIFFERS = r"$\neq$"
MANY = 12  # claims whose verdicts differ: more are marked in the table and not listed in the text


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """Verdicts of two scales, the smaller one first, by claim key: one side is this report's, the other is published."""

    scales: tuple[Scale, Scale]
    verdicts: tuple[pd.DataFrame, pd.DataFrame]
    published: Scale  # which of the scales is the published one
    provenance: pd.DataFrame  # of the published one; empty where it is not recorded
    experiments: frozenset[str]  # those with published results, be they part of this report or not

    @property
    def common(self) -> list[str]:
        return [key for key in self.verdicts[1].index if key in self.verdicts[0].index]

    @property
    def differing(self) -> dict[str, tuple[str, str]]:
        """The claims whose verdicts differ, with their verdict at either scale, in one word."""
        words = {key: tuple(said(one.loc[key, "verdict"]) for one in self.verdicts) for key in self.common}  # pyright: ignore[reportArgumentType]
        return {key: (first, second) for key, (first, second) in words.items() if first != second}


Causes = Mapping[
    str, Mapping[str, str]
]  # scale that is larger than laptop -> claim key -> why its verdict differs there


def read_causes(paper_dir: Path) -> dict[str, dict[str, str]]:
    """Return why verdicts differ from those of scale laptop, by scale and claim key, from paper/scale_causes.yaml."""
    path = paper_dir / "scale_causes.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}


def scales_section(inputs: Inputs, beside_dir: Path | None, *, causes: Causes = MappingProxyType({})) -> str:
    """Return the section on the results published in `beside_dir`, named as their scale; empty without such a folder's name.

    `causes` says by scale and claim key why verdicts differ.
    """
    if beside_dir is None:
        return ""
    label = f"-{beside_dir.name}"
    sides = _sides(inputs, beside_dir)
    first, second = sides.scales
    head = f"\\section{{{first.capitalize()} and {second} scale side by side}}\\label{{sec:scales{label}}}"
    if sides.verdicts[1].empty or sides.verdicts[0].empty:
        none = f"No experiment of this report has published results of scale {sides.published}."
        return f"{head}\n\n{none}\n"
    tables = [_table(sides), _origins_table(sides)]
    told = [
        _agreement(sides),
        _causes(sides, causes.get(sides.scales[1], {})),
        _changes(sides),
        _origins(sides),
        *tables,
        _missing(inputs, sides),
    ]
    return "\n\n".join([head, *filter(None, told)]) + "\n"


def _sides(inputs: Inputs, beside_dir: Path) -> Sides:
    """Return both sides, limited to the experiments that have a row at the larger scale and were not left out here."""
    published = cast(Scale, beside_dir.name)
    must = "the last part of its path must be a scale other than the report's"
    is_other = published in SCALES and published != inputs.scale
    require(is_other, what="published results to put beside", must=must, got=str(beside_dir))
    there, found = beside_dir / "verdicts.csv", beside_dir / "provenance.csv"
    other = read_verdicts(beside_dir) if there.is_file() else inputs.verdicts[:0]
    provenance = read_csv(found, kind="provenance") if found.is_file() else pd.DataFrame({"experiment": []})
    experiments = frozenset([*other["experiment"], *provenance["experiment"]])
    other, provenance = (table[~table["experiment"].isin(inputs.left_out)] for table in (other, provenance))
    ordered = sorted([(inputs.scale, inputs.verdicts), (published, other)], key=lambda side: SCALES.index(side[0]))
    (first, smaller), (second, larger) = ordered
    smaller = smaller[smaller["experiment"].isin(larger["experiment"])]
    return Sides(
        scales=(first, second),  # pyright: ignore[reportArgumentType]
        verdicts=(smaller, larger),
        published=published,
        provenance=provenance,
        experiments=experiments,
    )


def _agreement(sides: Sides) -> str:
    """Say how many verdicts are the same at both scales, and which are not where they are few."""
    (first, second), moved = sides.scales, sides.differing
    experiments = sides.verdicts[1]["experiment"].nunique()
    counted = f"{in_words(experiments)} experiment{'' if experiments == 1 else 's'}"
    text = (
        f"Table~\\ref{{tab:scales-{sides.published}}} holds the claims of {counted} at scale {first} and at scale {second}; "
        f"those of scale {sides.published} are published results. The verdict is the "
        f"same for {in_words(len(sides.common) - len(moved))} of the {count(len(sides.common))} claims that both have."
    )
    if moved:
        listed = "; ".join(f"{escape(key)} ({one} at scale {first}, {other})" for key, (one, other) in moved.items())
        text += f" It differs for {listed}." if len(moved) <= MANY else f" Where it differs, {DIFFERS} stands."
    return f"{text} At each scale its claims are one family for Holm's correction."


def _causes(sides: Sides, causes: Mapping[str, str]) -> str:
    """Say why verdicts differ: a line per claim where somebody has written it down, else what the intervals tell."""
    written = {key: causes[key] for key in sides.differing if causes.get(key)}
    items = [f"\\item[{escape(key)}] {escape(cause)}." for key, cause in written.items()]
    told = ["\n".join([r"\begin{description}", *items, r"\end{description}"])] if items else []
    by_intervals: dict[str, list[str]] = {}
    for key in sides.differing:
        cause = "" if key in written else _by_intervals(sides, key)
        if cause:
            by_intervals.setdefault(cause, []).append(escape(key) + _seeds(sides, key))
    return "\n\n".join([*told, *(f"{cause}: {'; '.join(claims)}." for cause, claims in by_intervals.items())])


def _by_intervals(sides: Sides, key: str) -> str:
    """Return what the intervals of two verdicts have to do with each other; empty where a claim has none."""
    (low, high), (other_low, other_high) = _numbers(sides, key, ["low", "high"])
    if not all(map(math.isfinite, (low, high, other_low, other_high))) or low == high:
        return ""
    if low > other_high or other_low > high:
        first, second = sides.scales
        return f"The effects themselves differ, the interval of scale {second} lies outside of that of scale {first}"
    return "The two intervals overlap, and one of them holds the limit of the rule"


def _seeds(sides: Sides, key: str) -> str:
    """Return the seeds at either scale, e.g. " (8 and 68 seeds)"; empty where one has none."""
    (before,), (after,) = _numbers(sides, key, ["num_seeds"])
    return f" ({before:g} and {after:g} seeds)" if math.isfinite(before + after) else ""


def _numbers(sides: Sides, key: str, names: list[str]) -> list[list[float]]:
    """Return columns of a claim at either scale, NaN for one that a table lacks."""
    rows = [table.reindex(columns=names).loc[[key]] for table in sides.verdicts]
    return [row.to_numpy(dtype=float, na_value=math.nan)[0].tolist() for row in rows]


def _changes(sides: Sides) -> str:
    """Name the claims that are no longer what they were when their results were published; empty without any."""
    smaller, larger = (table.loc[sides.common, ["statement", "unit", "rule"]] for table in sides.verdicts)
    changed = [escape(key) for key in sides.common if not smaller.loc[key].equals(larger.loc[key])]  # pyright: ignore[reportArgumentType]
    return f"Statement, unit or rule were changed since then for {', '.join(changed)}." if changed else ""


def _origins(sides: Sides) -> str:
    """Say on what the published results were trained; this report's own machine stands elsewhere in the appendix."""
    here = "what this report was trained on stands in Section~\\ref{sec:trace}"
    if sides.provenance.empty:
        return f"On what the published results of scale {sides.published} were trained is not recorded; {here}."
    hardware = "; ".join(dict.fromkeys(escape(_hardware(row)) for _, row in sides.provenance.iterrows()))
    return f"Scale {sides.published} was trained on: {hardware} (Table~\\ref{{tab:origins-{sides.published}}}); {here}."


def _hardware(row: pd.Series) -> str:
    """Return e.g. "AMD EPYC, 2 cores" or "NVIDIA H100 beside AMD EPYC, 16 cores"."""
    host = f"{row['processor']}, {row['num_cores']} cores"
    return host if row["device"] == "cpu" else f"{row['device']} beside {host}"


def _table(sides: Sides) -> str:
    rows, differing = [], sides.differing
    for experiment, claims in sides.verdicts[1].groupby("experiment", sort=False):
        lines = [_line(str(key), row, sides, differs=key in differing) for key, row in claims.iterrows()]
        head = f"\\addlinespace\\multicolumn{{6}}{{@{{}}l}}{{\\emph{{{escape(experiment)}}}}} \\\\*\n"
        rows += [[head + lines[0][0], *lines[0][1:]], *lines[1:]]  # no page ends below an experiment's name
    first, second = sides.scales
    effect = "effect [95\\,\\%]"
    table = longtable(
        COLUMNS,
        header=("claim", first, effect, second, effect, "unit"),
        rows=rows,
        caption=f"Claims at scale {first} and at scale {second}: verdict, effect and interval. "
        f"A dash: this scale does not have the claim; {DIFFERS}: the verdicts differ.",
        label=f"tab:scales-{sides.published}",
    )
    return f"{{\\footnotesize\n{table}}}"


def _line(key: str, row: pd.Series, sides: Sides, *, differs: bool) -> list[str]:
    smaller = sides.verdicts[0]
    before = _cells(smaller.loc[key]) if key in smaller.index else ["--", "--"]  # pyright: ignore[reportArgumentType]
    mark = f" {DIFFERS}" if differs else ""
    return [escape(key) + mark, *before, *_cells(row), escape(row["unit"])]


def _cells(row: pd.Series) -> list[str]:
    verdict = str(row["verdict"])
    word = f"\\verdictword{{{said(verdict)}}}{{{in_full(verdict)}}}"
    return [word, estimate(row["effect"], row["low"], row["high"])]


def _origins_table(sides: Sides) -> str:
    if sides.provenance.empty:
        return ""
    rows = [
        [
            rf"\path{{{row['experiment']}}}",
            count(row["num_runs"]),
            count(row["num_steps"]),
            escape(duration(row["duration_seconds"])),
            escape(_hardware(row) + ("" if row["mode"] == "eager" else f" ({row['mode']})")),
            rf"\texttt{{{escape(row['commit'])}}}",
        ]
        for _, row in sides.provenance.iterrows()
    ]
    table = longtable(
        r"P{0.23\linewidth}rrrP{0.25\linewidth}P{0.14\linewidth}",
        header=("experiment", "runs", "updates", "time", "trained on", "commit"),
        rows=rows,
        caption=f"What stands behind the published results of scale {sides.published}. "
        "Times are sums over stacks, which may run side by side.",
        label=f"tab:origins-{sides.published}",
    )
    return f"{{\\footnotesize\n{table}}}"


def _missing(inputs: Inputs, sides: Sides) -> str:
    """List the experiments that nobody has run at the larger scale yet; empty in a report at that scale."""
    scale = sides.scales[1]
    known = inputs.experiments_at(scale)
    absent = [name for name in known if name not in sides.experiments]
    if inputs.scale == scale or not absent:
        return ""
    few = f"{in_words(len(absent))} of the {count(len(known))} experiments of scale {scale}"
    return f"No results of scale {scale} are published yet for {few}: {_by_term(absent)}."


def _by_term(names: Iterable[str]) -> str:
    """Return experiments in words, e.g. "batch normalization (parts, placement); gradient clipping (bounds)"."""
    parts = []
    for term in dict.fromkeys(name.partition("/")[0] for name in names):
        own = [rf"\path{{{name.partition('/')[2]}}}" for name in names if name.startswith(f"{term}/")]
        if own:
            parts.append(f"{title_of(term).lower()} ({', '.join(own)})")
    return "; ".join(parts)
