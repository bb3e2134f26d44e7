"""All verdicts on one page: what a reader looks at first, three columns of claim, effect and mark."""

from __future__ import annotations

import pandas as pd

from ..spec import TERM_TITLES
from .inputs import Inputs
from .latex import escape, estimate
from .sentences import said

MARKS = {"supported": r"$\bullet$", "refuted": r"$\times$", "inconclusive": r"$\circ$"}
NUM_COLUMNS = 3
LONGEST_KEY = 17  # letters that fit the column of claims
COLUMN = (
    r"@{}l@{\,}>{\raggedright\arraybackslash\hangindent=0.7em}p{0.115\linewidth}"
    r"@{\,}>{\raggedleft\arraybackslash}p{0.188\linewidth}@{}"
)


def overview_table(inputs: Inputs) -> str:
    """Return one page with every claim's mark, effect and interval, by term; empty without claims."""
    if inputs.verdicts.empty:
        return ""
    lines = []
    for term in inputs.terms:
        own = inputs.verdicts[inputs.verdicts["term"] == term]
        if len(own):
            lines.append(rf"\multicolumn{{3}}{{@{{}}l@{{}}}}{{\textbf{{{escape(TERM_TITLES[term])}}}}}")
            lines += [_line(str(key), row) for key, row in own.iterrows()]
    columns = _columns(lines)
    tabulars = [rf"\begin{{tabular}}[t]{{{COLUMN}}}" + " \\\\\n".join(column) + r"\end{tabular}" for column in columns]
    caption = (
        rf"All verdicts: supported {MARKS['supported']}, refuted {MARKS['refuted']}, inconclusive {MARKS['inconclusive']}, "
        r"with effect and 95\,\% interval, Holm's correction over the whole family. "
        r"Statements and units: Table~\ref{tab:verdicts}."
    )
    body = "\\hfill\n".join(tabulars)
    head = r"\begin{table}[p]\fontsize{6}{7.4}\selectfont"
    return f"{head}\n{body}\n\\caption{{{caption}}}\\label{{tab:overview}}\n\\end{{table}}\n"


def _columns(lines: list[str]) -> list[list[str]]:
    """Return the lines in NUM_COLUMNS columns of about the same height; a long claim takes two rows."""
    heights = [
        2 if len(line.split(" & ")[1 if " & " in line else 0]) > LONGEST_KEY and " & " in line else 1 for line in lines
    ]
    columns: list[list[str]] = [[] for _ in range(NUM_COLUMNS)]
    done = 0
    for line, height in zip(lines, heights, strict=True):
        columns[min(done * NUM_COLUMNS // sum(heights), NUM_COLUMNS - 1)].append(line)
        done += height
    return columns


def _line(key: str, row: pd.Series) -> str:
    verdict = said(row["verdict"])
    mark = rf"\textcolor{{{verdict}}}{{{MARKS[verdict]}}}"
    return f"{mark} & {escape(key)} & {estimate(row['effect'], row['low'], row['high'])}"
