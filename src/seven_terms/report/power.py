"""The power calculation in the supplement: seeds had, needed and planned, of every claim that rests on a sample of seeds."""

from __future__ import annotations

import math

import pandas as pd

from ..records.tables import read_csv
from .inputs import Inputs
from .latex import count, escape, in_words, longtable, number
from .sentences import said


def power_section(inputs: Inputs) -> str:
    """Return the section; empty where the results hold no power.csv."""
    path = inputs.results_dir / "power.csv"
    if not path.is_file():
        return ""
    table = read_csv(path, kind="power")
    open_now = table[table["verdict"] == "inconclusive"]
    short = open_now[open_now["reason"] != ""]
    text = (
        "A claim needs as many seeds as make the half-width of the interval that decides, plus what the effect itself may "
        "fall short in one of five repetitions, fit between effect and threshold: 80\\,\\% power at 5\\,\\% over the number "
        "of tests in its family. What lies between two points of a grid, or two looks, no number of seeds narrows. "
        f"Of {in_words(len(table))} claims that rest on a sample of seeds {in_words(len(open_now))} "
        f"are open here; for {in_words(len(short))} of them scale full has fewer seeds than that, because the effect lies at "
        "its threshold or near it, or nearer than grid or looks resolve."
    )
    rows = [_row(row) for _, row in table.iterrows()]
    listed = longtable(
        r"P{0.22\linewidth}P{0.12\linewidth}rrrrrr",
        header=("claim", "verdict", "margin", "spread", "tests", "seeds", "needed", "at full"),
        rows=rows,
        caption="Seeds by power. Margin: from the effect to the nearest threshold; spread: of one seed; both on logarithms "
        "where the estimate is a ratio. Tests: the level is 5\\,\\% over this number.",
        label="tab:power",
    )
    return f"\\section{{Seeds by power}}\\label{{sec:power}}\n\n{text}\n\n{{\\footnotesize\n{listed}}}\n"


def _row(row: pd.Series) -> list[str]:
    key = f"{row['claim']} ({row['form']})" if row["form"] else row["claim"]
    seeds = [_seeds(row[name]) for name in ("num_seeds", "seeds_needed", "full_seeds")]
    return [
        escape(key),
        said(row["verdict"]),
        number(row["margin"]),
        number(row["spread"]),
        _seeds(row["num_tests"]),
        *seeds,
    ]


def _seeds(value: float) -> str:
    return count(value) if math.isfinite(value) else number(value)
