"""The seven answers: one value a term, from paper/answers.yaml, which picture, paper, README and page have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..spec import Term, rank_of, require, title_of
from .facts import Fact
from .latex import escape, plain

_PLACE = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What is said of a term and what was measured; `claim` has the verdict `expects`, `figure` shows it."""

    term: Term
    said: str
    headline: str
    measured: str
    claim: str
    expects: str
    figure: tuple[str, str, int]  # experiment, figure, panel

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(_PLACE.findall(self.measured))


def read_answers(paper_dir: Path) -> tuple[Answer, ...]:
    """Return the answers in the terms' order; none where the folder has no answers.yaml."""
    path = paper_dir / "answers.yaml"
    if not path.exists():
        return ()
    records = yaml.safe_load(path.read_text(encoding="utf-8"))["answers"]
    answers = [Answer(**{**record, "figure": tuple(record["figure"])}) for record in records]
    return tuple(sorted(answers, key=lambda answer: rank_of(answer.term)))


def check_answers(answers: tuple[Answer, ...], facts: Mapping[str, Fact], *, strict: bool) -> tuple[str, ...]:
    """Return the claims whose verdict is not the one that the answer was written for; ValueError for the first if `strict`."""
    wrong = [answer for answer in answers if answer.claim in facts and facts[answer.claim].word != answer.expects]
    for answer in wrong[:1] if strict else ():
        must = f"claim {answer.claim} must be {answer.expects}"
        require(
            False,
            what=f"answer of {answer.term!r}",
            must=must,
            got=facts[answer.claim].word,
            do="write the answer anew in paper/answers.yaml",
        )
    return tuple(answer.claim for answer in wrong)


def held(answers: tuple[Answer, ...], facts: Mapping[str, Fact]) -> list[Answer]:
    """Return the answers whose claims are all in the report, with the verdict that they were written for."""
    return [
        answer
        for answer in answers
        if {answer.claim, *answer.keys} <= set(facts) and facts[answer.claim].word == answer.expects
    ]


def measured_in_words(answer: Answer, facts: Mapping[str, Fact], *, text: Callable[[str], str] = plain) -> str:
    """Return what was measured, with its numbers; `text` turns LaTeX's numbers into the medium's."""

    def filled(match: re.Match[str]) -> str:
        return text(facts[match[1]].estimate)

    return _PLACE.sub(filled, answer.measured)


def answers_table(answers: tuple[Answer, ...], facts: Mapping[str, Fact]) -> str:
    """Return the answers as a table: term, what is said, what was measured, verdict; empty without any."""
    rows = []
    for answer in held(answers, facts):
        fact = facts[answer.claim]
        parts = _PLACE.split(answer.measured)
        told = "".join(facts[part].estimate if i % 2 else escape(part) for i, part in enumerate(parts))
        verdict = rf"\verdictword{{{fact.word}}}{{{escape(fact.headline)}}}"
        said = rf"“{answer.said}”"
        rows.append(
            rf"\textbf{{{title_of(answer.term)}}} & {escape(said)} & {told} & \claimref{{{answer.claim}}}: {verdict} \\"
        )
    if not rows:
        return ""
    columns = r"@{}P{0.11\linewidth}P{0.22\linewidth}P{0.42\linewidth}P{0.155\linewidth}@{}"
    heads = ("term", "what everybody says", "what was measured, effect [interval]", "verdict")
    head = " & ".join(rf"\textbf{{{name}}}" for name in heads)
    body = "\\addlinespace\n".join(f"{row}\n" for row in rows)
    return f"\\begin{{tabular}}{{{columns}}}\\toprule\n{head}\\\\\\midrule\n{body}\\bottomrule\\end{{tabular}}\n"


def markdown_table(answers: tuple[Answer, ...], facts: Mapping[str, Fact]) -> str:
    """Return the answers as a table of Markdown, for README.md."""
    lines = ["| term | what everybody says | what was measured | verdict |", "|---|---|---|---|"]
    for answer in held(answers, facts):
        fact = facts[answer.claim]
        told = measured_in_words(answer, facts)
        lines.append(f"| {title_of(answer.term)} | {answer.said} | {told} | **{fact.headline}** ({fact.key}) |")
    return "\n".join(lines) + "\n"


def with_table(readme: str, table: str) -> str:
    """Return README.md with its table of answers replaced."""
    lines = readme.split("\n")
    start = lines.index(table.split("\n")[0])
    end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
    return "\n".join([*lines[:start], *table.rstrip("\n").split("\n"), *lines[end:]])
