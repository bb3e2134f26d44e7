"""All that is known of each claim in one value: verdict, kind, seeds, the other scale, the second seeds, what was changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ..records.plans import Plan
from ..spec import SCALES, Claim, Experiment, Scale, require
from .inputs import Inputs
from .kinds import Kind, kind_of, num_seeds
from .latex import estimate
from .sentences import in_full, said

DEPENDS = "depends on the scale"


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """A claim's row at another scale: of the very same runs, or asked in other words than today, or worth comparing.

    A smaller scale's seeds are among this one's, so that its verdict is no other evidence; the supplement lists it.
    """

    scale: Scale
    row: pd.Series
    is_same_run: bool
    is_same_question: bool
    is_smaller: bool

    @property
    def word(self) -> str:
        return said(self.row["verdict"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A claim with its verdict. `others` are its rows at other scales, the smaller scale first.

    `mark` is "exploratory" (the claim was written after a look at results), "changed" (its measure or threshold was) or "".
    """

    key: str
    experiment: Experiment
    claim: Claim
    row: pd.Series
    kind: Kind
    num_seeds: int
    others: tuple[Other, ...] = ()
    second: pd.Series | None = None  # the row of replication.csv
    mark: str = ""

    @property
    def slug(self) -> str:
        return slug(self.key)

    @property
    def word(self) -> str:
        """The verdict in one word, e.g. for its colour."""
        return said(self.row["verdict"])

    @property
    def larger(self) -> tuple[Other, ...]:
        """The rows of larger scales."""
        return tuple(other for other in self.others if not other.is_smaller)

    @property
    def beside(self) -> tuple[Other, ...]:
        """The rows of larger scales that could have come out differently and ask the same."""
        return tuple(other for other in self.larger if other.is_same_question and not other.is_same_run)

    @property
    def is_flipped(self) -> bool:
        """Whether one scale supports what another refutes."""
        return {"supported", "refuted"} <= {self.word, *(other.word for other in self.beside)}

    @property
    def told(self) -> str:
        """The word that sentences go by: the verdict, or where it is open that of scale full, of the same set-up."""
        more = next((other.word for other in self.beside if other.scale == "full"), self.word)
        return more if self.word == "inconclusive" else self.word

    @property
    def estimate(self) -> str:
        """Effect and interval in LaTeX, and in brackets those of other scales that could have come out differently."""
        also = "; ".join(f"{other.scale}: {_estimate(other.row)}" for other in self.beside)
        return _estimate(self.row) + (f" ({also})" if also else "")

    @property
    def headline(self) -> str:
        """The verdict, or that it depends on the scale: its budget or its networks."""
        return DEPENDS if self.is_flipped else in_full(self.row["verdict"])

    @property
    def selected(self) -> dict[str, Any]:
        """Return the settings that were chosen on validation data, by arm; empty where the table does not say."""
        text = self.row.get("selected", "")
        return json.loads(text) if isinstance(text, str) and text else {}


def _estimate(row: pd.Series) -> str:
    return estimate(row["effect"], row["low"], row["high"])


def slug(key: str) -> str:
    """Return a claim's key as the name of a link: "B-LR2 (as said)" is "B-LR2-as-said"."""
    return re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-")


def facts_of(inputs: Inputs, *, marks: Mapping[str, str] | None = None) -> dict[str, Fact]:
    """Return every claim of the report by its key, in the order of its experiments."""
    plans = {plan.experiment.path: plan for plan in inputs.plans}
    second = {_key(row): row for _, row in inputs.replication.iterrows()}
    facts = {}
    for key, (experiment, claim) in inputs.claims.items():
        facts[key] = Fact(
            key=key,
            experiment=experiment,
            claim=claim,
            row=inputs.verdicts.loc[key],  # pyright: ignore[reportArgumentType]
            kind=kind_of(experiment, claim),
            num_seeds=_seeds(inputs.verdicts.loc[key], plans[experiment.path], claim),  # pyright: ignore[reportArgumentType]
            others=others_of(inputs.verdicts.loc[key], inputs.others, key=key, scale=inputs.scale),  # pyright: ignore[reportArgumentType]
            second=second.get(key),
            mark=(marks or {}).get(key, ""),
        )
    return facts


def others_of(row: pd.Series, others: Mapping[Scale, pd.DataFrame], *, key: str, scale: Scale) -> tuple[Other, ...]:
    """Return a claim's rows at other scales; `row` is its row at this one, `scale`."""
    return tuple(
        Other(
            scale=other,
            row=table.loc[key],  # pyright: ignore[reportArgumentType]
            is_same_run=bool(all(table.loc[key, name] == row[name] for name in ("effect", "num_runs"))),
            is_same_question=bool(all(table.loc[key, name] == row[name] for name in ("statement", "unit", "rule"))),
            is_smaller=SCALES.index(other) < SCALES.index(scale),
        )
        for other, table in others.items()
        if key in table.index
    )


def _seeds(row: pd.Series, plan: Plan, claim: Claim) -> int:
    """Return the independent units that the table names, or else the seeds of the arms that the claim reads."""
    told = row.get("num_seeds")
    return num_seeds(plan, claim) if told is None or pd.isna(told) else int(told)


def _key(row: pd.Series) -> str:
    return f"{row['claim']} ({row['form']})" if isinstance(row["form"], str) and row["form"] else str(row["claim"])


def read_marks(paper_dir: Path) -> dict[str, str]:
    """Return "exploratory" or "changed" by claim key, from paper/after_results.yaml."""
    path = paper_dir / "after_results.yaml"
    if not path.exists():
        return {}
    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {"exploratory", "changed"}
    require(set(record) <= known, what=str(path), must=f"keys must be {sorted(known)}", got=sorted(record))
    return {key: mark for mark, keys in record.items() for key in keys}
