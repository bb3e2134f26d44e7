"""What a second set of seeds said of the verdicts."""

from __future__ import annotations

import pandas as pd

from .inputs import Inputs
from .latex import count, escape


def replication_paragraph(inputs: Inputs) -> str:
    """Return a paragraph on how many verdicts repeat with other seeds, and which do not; empty without a replication."""
    if inputs.replication.empty:
        return ""
    every = [f"{row.claim} ({row.form})" if row.form else row.claim for row in inputs.replication.itertuples()]
    table = inputs.replication[[key in inputs.verdicts.index for key in every]]
    keys = [key for key in every if key in inputs.verdicts.index]
    if table.empty:
        return ""
    moved = [
        f"{escape(key)} ({row.first}, then {row.second})"
        for key, row in zip(keys, table.itertuples(), strict=True)
        if not row.agree
    ]
    text = (
        "\\paragraph{Replication.} The experiments of this report were run again with a second set of seeds"
        f"{_fewer(table, inputs)}, and every claim was judged on those alone. The verdict was the same for"
        f" {count(int(table['agree'].sum()))} of {count(len(table))} claims."
    )
    if moved:
        text += f" It changed for {'; '.join(moved)}."
    text += " Both sets together decide the verdicts of this report."
    return text + "\n"


def _fewer(table: pd.DataFrame, inputs: Inputs) -> str:
    """Say that the second set is smaller where it is: a large scale can be checked with the fewer seeds of a smaller one."""
    both = inputs.verdicts[["claim", "form", "num_seeds"]].merge(table, on=["claim", "form"], suffixes=("", "_second"))
    both = both.dropna(subset=["num_seeds", "num_seeds_second"])
    is_smaller = both["num_seeds_second"] * 2 < both["num_seeds"]
    return ", a smaller one" if is_smaller.mean() > 0.5 else ""
