"""`seven-terms explain`: what an experiment trains, measures and judges, in the words of the report."""

from __future__ import annotations

import difflib
import textwrap
from pathlib import Path

from ..planning import cost_before, plans_at
from ..report.setup import setup_of
from ..report.wording import estimate_in_words
from ..spec import Claim, Scale, require
from ..statistics.judges import rule_in_words
from .experiments import experiments_of, results_of

WIDTH = 110


def explained(question: str, folder: Path, *, scale: Scale) -> str:
    """Return the set-up table of the report, each claim with estimate, rule and reason, and the cost of training."""
    experiments = experiments_of(folder)
    known = [experiment.path for experiment in experiments]
    close = difflib.get_close_matches(question, known, n=1)
    do = f"try {close[0]!r}" if close else f"there are {', '.join(known[:5])} ..."
    require(question in known, what="question", must=f"it must be one of {str(folder)!r}", got=question, do=do)
    experiment = next(one for one in experiments if one.path == question)
    must = f"it must run at scale {scale!r}"
    require(experiment.runs_at(scale), what=question, must=must, got="skip=True", do="take another --scale")
    plans = plans_at((experiment,), scale)
    plan = plans[question]
    labels = {arm.name: arm.label for arm in plan.experiment.arms}
    parts = [
        f"{plan.experiment.title} ({question}, scale {scale})",
        textwrap.fill(plan.experiment.question, WIDTH),
        textwrap.fill(plan.experiment.method, WIDTH),
        "What is trained:",
        *(_row(aspect, text) for aspect, text in setup_of(plan).items()),
        _row("arms", "; ".join(labels.values())),
        _row("A/A arm", plan.experiment.noise_floor_arm or "none"),
        "",
        "What is claimed, and when it counts as supported:",
        *(_claim(claim, labels) for claim in plan.experiment.claims),
        "",
        cost_before(plans, results_of(folder) / scale, brief=True),
    ]
    return "\n".join(parts)


def _row(name: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"  {name:<15} ", subsequent_indent=" " * 18)


def _claim(claim: Claim, labels: dict[str, str]) -> str:
    lines = [
        _row(claim.key, claim.statement),
        _row("  measured", f"{estimate_in_words(claim.estimate, labels)} ({claim.unit})"),
        _row("  supported if", f"the 95 % interval is {rule_in_words(claim.rule)}"),
        _row("  because", claim.because),
    ]
    return "\n".join(lines)
