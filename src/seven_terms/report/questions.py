r"""The main text: a section per term, in it a unit per question, which stands together on one page.

A section's source places its experiments as `\begin{question}{name} ... \end{question}`: inside stands what came out, why,
and what it means, and `\finding{...}` is the title of its figure. An experiment without hand-written text gets a unit from
its question, its method and its verdicts.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from ..records.plans import Plan
from ..records.tables import read_csv
from ..spec import Bars, Cloud, Curve, Experiment, Figure, Heatmap, Panel, Survival, Term, require, title_of
from ..spec.best import best_of
from ..spec.figures import MOST_LINES
from .facts import Fact
from .inputs import Inputs
from .latex import count, escape, estimate
from .sentences import in_full
from .setup import short_setup

SUPPLEMENT = "seven-terms-supplement.pdf"
_QUESTION = re.compile(r"\\begin\{question\}\{(\w+)\}(.*?)\\end\{question\}", re.DOTALL)
_FINDING = r"\finding"
SAYING = {
    "supported": ("They support", ""),
    "refuted": ("They refute", ""),
    "inconclusive": ("They leave", " open"),
}


def section(inputs: Inputs, facts: Mapping[str, Fact], term: Term, *, source: str, output_dir: Path) -> str:
    """Return a term's section: its hand-written source with each question expanded, then those it does not place."""
    plans = {plan.experiment.name: plan for plan in inputs.plans if plan.experiment.term == term}

    def expanded(match: re.Match[str]) -> str:
        plan = plans.pop(match[1], None)
        return "" if plan is None else question(inputs, facts, plan, text=match[2].strip(), output_dir=output_dir)

    title = f"\\section{{{title_of(term)}}}\\label{{term:{term}}}"
    written = _QUESTION.sub(expanded, source)
    rest = [question(inputs, facts, plan, text="", output_dir=output_dir) for plan in plans.values()]
    return "\n\n".join([title, written.strip(), *rest]) + "\n"


def question(inputs: Inputs, facts: Mapping[str, Fact], plan: Plan, *, text: str, output_dir: Path) -> str:
    """Return the unit of one experiment: question, set-up, what came out beside its figure, and a line per claim."""
    experiment = plan.experiment
    finding, told = _split_finding(text)
    own = [fact for fact in facts.values() if fact.experiment.path == experiment.path]
    body = told or _generated_text(experiment, own)
    figure = _side_figure(inputs, experiment, finding=finding, facts=own, output_dir=output_dir)
    lines = "\n".join(claim_line(fact) for fact in own)
    return "\n".join(
        [
            f"\\begin{{questionunit}}{{{escape(experiment.title)}}}{{exp:{experiment.name}}}",
            f"\\questionleft{{\\emph{{{escape(experiment.question)}}}\\par {body}",
            f"\\par\\setup{{{escape(short_setup(plan))}}}}}",
            f"\\questionright{{{figure}}}",
            r"\end{questionunit}",
            f"\\begin{{claimlines}}\n{lines}\n\\end{{claimlines}}" if lines else "",
        ]
    )


def _split_finding(text: str) -> tuple[str, str]:
    r"""Return (what stands in \finding{...}, the rest)."""
    start = text.find(_FINDING + "{")
    if start < 0:
        return "", text
    depth, end = 0, start + len(_FINDING)
    for end in range(start + len(_FINDING), len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            break
    return text[start + len(_FINDING) + 1 : end], (text[:start] + text[end + 1 :]).strip()


def _generated_text(experiment: Experiment, facts: list[Fact]) -> str:
    """Return a unit's text where nobody wrote one: the method, and which of its claims fared how."""
    told = [_listed(word, [fact for fact in facts if fact.word == word]) for word in SAYING]
    outcome = " ".join(filter(None, told)).replace("They ", "The results ", 1)
    return f"{escape(experiment.method)} {outcome}".strip()


def _listed(word: str, facts: list[Fact]) -> str:
    """Return a sentence such as "The runs refute B-GC8 (as said): Clipped SGD converges to the minimum."."""
    if not facts:
        return ""
    if len(facts) == 1:
        start, end = SAYING[word]
        return f"{start} \\claimref{{{facts[0].key}}}{end}: ``{escape(facts[0].claim.statement.rstrip('.'))}''."
    start, end = SAYING[word]
    keys = [f"\\claimref{{{fact.key}}}" for fact in facts]
    return f"{start} {', '.join(keys[:-1])} and {keys[-1]}{end}."


def claim_line(fact: Fact) -> str:
    """Return one claim for people: its sentence, effect with unit and interval, seeds and verdict, and the other scale's."""
    mark = {"exploratory": r"\exploratory", "changed": r"\changed"}.get(fact.mark, "")
    link = f"\\href{{{SUPPLEMENT}\\#{fact.slug}}}{{{escape(fact.key)}}}"
    verdict = rf"\verdictword{{{fact.word}}}{{{escape(in_full(fact.row['verdict']))}}}"
    result = f"{result_in_words(fact)}, $n={fact.num_seeds}$: {verdict}"
    parts = [fact.slug, fact.word, link + mark, escape(fact.claim.statement), result + _beside(fact)]
    return r"\claimline" + "".join(f"{{{part}}}" for part in parts)


def result_in_words(fact: Fact) -> str:
    """Return effect, interval and unit, without an interval where there is no chance."""
    row = fact.row
    told = estimate(row["effect"], row["low"], row["high"])
    return f"{told} {escape(row['unit'])}"


def _beside(fact: Fact) -> str:
    told = [
        rf"; at {other.scale} scale {estimate(other.row['effect'], other.row['low'], other.row['high'])}: "
        rf"\verdictword{{{other.word}}}{{{escape(in_full(other.row['verdict']))}}}"
        for other in fact.beside
    ]
    turned = r"; \textbf{depends on the scale}" if fact.is_flipped else ""
    return "".join(told) + turned + "."


def key_panel(experiment: Experiment) -> tuple[Figure, int] | None:
    """Return the panel that stands for an experiment in the main text: the one so marked, else the first."""
    marked = [figure for figure in experiment.figures if figure.key is not None]
    if marked:
        return marked[0], marked[0].key or 0
    return (experiment.figures[0], 0) if experiment.figures else None


def _side_figure(inputs: Inputs, experiment: Experiment, *, finding: str, facts: list[Fact], output_dir: Path) -> str:
    chosen = key_panel(experiment)
    if chosen is None:
        return ""
    figure, number = chosen
    panel = figure.panels[number]
    path = picture(inputs, experiment, "key")
    title = finding or escape(_finding_of(experiment, facts))
    words = ", ".join(f"{fact.key} {fact.word}" for fact in facts)
    alt = alternative(panel, words)
    title = title if title.rstrip("}").endswith((".", "?", "!")) else f"{title}."
    caption = f"\\captionof{{figure}}{{\\textbf{{{title}}} {band_in_words(inputs, experiment, figure, number)}}}"
    place = os.path.relpath(path.resolve(), output_dir.resolve())
    return f"\\pictured{{{place}}}{{{alt}}}{caption}\\label{{fig:{experiment.name}}}"


def _finding_of(experiment: Experiment, facts: Iterable[Fact]) -> str:
    """Return a figure's title where nobody wrote one: what its first decided claim says, and how it fared."""
    decided = next((fact for fact in facts if fact.word != "inconclusive"), None)
    if decided is None:
        return f"{experiment.title}: open"
    statement = decided.claim.statement.rstrip(".")
    return statement if decided.word == "supported" else f"Refuted: {statement}"


def picture(inputs: Inputs, experiment: Experiment, name: str) -> Path:
    """Return the PDF of a figure; ValueError when it is not drawn."""
    path = inputs.results_dir / "figures" / experiment.path / f"{name}.pdf"
    require(
        path.exists(),
        what=f"figure {name!r} of {experiment.path!r}",
        must="it must be drawn before the report is written",
        got=str(path),
        do="run `make report`",
    )
    return path


def alternative(panel: Panel, words: str) -> str:
    """Return the text that stands for a picture where it is not seen: axes, and the verdicts it belongs to."""
    axes = f"{panel.y_label} over {panel.x_label}" if not isinstance(panel.content, Bars) else panel.y_label
    return escape(f"{panel.title}: {axes}. {words}")


def band_in_words(inputs: Inputs, experiment: Experiment, figure: Figure, number: int) -> str:
    """Return what a caption must say of a panel: what its lines, bands and dots are, and n."""
    rows = _summary(inputs.results_dir / "summary" / f"{experiment.path}.csv")
    rows = rows[(rows["figure"] == figure.name) & (rows["panel"] == number) & rows["y"].isna()]
    sizes = sorted({int(size) for size in rows["num_runs"] if size > 1})
    n = f", $n={sizes[0]}$" if len(sizes) == 1 else f", $n={sizes[0]}$ to ${sizes[-1]}$" if sizes else ""
    exact = rows["low"].isna().all()
    content = figure.panels[number].content
    if content.caption:
        return escape(content.caption)
    if isinstance(content, Curve) and content.band == "seeds":
        return f"One line per seed{_of_first_seeds(experiment)}."
    if isinstance(content, Cloud):
        return f"One mark a run{_of_seeds(experiment)}."
    if isinstance(content, Heatmap):
        return f"Means over runs{n}."
    if exact:
        return "Free of chance: no interval."
    if isinstance(content, Survival):
        return rf"Kaplan--Meier curves with pointwise 95\,\% bands{n}."
    kind = (
        r"15th to 85th percentile" if isinstance(content, Curve) and content.band == "quantiles" else r"95\,\% interval"
    )
    shown = "Dots: seeds; bar" if isinstance(content, Bars) else "Band or bar"
    ring = "" if best_of(experiment, figure.panels[number]) == "none" else " Ring: best rate of the mean."
    return f"{shown}: {kind}{n} runs.{ring}"


@functools.lru_cache(maxsize=128)
def _summary(path: Path) -> pd.DataFrame:
    return read_csv(path, kind="summary")


def _of_first_seeds(experiment: Experiment) -> str:
    if experiment.num_seeds <= MOST_LINES:
        return _of_seeds(experiment)
    return f", the first {MOST_LINES} of {count(experiment.num_seeds)}"


def _of_seeds(experiment: Experiment) -> str:
    return f", {count(experiment.num_seeds)} seeds"
