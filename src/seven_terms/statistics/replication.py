"""Replication: a second set of seeds, judged alone to see whether verdicts repeat, and pooled with the first to decide.

`results/published/<scale>/replication.csv` keeps what the second set found, per seed. It counts as long as the claim
is estimated in the same way from the same trainings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ..records.tables import REPLICATION, read_csv, write_csv
from ..spec import require
from .samples import Sample, read_sample

KEY = ["claim", "form"]


def replication_of(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each claim of the second: its verdict with either set of seeds, and what the second set found.

    The second may be of a smaller scale, without some of the experiments: claims that only the first has are left out.
    """
    both = first[[*KEY, "verdict"]].merge(second, on=KEY, how="right", suffixes=("_1", "_2"))
    missing = both[both["verdict_1"].isna()]
    require(
        missing.empty,
        what="replication",
        must="the first results must judge every claim of the second",
        got=missing["claim"].head(5).tolist(),
        do="make both reports with the same version",
    )
    table = both.rename(columns={"verdict_1": "first", "verdict_2": "second"})
    return table.assign(agree=table["first"] == table["second"])[list(REPLICATION)]


def second_samples(replication_path: Path | None) -> Mapping[tuple[str, str, str], Sample]:
    """Return the second set's sample of every claim by (claim, form, definition); nothing without a file."""
    if replication_path is None or not replication_path.is_file():
        return {}
    rows = read_csv(replication_path, kind="replication").to_dict("records")
    found = {(row["claim"], row["form"], row["definition"]): read_sample(row["sample"]) for row in rows}
    return {key: sample for key, sample in found.items() if sample is not None}


def write_replication(first: pd.DataFrame, second: pd.DataFrame, output_path: Path) -> None:
    write_csv(replication_of(first, second), output_path, kind="replication")
