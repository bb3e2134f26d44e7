"""The page: one HTML file without a network, with the seven answers and every claim, to search, open and link to."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from .. import __version__
from ..records.atomic import write
from ..records.provenance import commit
from ..spec import title_of
from .answers import Answer, held, measured_in_words, read_answers
from .citation import read_citation
from .facts import Fact, facts_of, read_marks
from .inputs import Inputs, read_inputs
from .kinds import KINDS_IN_WORDS
from .latex import estimate, plain
from .literature import Cited, read_literature
from .literature_tables import BLOCKS, NOTES, certainty_in_words
from .sentences import in_full, said
from .setup import selected_in_words, setup_of
from .sources import Reference, linked_source, names_of, spoken
from .wording import estimate_in_words
from .write import literature_path

TEMPLATES = Path(__file__).with_name("templates")


def write_page(results_dir: Path, paper_dir: Path, output_path: Path, *, beside: Sequence[Path] = ()) -> None:
    """Write index.html from a results folder and its drawn figures; figures that are not drawn are left out."""
    inputs = read_inputs(results_dir, beside=beside)
    facts = facts_of(inputs, marks=read_marks(paper_dir))
    path = literature_path(paper_dir)
    numbers = read_literature(path) if path else ()
    context = {
        "answers": [_answer(inputs, answer, facts) for answer in held(read_answers(paper_dir), facts)],
        "claims": [_claim(inputs, fact, numbers, names=names_of(paper_dir)) for fact in facts.values()],
        "experiments": [_experiment(inputs, plan.experiment.path) for plan in inputs.plans],
        "scale": inputs.scale,
        "version": __version__,
        "commit": commit(),
        "record": read_citation(),
        "terms": [title_of(term) for term in inputs.terms],
        "counts": _counts(facts),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    text = environment.get_template("page.html.j2").render(**context)
    write(output_path, text)


def _counts(facts: Mapping[str, Fact]) -> dict[str, int]:
    words = [fact.word for fact in facts.values()]
    return {word: words.count(word) for word in ("supported", "refuted", "inconclusive")}


def _answer(inputs: Inputs, answer: Answer, facts: Mapping[str, Fact]) -> dict[str, Any]:
    fact = facts[answer.claim]
    return {
        "term": title_of(answer.term),
        "said": answer.said,
        "headline": answer.headline,
        "picture": _picture(inputs.results_dir / "figures" / "answers" / answer.term),
        "measured": measured_in_words(answer, facts),
        "word": fact.word,
        "says": fact.headline,
        "key": fact.key,
        "slug": fact.slug,
    }


def _claim(inputs: Inputs, fact: Fact, numbers: tuple[Cited, ...], *, names: Mapping[str, Reference]) -> dict[str, Any]:
    """Return what a row shows, and what it opens to."""
    row, claim, experiment = fact.row, fact.claim, fact.experiment
    labels = {arm.name: arm.label for arm in experiment.arms}
    return {
        "key": fact.key,
        "slug": fact.slug,
        "term": title_of(experiment.term),
        "statement": claim.statement,
        "source": Markup(linked_source(claim.source, names)),
        "word": fact.word,
        "says": fact.headline,
        "kind": KINDS_IN_WORDS[fact.kind],
        "mark": {"exploratory": "exploratory", "changed": "changed after a first look"}.get(fact.mark, ""),
        "effect": _estimate(row),
        "sort": float(row["effect"]) if math.isfinite(row["effect"]) else 0.0,
        "unit": claim.unit,
        "num_seeds": fact.num_seeds,
        "num_runs": int(row["num_runs"]),
        "rule": f"supported if the interval lies {row['rule']}, because {claim.because}",
        "estimate": estimate_in_words(claim.estimate, labels),
        "note": row["note"] if isinstance(row["note"], str) else "",
        "condition": claim.condition,
        "selected": selected_in_words(fact.selected),
        "scales": _scales(inputs, fact),
        "seeds": _seeds(fact),
        "literature": _literature(inputs, fact, numbers, names),
        "experiment": experiment.path,
        "anchor": experiment.path.replace("/", "-"),
        "title": experiment.title,
        "command": f'make report SCALE={inputs.scale} ONLY="{experiment.path}"',
    }


def _estimate(row: pd.Series) -> str:
    return plain(estimate(row["effect"], row["low"], row["high"]))


def _scales(inputs: Inputs, fact: Fact) -> list[dict[str, str]]:
    rows = [
        {
            "scale": inputs.scale,
            "effect": _estimate(fact.row),
            "says": in_full(fact.row["verdict"]),
            "word": fact.word,
        }
    ]
    for other in fact.others:
        note = " (the same runs)" if other.is_same_run else "" if other.is_same_question else " (asked otherwise then)"
        says = in_full(other.row["verdict"]) + note
        rows.append({"scale": other.scale, "effect": _estimate(other.row), "says": says, "word": other.word})
    return rows


def _seeds(fact: Fact) -> list[dict[str, str]]:
    if fact.second is None:
        return []
    alone = {"first": (fact.row["effect"], fact.row["low_alone"], fact.row["high_alone"])}
    alone["second"] = tuple(fact.second[name] for name in ("effect", "low", "high"))
    return [
        {
            "set": name,
            "says": in_full(fact.second[name]),
            "word": said(fact.second[name]),
            "effect": "" if name == "first" or pd.isna(alone[name][0]) else plain(estimate(*map(float, alone[name]))),
        }
        for name in ("first", "second")
    ]


def _literature(
    inputs: Inputs, fact: Fact, numbers: tuple[Cited, ...], names: Mapping[str, Reference]
) -> list[dict[str, str]]:
    """Return the numbers of others that stand beside this claim's."""
    own = {row.key for row in numbers if row.measured.claim == fact.key}
    table = inputs.comparisons
    rows = []
    for _, row in table[table["key"].isin(own)].iterrows() if len(table) else ():
        block = certainty_in_words(row["certainty"])
        if block != NOTES:
            rows.append(
                {
                    "kind": BLOCKS[block][0],
                    "source": Markup(linked_source(spoken(str(row["source"]), names), names)),
                    "value": _theirs(row),
                    "says": row["agreement"],
                }
            )
    return rows


def _theirs(row: pd.Series) -> str:
    low, high = row["literature_low"], row["literature_high"]
    if math.isfinite(row["literature"]):
        return f"{row['literature']:g}"
    return f"{low:g} to {high:g}" if math.isfinite(low) and math.isfinite(high) else f"above {low:g}"


def _experiment(inputs: Inputs, path: str) -> dict[str, Any]:
    plan = next(plan for plan in inputs.plans if plan.experiment.path == path)
    experiment = plan.experiment
    folder = inputs.results_dir / "figures" / path
    figures = [
        {"picture": picture, "caption": figure.caption}
        for figure in experiment.figures
        if (picture := _picture(folder / figure.name)) is not None
    ]
    return {
        "anchor": path.replace("/", "-"),
        "question": experiment.question,
        "method": experiment.method,
        "setup": setup_of(plan),
        "figures": figures,
    }


def _picture(stem: Path) -> dict[str, str] | None:
    """Return a drawn figure: `svg` for the page where there is one of bearable size, else `data` of a PNG; or None."""
    drawn, painted = stem.with_suffix(".svg"), stem.with_suffix(".png")
    if drawn.is_file() and drawn.stat().st_size < LARGEST_SVG:
        text = drawn.read_text(encoding="utf-8")
        return {"svg": Markup(text[text.index("<svg") :].replace("<svg ", '<svg aria-hidden="true" ', 1))}
    if painted.is_file():
        return {"data": Markup(f"data:image/png;base64,{base64.b64encode(painted.read_bytes()).decode()}")}
    return None


LARGEST_SVG = 300_000  # bytes; above that a PNG is smaller and opens faster


def questions(inputs: Inputs, facts: Mapping[str, Fact]) -> str:
    """Return JSON: each claim as a question with the answer that a repetition should find, for people and programs."""
    rows = [
        {
            "claim": fact.key,
            "question": fact.claim.statement,
            "answer": fact.row["verdict"],
            "effect": _finite(fact.row["effect"]),
            "low": _finite(fact.row["low"]),
            "high": _finite(fact.row["high"]),
            "unit": fact.claim.unit,
            "rule": fact.row["rule"],
            "num_seeds": fact.num_seeds,
            "kind": fact.kind,
            "experiment": fact.experiment.path,
            "command": f'make report SCALE={inputs.scale} ONLY="{fact.experiment.path}"',
            "file": f"results/{inputs.scale}/verdicts.csv",
        }
        for fact in facts.values()
    ]
    return json.dumps({"scale": inputs.scale, "questions": rows}, indent=1, ensure_ascii=False) + "\n"


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
