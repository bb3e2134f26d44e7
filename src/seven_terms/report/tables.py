"""The generated tables of the paper: questions, verdicts, published numbers beside ours, noise floors."""

from __future__ import annotations

import math

import pandas as pd

from ..spec import TERM_TITLES
from .comparisons import DIFFERS, NOT_RUN
from .inputs import Inputs
from .latex import cited, count, effect, escape, estimate, given, interval, longtable, number
from .sentences import in_full, said


def questions_table(inputs: Inputs) -> str:
    """Return the experiments with their questions, claims and runs: what this paper is about, as data."""
    rows = []
    for plan in inputs.plans:
        experiment = plan.experiment
        keys = ", ".join(claim.key for claim in experiment.claims) or "exact"
        rows.append(
            [
                f"\\nameref{{term:{experiment.term}}}",
                f"{escape(experiment.question)} (\\S\\ref{{exp:{experiment.name}}})",
                escape(keys),
                count(len(plan.runs)),
            ]
        )
    return longtable(
        r"P{0.19\linewidth}P{0.46\linewidth}P{0.20\linewidth}r",
        header=("term", "question", "claims", "runs"),
        rows=rows,
        caption="What is asked. Claims are written down with their rules before the runs are made.",
        label="tab:questions",
    )


def verdicts_table(inputs: Inputs) -> str:
    """Return every claim with its effect and verdict."""
    if inputs.verdicts.empty:
        return "The experiments of this report have no claims.\n"
    rows = [
        [
            escape(key),
            escape(row["statement"]),
            estimate(row["effect"], row["low"], row["high"]),
            escape(row["unit"]),
            count(row["num_runs"]),
            f"\\verdictword{{{said(row['verdict'])}}}{{{in_full(row['verdict'])}}}",
        ]
        for key, row in inputs.verdicts.iterrows()
    ]
    return longtable(
        r"P{0.10\linewidth}P{0.28\linewidth}P{0.16\linewidth}P{0.18\linewidth}rP{0.12\linewidth}",
        header=("claim", "statement", "effect [95\\,\\%]", "unit", "runs", "verdict"),
        rows=rows,
        caption="All verdicts, with Holm's correction over the whole family.",
        label="tab:verdicts",
    )


def comparisons_table(inputs: Inputs) -> str:
    """Return published numbers beside ours; numbers that this scale does not have are listed below the table."""
    table = inputs.comparisons
    if table.empty:
        return "No published number belongs to the experiments of this scale.\n"
    present = table[table["agreement"] != NOT_RUN]
    if present.empty:
        return "No published number belongs to the experiments of this report.\n"
    rows = [
        [
            escape(f"{row['quantity']} ({row['unit']})"),
            f"{cited(row['source'])} ({_certainty(row['certainty'])})",
            _with_interval(row, "published"),
            _with_interval(row, "measured"),
            escape(row["agreement"]),
        ]
        for _, row in present.iterrows()
    ]
    text = longtable(
        r"P{0.31\linewidth}P{0.23\linewidth}P{0.10\linewidth}P{0.16\linewidth}P{0.11\linewidth}",
        header=("quantity", "source", "published", "ours [95\\,\\%]", "agreement"),
        rows=rows,
        caption="Published numbers beside ours. Where data or budget differ, only directions are compared.",
        label="tab:comparisons",
    )
    return text + _reasons(present) + _not_run(table, is_selection=bool(inputs.left_out))


def _certainty(marks: str) -> str:
    """Return a mark of certainty in words."""
    if marks in ("D", "C"):
        return {"D": "algebra", "C": "computed"}[marks]
    return {"P": "read in it", "R": "a reproduction"}.get(marks.split()[1], "from notes on it")


def _with_interval(row: pd.Series, name: str) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if math.isnan(low) and math.isnan(high):
        return given(value)
    if math.isnan(value):
        return f"{number(low)} to {number(high)}" if not math.isnan(high) else f"above {number(low)}"
    if low == high:
        return number(value, digits=4)
    return f"{effect(value, low, high)} {interval(low, high, beside=value)}"


def _reasons(present: pd.DataFrame) -> str:
    """Say why numbers differ, once for each reason."""
    differing = present[
        present["agreement"].isin((DIFFERS, "direction agrees")) & (present["difference_because"] != "")
    ]
    if differing.empty:
        return ""
    items = [
        f"\\item {escape(_listed(list(rows['quantity'])))}: {escape(because)}."
        for because, rows in differing.groupby("difference_because", sort=False)
    ]
    return "\n".join(["Why numbers differ:", r"\begin{itemize}", *items, r"\end{itemize}", ""])


def _listed(names: list[str]) -> str:
    return "; ".join(names) if len(names) <= 2 else f"{names[0]}, and {len(names) - 1} rows more"


def _not_run(table: pd.DataFrame, *, is_selection: bool) -> str:
    absent = table[table["agreement"] == NOT_RUN]
    if absent.empty:
        return ""
    if is_selection:
        return f"{count(len(absent))} more belong to what this report does not hold.\n"
    listed = "; ".join(f"{escape(row['quantity'])} ({cited(row['source'])})" for _, row in absent.iterrows())
    return f"Not run at this scale: {listed}.\n"


def noise_floor_table(inputs: Inputs) -> str:
    """Return the differences of arms from themselves under other seeds."""
    if inputs.noise_floor.empty:
        return "No experiment of this report has an A/A arm.\n"
    rows = [
        [
            escape(row["experiment"].rpartition("/")[2]),
            escape(str(row["metric"]).replace("_", " ")),
            effect(row["difference"], row["low"], row["high"]),
            interval(row["low"], row["high"], beside=row["difference"]),
            count(row["num_runs"]),
        ]
        for _, row in inputs.noise_floor.iterrows()
    ]
    return longtable(
        r"lP{0.28\linewidth}rrr",
        header=("experiment", "metric", "difference", "95\\,\\% interval", "runs"),
        rows=rows,
        caption="The noise floor: each experiment's A/A arm, which is an arm against itself with other seeds. "
        "What is smaller than this means nothing.",
        label="tab:noise",
    )


def verdict_sentences(inputs: Inputs) -> str:
    """Return one sentence a term for the abstract, in parentheses: how its claims fared; a comment without claims."""
    parts = []
    for term in inputs.terms:
        own = inputs.verdicts[inputs.verdicts["term"] == term]["verdict"].map(said).value_counts()
        if len(own):
            told = ", ".join(f"{count(own[word])} {word}" for word in own.index)
            parts.append(f"{TERM_TITLES[term].lower()}: {told}")
    return f"~({'; '.join(parts)})\n" if parts else "%\n"  # TeX ends a paragraph at an empty file
