"""What a report holds of its scale: all experiments, or the selection that was run, and the prose that goes with them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..spec import TERMS, Term
from .inputs import Inputs
from .latex import count, escape, in_words


def coverage_paragraph(inputs: Inputs, *, unsaid: Sequence[str]) -> str:
    """Return what to know before reading a report of a selection, or of another scale than the text was written for.

    `unsaid` are the claims whose sentences the verdicts contradict. Empty for a whole report at scale laptop.
    """
    told = []
    if inputs.left_out:
        held = "; ".join(
            f"{escape(plan.experiment.title)} (\\S\\ref{{exp:{plan.experiment.name}}})" for plan in inputs.plans
        )
        told.append(
            f"Of the {count(len(inputs.plans) + len(inputs.left_out))} experiments of scale {inputs.scale} this report holds "
            f"{in_words(len(inputs.plans))}: {held}. The others were not run for it, and the claims of these are one family."
        )
    if inputs.scale != "laptop":
        told.append(
            "The text between the results was written for scale laptop: where it names data and budgets, it means those."
        )
    if unsaid:
        keys = ", ".join(escape(key) for key in dict.fromkeys(unsaid))
        told.append(f"Sentences of it that assert another verdict than the one found here are left out: {keys}.")
    return rf"\paragraph{{What this report covers.}} {' '.join(told)}" + "\n" if told else ""


def held_prose(prose: str, inputs: Inputs, *, term: Term) -> str:
    r"""Return a term's prose without what it says on experiments that were not selected.

    What stands between one \experiment{name} and the next is on that experiment, and after the last one on the whole term.
    """
    if not any(path.startswith(f"{term}/") for path in inputs.left_out):
        return prose
    opening, *parts = re.split(r"(?=\\experiment\{)", prose)
    held = {experiment.name for experiment in inputs.experiments(term)}
    return opening + "".join(part for part in parts if _name(part) in held)


def _name(part: str) -> str:
    return part.partition("{")[2].partition("}")[0]


def selection_in_words(inputs: Inputs) -> str:
    """Return the names that select this report's experiments: a term where all of its are in it."""
    names = []
    for term in TERMS:
        own = [experiment.path for experiment in inputs.experiments(term)]
        is_whole = not any(path.startswith(f"{term}/") for path in inputs.left_out)
        names += [term] if own and is_whole else own
    return " ".join(names)


def command(inputs: Inputs) -> str:
    """Return the command that makes this report, with places to break the line."""
    only = f" ONLY=\\textquotedbl{{}}{selection_in_words(inputs)}\\textquotedbl{{}}" if inputs.left_out else ""
    text = f"make report SCALE={inputs.scale}{only}".replace("_", r"\_").replace("/", r"/\allowbreak{}")
    return rf"\texttt{{{text}}}"
