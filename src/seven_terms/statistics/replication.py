"""Replication: do the verdicts hold with a second set of seeds? Those that do not are not reported as decided.

`results/published/<scale>/replication.csv` keeps both verdicts of every claim, each judged on its own seeds alone.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..records.tables import REPLICATION, read_csv, write_csv
from ..spec import require
from .judges import INCONCLUSIVE

KEY = ["claim", "form"]


def replication_of(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return a row a claim: its verdict with either set of seeds, and whether they agree."""
    both = first[[*KEY, "verdict"]].merge(second[[*KEY, "verdict"]], on=KEY, how="outer", suffixes=("_1", "_2"))
    missing = both[both[["verdict_1", "verdict_2"]].isna().any(axis=1)]
    require(
        missing.empty,
        what="replication",
        must="both results must judge the same claims",
        got=missing["claim"].head(5).tolist(),
        do="make both reports with the same version",
    )
    table = both.rename(columns={"verdict_1": "first", "verdict_2": "second"})
    return table.assign(agree=table["first"] == table["second"])[list(REPLICATION)]


def hold_to_replication(verdicts: pd.DataFrame, replication_path: Path | None) -> pd.DataFrame:
    """Return the verdicts; one that was not repeated with other seeds becomes inconclusive, with a note.

    A replication that knows another verdict for the first seeds is of another version: it says nothing and is left out.
    """
    if replication_path is None or not replication_path.is_file():
        return verdicts
    known = read_csv(replication_path, kind="replication").set_index(KEY)
    rows = verdicts.to_dict("records")
    for row in rows:
        key = (row["claim"], row["form"])
        if key in known.index and known.loc[key, "first"] == row["verdict"] and not known.loc[key, "agree"]:
            note = f"{row['verdict']} with these seeds, {known.loc[key, 'second']} with a second set"
            row.update(verdict=INCONCLUSIVE, note="; ".join(part for part in (row["note"], note) if part))
    return pd.DataFrame(rows, columns=verdicts.columns)


def write_replication(first: pd.DataFrame, second: pd.DataFrame, output_path: Path) -> None:
    write_csv(replication_of(first, second), output_path, kind="replication")
