"""What a report holds of its scale: all experiments, or the selection that was run, and the prose that goes with them."""

from __future__ import annotations

from collections.abc import Sequence

from ..spec import REPORTED
from .inputs import Inputs
from .latex import count, escape, in_words


def coverage_paragraph(inputs: Inputs, *, unsaid: Sequence[str]) -> str:
    """Return what to know before reading a report of a selection, or of another scale than the text was written for.

    `unsaid` are the claims whose sentences the verdicts contradict. Empty for a whole report at scale `REPORTED`.
    """
    told = []
    if inputs.left_out:
        told.append(_selection(inputs))
    if inputs.scale != REPORTED:
        told.append(
            f"The text was written for scale {REPORTED}; set-ups, numbers and verdicts are those of this scale."
        )
    if unsaid:
        keys = ", ".join(escape(key) for key in dict.fromkeys(unsaid))
        told.append(f"Sentences of it that assert another verdict than the one found here are left out: {keys}.")
    return rf"\paragraph{{What this report covers.}} {' '.join(told)}" + "\n" if told else ""


def _selection(inputs: Inputs) -> str:
    """Return which experiments the report holds, or, where that is most of them, which it does not."""
    total = count(len(inputs.plans) + len(inputs.left_out))
    start = f"Of the {total} experiments of scale {inputs.scale} this report holds {in_words(len(inputs.plans))}"
    if len(inputs.plans) > len(inputs.left_out):
        missing = ", ".join(rf"\path{{{path}}}" for path in inputs.left_out)
        return f"{start}; {missing} {'is' if len(inputs.left_out) == 1 else 'are'} not in it."
    held = "; ".join(
        f"{escape(plan.experiment.title)} (\\S\\ref{{exp:{plan.experiment.name}}})" for plan in inputs.plans
    )
    return f"{start}: {held}. The others were not run for it, and the claims of these are one family."


def selection_in_words(inputs: Inputs) -> str:
    """Return the names that select this report's experiments: a term where all of its are in it."""
    names = []
    for term in inputs.terms:
        own = [experiment.path for experiment in inputs.experiments(term)]
        is_whole = not any(path.startswith(f"{term}/") for path in inputs.left_out)
        names += [term] if own and is_whole else own
    return " ".join(names)


def command(inputs: Inputs) -> str:
    """Return the command that makes this report, with places to break the line."""
    only = f" ONLY=\\textquotedbl{{}}{selection_in_words(inputs)}\\textquotedbl{{}}" if inputs.left_out else ""
    text = f"make report SCALE={inputs.scale}{only}".replace("_", r"\_").replace("/", r"/\allowbreak{}")
    return rf"\texttt{{{text}}}"
