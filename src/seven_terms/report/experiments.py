"""The part of a section that an experiment writes itself: question, method, figures, and a verdict for each claim."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from ..spec import Claim, Experiment, Figure, require
from .inputs import Inputs
from .latex import count, effect, escape, interval, number
from .sentences import in_full, said
from .wording import estimate_in_words

_MEANING = {
    "supported": "the whole interval satisfies the rule",
    "refuted": "the whole interval violates the rule",
    "inconclusive": "the interval covers both sides of the rule",
}


def experiment_section(inputs: Inputs, experiment: Experiment, *, output_dir: Path) -> str:
    """Return the subsection of an experiment; ValueError when one of its figures is not drawn."""
    parts = [
        f"\\subsection{{{escape(experiment.title)}}}\\label{{exp:{experiment.name}}}",
        f"\\emph{{{escape(experiment.question)}}} {escape(experiment.method)} {_runs_sentence(inputs, experiment)}",
        *(_figure(inputs, experiment, figure, output_dir=output_dir) for figure in experiment.figures),
        *(_verdict(inputs, experiment, claim) for claim in experiment.claims),
    ]
    return "\n\n".join(parts) + "\n"


def _runs_sentence(inputs: Inputs, experiment: Experiment) -> str:
    runs = inputs.runs[inputs.runs["experiment"].isin((experiment.path, experiment.name))]
    diverged = int((runs["status"] == "diverged").sum())
    lost = {0: "none", 1: "one"}.get(diverged, count(diverged))
    return f"In all {count(len(runs))} runs in {count(runs['stack'].nunique())} stacks, {lost} of them diverged."


def _figure(inputs: Inputs, experiment: Experiment, figure: Figure, *, output_dir: Path) -> str:
    path = inputs.results_dir / "figures" / experiment.path / f"{figure.name}.pdf"
    require(
        path.exists(),
        what=f"figure {figure.name!r} of {experiment.path!r}",
        must="it must be drawn before the report is written",
        got=str(path),
        do="run `make report`",
    )
    place = os.path.relpath(path.resolve(), output_dir.resolve())
    return "\n".join(
        [
            r"\begin{figure}[htbp]\centering",
            f"\\includegraphics{{{place}}}",
            f"\\caption{{{escape(figure.caption)}}}\\label{{fig:{experiment.name}-{figure.name}}}",
            r"\end{figure}",
        ]
    )


def _verdict(inputs: Inputs, experiment: Experiment, claim: Claim) -> str:
    row = inputs.verdicts.loc[claim.key]
    labels = {arm.name: arm.label for arm in experiment.arms}
    condition = f" Condition: {escape(claim.condition)}." if claim.condition else ""
    return "\n".join(
        [
            f"\\begin{{verdictbox}}{{{escape(claim.key)}}}{{{said(row['verdict'])}}}{{{in_full(row['verdict'])}}}",
            f"{escape(claim.statement)} ({escape(claim.source)})\\par",
            f"\\textit{{Measured:}} {escape(estimate_in_words(claim.estimate, labels))}.",
            f"\\textit{{Result:}} {result_in_words(row)}. {_decision(row)}{condition}",
            f"\\textit{{Rule:}} supported if the interval lies {escape(row['rule'])}, because {escape(claim.because)}.",
            r"\end{verdictbox}",
        ]
    )


def result_in_words(row: pd.Series) -> str:
    """Return effect, unit, interval and number of runs."""
    if pd.isna(row["effect"]):
        return "no value"
    said = f"{effect(row['effect'], row['low'], row['high'])} {escape(row['unit'])}"
    exact = row["low"] == row["high"] == row["effect"]
    around = "" if exact else f", 95\\,\\% interval {interval(row['low'], row['high'], beside=row['effect'])}"
    return f"{said}{around}, {count(row['num_runs'])} runs"


def _decision(row: pd.Series) -> str:
    if row["note"]:
        return f"{escape(row['note'][:1].upper() + row['note'][1:])}."
    holm = "" if pd.isna(row["p_holm"]) else f" ($p$ = {number(row['p_holm'], digits=2)} after Holm)"
    meaning = _MEANING[said(row["verdict"])]
    return f"{meaning[:1].upper() + meaning[1:]}{holm}."
