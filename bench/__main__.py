"""Time every contender on every workload and size, in turn, several rounds: results/bench/speed.csv and a table.

Seconds per run and step are those of the steps alone; start-up (imports, data, compilation) stands beside them and is part of
the totals. Each contender is a process of its own, bound to as many cores as it has threads. A contender whose runs end
elsewhere than ours, or that fails, makes the exit status 1.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from seven_terms.records.provenance import provenance
from seven_terms.records.tables import SPEED, write_csv

from .contenders import CONTENDERS, OURS
from .printed import printed
from .processes import ContenderFailed
from .rows import Row
from .session import Session
from .whole_grid import NAME
from .workloads import WORKLOADS

QUICK = {"sizes": [1, 8], "rounds": 2, "chunk_seconds": 0.05, "grid_runs": 8, "grid_steps": 200, "grid_rounds": 1}


def main() -> int:
    """Measure and print; the exit status says whether every row is valid."""
    chosen = options().parse_args()
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        table = measured(chosen)
    except (ContenderFailed, ValueError) as error:
        print(f"seven-terms bench: {error}", file=sys.stderr)
        return 1
    print(printed(table))
    print(f"\n{table['processor'].iloc[0]}, measured on {table['measured_on'].iloc[0]}: {chosen.output}")
    return status(table, chosen)


def options() -> argparse.ArgumentParser:
    names = [one.name for one in CONTENDERS]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="small sizes and short rounds, only to see that it works")
    add("--sizes", type=int, nargs="+", default=[1, 8, 32, 128, 512], help="numbers of runs R")
    add("--workloads", nargs="+", default=list(WORKLOADS), choices=WORKLOADS)
    add("--contenders", nargs="+", default=names, choices=names, help=f"{OURS!r} must be one of them")
    add(
        "--threads", type=int, nargs="+", default=[1, 2], help="1 first; the whole grid takes as many cores as the last"
    )
    add("--rounds", type=int, default=5, help="timed rounds, after one that is not counted")
    add("--chunk-seconds", type=float, default=0.4, help="what one contender's turn should take on one core")
    add("--grid-runs", type=int, default=120)
    add("--grid-steps", type=int, default=2000)
    add("--grid-rounds", type=int, default=2, help="0 leaves the whole grid out")
    add("--device", choices=("cpu", "gpu"), default="cpu")
    add("--output", type=Path, default=Path("results/bench/speed.csv"))
    parser.set_defaults(**(QUICK if "--quick" in sys.argv else {}))
    return parser


def measured(chosen: argparse.Namespace) -> pd.DataFrame:
    """Return the table, written after every workload so that an interrupted session leaves what it found."""
    rows: list[Row] = []
    with contextlib.ExitStack() as kept:
        log = kept.enter_context(chosen.output.with_suffix(".log").open("wb"))
        folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="seven-terms-bench-")))
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(
            folder / "kernels"
        )  # what was compiled before this session does not count
        session = Session(chosen, log=log, folder=folder, kept=kept)
        for name in chosen.workloads:
            rows += session.workload(name)
            _write(rows, chosen.output, device=session.device)
            print(f"seven-terms bench: {name} is measured", file=sys.stderr, flush=True)
        try:
            rows += session.whole_grid() if chosen.grid_rounds else []
        except ContenderFailed as error:
            print(f"seven-terms bench: whole grid: {error}", file=sys.stderr)
        return _write(rows, chosen.output, device=session.device)


def _write(rows: Sequence[Row], path: Path, *, device: str) -> pd.DataFrame:
    record = provenance(device=device)
    known = {name: record[name] for name in ("device", "processor", "num_cores", "commit")}
    known["measured_on"] = datetime.datetime.now(datetime.UTC).date().isoformat()
    table = pd.DataFrame([row | known for row in rows], columns=list(SPEED))
    write_csv(table, path, kind="speed")
    return table


def status(table: pd.DataFrame, chosen: argparse.Namespace) -> int:
    """Return 1 when rows are not valid, which are named on stderr, or when something is missing: its failure was told."""
    wrong = table[~table["valid"].astype(bool)]
    for _, row in wrong.iterrows():
        which = f"{row['workload']}, {row['contender']}, {row['num_threads']} threads, R = {row['num_runs']}"
        ended = f"loss differs by {row['loss_difference']:.2g}, distance by {row['distance_difference']:.2g}"
        print(f"seven-terms bench: {which}: it must end where ours does, got: {ended}.", file=sys.stderr)
    counts = table[table["workload"].isin(chosen.workloads)].groupby(["workload", "num_runs"]).size()
    alike = counts.groupby(level="workload").nunique()
    complete = len(counts) == len(chosen.workloads) * len(chosen.sizes) and (alike == 1).all()
    complete &= chosen.grid_rounds == 0 or (table["workload"] == NAME).any()
    return int(len(wrong) > 0 or not complete)


if __name__ == "__main__":
    sys.exit(main())
