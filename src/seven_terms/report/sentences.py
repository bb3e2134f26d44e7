r"""Hand-written sentences against verdicts: the build fails when the paper says what the results no longer say.

\claimsays{BN1 (fair)}{supported}{text}   prints text where the verdict agrees; in a whole report at scale `REPORTED` it must
\whenclaim{BN1 (fair)}{a}{b}{c}            prints a when supported, b when refuted, c when inconclusive
\effect, \interval, \estimate, \verdict, \numruns, \numseeds   {BN1 (fair)}: the numbers of a verdict
\claimref{BN1 (fair)}                      its code, as a link

A claim that the scale does not have prints nothing; that every key belongs to some experiment is a test's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..spec import require

SAYABLE = ("supported", "refuted", "inconclusive")  # what a sentence says: a conditional claim is supported
_MACRO = re.compile(r"\\(claimsays|whenclaim|claimref|effect|interval|estimate|verdict|numruns|numseeds)\s*(?=\{)")
_NUM_ARGUMENTS = {"claimsays": 3, "whenclaim": 4}
_COMMENT = re.compile(r"(?<!\\)%.*")


def said(verdict: str) -> str:
    """Return the word that a sentence says of a verdict: a conditional claim is supported, under its condition."""
    return "supported" if verdict == "conditional" else verdict


def in_full(verdict: str) -> str:
    return "supported under a stated condition" if verdict == "conditional" else verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One use of a claim in a source: macro name and its arguments."""

    macro: str
    arguments: tuple[str, ...]
    source: str

    @property
    def key(self) -> str:
        return " ".join(self.arguments[0].split())


def find_uses(text: str, *, source: str) -> Iterator[Use]:
    """Yield every use of a claim in LaTeX text, nested ones included; comments do not count."""
    text = _COMMENT.sub("", text)
    for match in _MACRO.finditer(text):
        arguments, position = [], match.end()
        for _ in range(_NUM_ARGUMENTS.get(match[1], 1)):
            argument, position = _braced(text, position, source=source)
            arguments.append(argument)
        yield Use(macro=match[1], arguments=tuple(arguments), source=source)


def _braced(text: str, start: int, *, source: str) -> tuple[str, int]:
    """Return (what stands between the next pair of braces, position after it)."""
    opening = start + len(text[start:]) - len(text[start:].lstrip())
    depth, position = 0, opening
    for position in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0) * (text[position - 1] != "\\")
        if depth == 0:
            break
    require(
        text[opening : opening + 1] == "{" and depth == 0,
        what=source,
        must="a claim's macro must have all its arguments in braces",
        got=text[start : start + 40],
    )
    return text[opening + 1 : position], position + 1


def check_sentences(paths: Iterable[Path], *, verdicts: pd.DataFrame, root: Path, strict: bool) -> tuple[str, ...]:
    """Compare every hand-written sentence with its verdict and return the claims whose sentences disagree.

    ValueError naming the first of them, if `strict`: the text is written for one scale and all of its experiments.
    """
    unsaid = []
    for path in paths:
        source = str(path.relative_to(root.parent))
        for use in find_uses(path.read_text(encoding="utf-8"), source=source):
            if use.macro == "claimsays":
                _check_word(use)
                if use.key in verdicts.index and said(verdicts.loc[use.key, "verdict"]) != use.arguments[1]:  # pyright: ignore[reportArgumentType]
                    _refuse(use, verdicts.loc[use.key], strict=strict)  # pyright: ignore[reportArgumentType]
                    unsaid.append(use.key)
    return tuple(unsaid)


def _check_word(use: Use) -> None:
    require(
        use.arguments[1] in SAYABLE,
        what=f"{use.source}, claim {use.key}",
        must=f"a sentence must say one of {SAYABLE}",
        got=use.arguments[1],
    )


def _refuse(use: Use, row: pd.Series, *, strict: bool) -> None:
    if strict:
        raise ValueError(
            f"claim {use.key} says {use.arguments[1]!r} but its verdict is {str(row['verdict'])!r} "
            f"(interval [{row['low']:.3g}, {row['high']:.3g}]); change the sentence in {use.source}."
        )
