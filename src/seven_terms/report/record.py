"""The supplement: the complete record of each experiment and claim, for whoever wants to check or repeat one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ..records.plans import Plan
from ..spec import Experiment, Figure, title_of
from .facts import Fact, Other
from .inputs import Inputs
from .kinds import KINDS_IN_WORDS
from .latex import count, escape, estimate, longtable, number
from .questions import alternative, band_in_words, picture, result_in_words
from .sentences import in_full, said
from .setup import selected_in_words, setup_of
from .sources import Reference, cited_source
from .wording import estimate_in_words

MAIN = "seven-terms.pdf"
_MEANING = {
    "supported": "the whole interval satisfies the rule",
    "refuted": "the whole interval violates the rule",
    "inconclusive": "the interval covers both sides of the rule",
}


def experiment_record(
    inputs: Inputs, facts: Mapping[str, Fact], plan: Plan, *, output_dir: Path, names: Mapping[str, Reference]
) -> str:
    """Return all of an experiment: method, set-up, figures, claims; ValueError when a figure is not drawn."""
    experiment = plan.experiment
    own = [fact for fact in facts.values() if fact.experiment.path == experiment.path]
    parts = [
        f"\\subsection{{{escape(experiment.title)}}}\\label{{exp:{experiment.name}}}",
        f"\\emph{{{escape(experiment.question)}}} {escape(experiment.method)}",
        _setup(plan),
        _trained(inputs, experiment),
        *(_figure(inputs, experiment, figure, facts=own, output_dir=output_dir) for figure in experiment.figures),
        *(_claim(fact, names) for fact in own),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def terms_record(inputs: Inputs, facts: Mapping[str, Fact], *, output_dir: Path, names: Mapping[str, Reference]) -> str:
    """Return the records of all experiments, a section per term; `names` are the entries of the bibliography."""
    parts = []
    for term in inputs.terms:
        parts.append(f"\\section{{{title_of(term)}}}")
        for plan in inputs.plans:
            if plan.experiment.term == term:
                parts.append(experiment_record(inputs, facts, plan, output_dir=output_dir, names=names))
        parts.append(r"\FloatBarrier")
    return "\n\n".join(parts) + "\n"


def _setup(plan: Plan) -> str:
    items = [f"\\textit{{{aspect}:}} {escape(text)}" for aspect, text in setup_of(plan).items()]
    return rf"{{\small\raggedright\textbf{{Set-up.}} {'. '.join(items)}.\par}}"


def _trained(inputs: Inputs, experiment: Experiment) -> str:
    if experiment.path not in inputs.trained.index:
        return ""
    row = inputs.trained.loc[experiment.path]
    lost = int(row["num_diverged"])  # pyright: ignore[reportArgumentType]
    end = "; none diverged" if lost == 0 else f"; {count(lost)} diverged"
    path = rf"\path{{experiments/{experiment.path}.py}}"
    return rf"{{\small {count(row['num_runs'])} runs{end}. Written down in {path}; W\&B group \path{{{experiment.path}}}.\par}}"  # pyright: ignore[reportArgumentType]


def _figure(inputs: Inputs, experiment: Experiment, figure: Figure, *, facts: list[Fact], output_dir: Path) -> str:
    path = picture(inputs, experiment, figure.name)
    place = os.path.relpath(path.resolve(), output_dir.resolve())
    words = ", ".join(f"{fact.key} {fact.word}" for fact in facts)
    alt = alternative(figure.panels[0], words)
    bands = [band_in_words(inputs, experiment, figure, i) for i in range(len(figure.panels))]
    lettered = " ".join(f"({letter}) {band}" for letter, band in zip("abcd", bands, strict=False))
    told = bands[0] if len(set(bands)) == 1 else lettered
    return "\n".join(
        [
            r"\begin{figure}[htbp]\centering",
            f"\\pictured{{{place}}}{{{alt}}}",
            f"\\caption{{{escape(figure.caption)} {told}}}\\label{{fig:{experiment.name}-{figure.name}}}",
            r"\end{figure}",
        ]
    )


def _claim(fact: Fact, names: Mapping[str, Reference]) -> str:
    row, claim = fact.row, fact.claim
    labels = {arm.name: arm.label for arm in fact.experiment.arms}
    chosen = selected_in_words(fact.selected)
    lines = [
        f"\\begin{{claimrecord}}{{{fact.slug}}}{{{escape(fact.key)}}}{{{fact.word}}}{{{escape(in_full(row['verdict']))}}}",
        f"{escape(claim.statement)} \\textit{{({cited_source(claim.source, names)}; {_kind(fact)})}}\\par",
        rf"\textit{{Result:}} {result_in_words(fact)}; {count(row['num_runs'])} runs, $n={fact.num_seeds}$ independent seeds."
        f" {_decision(row)}\\par",
        f"\\textit{{Measured:}} {escape(estimate_in_words(claim.estimate, labels))}.\\par",
        f"\\textit{{Rule:}} supported if the interval lies {escape(row['rule'])}, because {escape(claim.because)}.\\par",
        f"\\textit{{Selected on validation data:}} {escape(chosen)}.\\par" if chosen else "",
        f"\\textit{{Condition:}} {escape(claim.condition)}.\\par" if claim.condition else "",
        _other(fact),
        _second(fact),
        r"\end{claimrecord}",
    ]
    return "\n".join(line for line in lines if line)


def _kind(fact: Fact) -> str:
    marked = {"exploratory": ", exploratory", "changed": ", changed after a first look"}.get(fact.mark, "")
    return KINDS_IN_WORDS[fact.kind] + marked


def _decision(row: pd.Series) -> str:
    if row["note"]:
        return f"{escape(row['note'][:1].upper() + row['note'][1:])}."
    corrected = "" if pd.isna(row["p_holm"]) else f" ($p$ = {number(row['p_holm'], digits=2)} after Holm)"
    meaning = _MEANING[said(row["verdict"])]
    return f"{meaning[:1].upper() + meaning[1:]}{corrected}."


def _other(fact: Fact) -> str:
    told = [f"\\textit{{At scale {other.scale}:}} {_at_scale(other)}.\\par" for other in fact.others]
    return "\n".join(told)


def _at_scale(other: Other) -> str:
    if other.is_same_run:
        return "the same runs"
    told = estimate(other.row["effect"], other.row["low"], other.row["high"])
    asked = "" if other.is_same_question else " (statement, unit or rule were others then)"
    return f"{told}, {escape(in_full(other.row['verdict']))}{asked}"


def _second(fact: Fact) -> str:
    if fact.second is None:
        return ""
    row = fact.second
    numbers = [row.get(f"{name}_second", row.get(f"second_{name}")) for name in ("effect", "low", "high")]
    told = "" if any(value is None or pd.isna(value) for value in numbers) else f", {estimate(*map(float, numbers))}"  # pyright: ignore[reportArgumentType]
    return f"\\textit{{Second seeds alone:}} {escape(in_full(row['second']))}{told}.\\par"


def claims_index(facts: Mapping[str, Fact]) -> str:
    """Return all claims in a table, a line each, in the order of the text."""
    rows = [
        [
            f"\\hyperlink{{{fact.slug}}}{{{escape(fact.key)}}}",
            escape(fact.claim.statement),
            estimate(fact.row["effect"], fact.row["low"], fact.row["high"]) + f" {escape(fact.row['unit'])}",
            str(fact.num_seeds),
            f"\\verdictword{{{fact.word}}}{{{escape(fact.headline)}}}",
        ]
        for fact in facts.values()
    ]
    return longtable(
        r"P{0.15\linewidth}P{0.35\linewidth}P{0.28\linewidth}rP{0.10\linewidth}",
        header=("claim", "statement", "effect [95\\,\\%] and unit", "$n$", "verdict"),
        rows=rows,
        caption="All claims in the order of the text; $n$ counts independent seeds.",
        label="tab:claims",
    )
