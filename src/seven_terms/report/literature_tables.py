"""Numbers of others beside ours, in three blocks: read in the source, reproduced by others, derived here.

Nothing that is known from notes or memory is printed; how many such rows there are is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from .comparisons import DIFFERS, NOT_RUN
from .inputs import Inputs
from .latex import cited, count, effect, escape, given, interval, longtable, number
from .literature import Cited, read_literature

BLOCKS = {
    "read": ("Read in the source", "published"),
    "reproduced": ("Reproduced by others", "reproduced"),
    "derived": ("Derived here, by algebra or by computation", "theory"),
}
NOTES = "notes"
COLUMNS = r"P{0.29\linewidth}P{0.19\linewidth}P{0.10\linewidth}P{0.06\linewidth}P{0.17\linewidth}P{0.10\linewidth}"


def certainty_in_words(mark: str) -> str:
    """Return "read", "reproduced", "derived" or "notes" for a mark of certainty."""
    if mark in ("D", "C"):
        return "derived"
    return {"P": "read", "R": "reproduced"}.get(mark.split()[1], NOTES)


def literature_tables(inputs: Inputs, literature_path: Path | None, *, blocks: Iterable[str] = tuple(BLOCKS)) -> str:
    """Return the blocks asked for; a sentence where no number belongs to this report's experiments."""
    table = inputs.comparisons
    present = table[table["agreement"] != NOT_RUN] if len(table) else table
    if present.empty:
        return "No number of others belongs to the experiments of this report.\n"
    rows = {row.key: row for row in read_literature(literature_path)} if literature_path else {}
    present = present.assign(block=present["certainty"].map(certainty_in_words))
    parts = [_block(present[present["block"] == block], rows, block=block) for block in blocks]
    unread = int((present["block"] == NOTES).sum())
    silent = f"{count(unread)} more numbers are known to us from notes only and are not printed.\n" if unread else ""
    return "\n".join([*filter(None, parts), silent])


def agreement_counts(inputs: Inputs) -> dict[str, str]:
    """Return macros: by block how many numbers stand beside ours and with how many ours agrees, in value or direction."""
    table = inputs.comparisons
    values = {}
    for block in BLOCKS:
        own = (
            table[(table["certainty"].map(certainty_in_words) == block) & (table["agreement"] != NOT_RUN)]
            if len(table)
            else table
        )
        agree = own["agreement"].isin(("agrees", "direction agrees")).sum() if len(own) else 0
        values |= {f"Num{block.capitalize()}": count(len(own)), f"Num{block.capitalize()}Agree": count(agree)}
    return values


def _block(own: pd.DataFrame, rows: Mapping[str, Cited], *, block: str) -> str:
    if own.empty:
        return ""
    title, column = BLOCKS[block]
    own = own.sort_values("term", kind="stable", key=lambda terms: terms.map({t: i for i, t in enumerate(own["term"])}))
    lines = [
        [
            escape(f"{row['quantity']} ({row['unit']})") + _reason(row),
            cited(str(row["source"])),
            _with_interval(row, "literature"),
            _tolerance(rows.get(row["key"])),
            _with_interval(row, "measured"),
            escape(row["agreement"]),
        ]
        for _, row in own.iterrows()
    ]
    source = "follows from" if block == "derived" else "source"
    return longtable(
        COLUMNS,
        header=("quantity", source, column, "tol.", "ours [95\\,\\%]", "agreement"),
        rows=lines,
        caption=f"{title}. Tol.: the share by which a lone number may differ; --: directions are compared, or intervals.",
        label=f"tab:{block}",
    )


def _tolerance(row: Cited | None) -> str:
    return f"{100 * row.tolerance:.3g}\\,\\%" if row is not None and row.tolerance else "--"


def _reason(row: pd.Series) -> str:
    because = row["difference_because"]
    if row["agreement"] not in (DIFFERS, "direction agrees") or not isinstance(because, str) or not because:
        return ""
    return f"\\newline\\textit{{{escape(because[:1].upper() + because[1:])}.}}"


def _with_interval(row: pd.Series, name: str) -> str:
    value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
    if math.isnan(low) and math.isnan(high):
        return given(value) if name == "literature" else number(value)
    if math.isnan(value):
        return f"{number(low)} to {number(high)}" if not math.isnan(high) else f"above {number(low)}"
    if low == high:
        return number(value, digits=4)
    return f"{effect(value, low, high)} {interval(low, high, beside=value)}"
