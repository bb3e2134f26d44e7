"""Column contracts of every file in results/, and their atomic reading and writing.

Stages meet in these files only; a table that lacks a column, has one too many, or repeats a key is refused.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..spec import require

METRICS = {"run_id": "str", "step": "int32", "metric": "str", "index": "int32", "value": "float64"}
RUNS = (  # then one column `sweep_<name>` for every sweep of any experiment, empty where an arm does not have it
    "run_id",
    "term",
    "experiment",
    "arm",
    "settings",
    "seed",
    "status",
    "diverged_at_step",
    "steps",
    "duration",
    "stack",
    "commit",
    "device",
)
# Rows of a summary, by kind of content. `figure` is the figure's name, `panel` counts from 0, `series` is the label of the
# content's runs (for Curve.by and other splits "label, name = value"); a named theory is a series of the reference's label.
#   Curve       x = step or index, value, low, high; band "seeds": one row per seed and x, y = seed
#   SweepCurve  x = sweep value, value, low, high
#   Survival    x = time (0 included), value = share still waiting from x on, low, high
#   Bars        one row with value, low, high and y empty; one row per seed with value and y = seed
#   Heatmap     x, y = sweep values, value
#   Cloud       one row per run: x, y = the two measures
SUMMARY = (
    "experiment",
    "figure",
    "panel",
    "series",
    "x",
    "y",
    "value",
    "low",
    "high",
    "num_runs",
)
EXPERIMENTS = ("experiment", "scales", "planned")  # plan/experiments.csv: every experiment of the paper
# results/published/<scale>/provenance.csv: what stands behind an experiment's published rows. num_steps is the sum over
# runs, the seconds are sums over stacks, since their last start; trained_on is the day on which the last stack was done.
PROVENANCE = (
    "experiment",
    "num_runs",
    "num_diverged",
    "num_stacks",
    "num_steps",
    "duration_seconds",
    "processor_seconds",
    "mode",
    "device",
    "processor",
    "num_cores",
    "python",
    "versions",
    "commit",
    "trained_on",
)
REPLICATION = ("claim", "form", "first", "second", "agree")
VERDICTS = (
    "claim",
    "form",
    "term",
    "experiment",
    "statement",
    "source",
    "verdict",
    "effect",
    "low",
    "high",
    "unit",
    "num_runs",
    "p_value",
    "p_holm",
    "rule",
    "condition",
    "because",
    "note",
)
CLAIMS = tuple(column for column in VERDICTS if column != "p_holm")  # raw estimates of one experiment, before Holm
NOISE_FLOOR = ("experiment", "metric", "difference", "low", "high", "num_runs")  # arm against itself with other seeds
COMPARISONS = (
    "key",
    "term",
    "quantity",
    "published",
    "published_low",
    "published_high",
    "source",
    "certainty",
    "measured",
    "measured_low",
    "measured_high",
    "unit",
    "agreement",
    "difference_because",
)
# What `make bench` found. Seconds of a run and step are medians over rounds, with the least and the most; times_ours is the
# median ratio to ours in the same round. basis: "measured", or "extrapolated" from measured_runs. total_seconds: all num_runs
# runs of num_steps steps, start included. share_of_floor: floor_seconds, the operations of a step over product_rate (measured
# operations a second of a large product), over the seconds. loss_difference, distance_difference: how far runs ended from ours.
SPEED = (
    "workload",
    "contender",
    "num_threads",
    "num_runs",
    "num_steps",
    "basis",
    "measured_runs",
    "measured_steps",
    "rounds",
    "seconds_per_run_step",
    "least",
    "most",
    "times_ours",
    "start_seconds",
    "total_seconds",
    "floor_seconds",
    "share_of_floor",
    "product_rate",
    "peak_memory_bytes",
    "loss_difference",
    "distance_difference",
    "valid",
    "device",
    "processor",
    "num_cores",
    "commit",
    "measured_on",
)
TABLES = {
    "experiments": (EXPERIMENTS, ("experiment",)),
    "runs": (RUNS, ("run_id",)),
    "summary": (SUMMARY, ()),
    "claims": (CLAIMS, ("claim", "form")),
    "verdicts": (VERDICTS, ("claim", "form")),
    "noise_floor": (NOISE_FLOOR, ("experiment",)),
    "comparisons": (COMPARISONS, ("key",)),
    "provenance": (PROVENANCE, ("experiment",)),
    "replication": (REPLICATION, ("claim", "form")),
    "speed": (SPEED, ("workload", "contender", "num_threads", "num_runs")),
}


def write_csv(table: pd.DataFrame, path: Path, *, kind: str) -> None:
    """Write a table of a known kind; ValueError when it breaks its contract."""
    check(table, kind=kind, where=str(path))
    _atomically(path, lambda temporary: table.to_csv(temporary, index=False))


def read_csv(path: Path, *, kind: str) -> pd.DataFrame:
    """Return a table of a known kind, checked."""
    table = pd.read_csv(path, keep_default_na=True, dtype={"form": str, "note": str, "condition": str, "series": str})
    check(table, kind=kind, where=str(path))
    return table


def check(table: pd.DataFrame, *, kind: str, where: str) -> None:
    columns, key = TABLES[kind]
    found = tuple(column for column in table.columns if not (kind == "runs" and column.startswith("sweep_")))
    require(found == columns, what=f"{kind} table {where!r}", must=f"columns must be {columns}", got=found)
    if key:
        repeated = table[table.duplicated(list(key))]
        require(
            repeated.empty,
            what=f"{kind} table {where!r}",
            must=f"{', '.join(key)} must be unique",
            got=repeated[list(key)].head(3).to_dict("records"),
        )


def write_metrics(table: pd.DataFrame, path: Path, *, stack: Mapping[str, Any]) -> None:
    """Write the metrics of a stack: long format, and `stack` (runs' status, duration, provenance) as file metadata."""
    require(
        tuple(table.columns) == tuple(METRICS),
        what=f"metrics {path.name!r}",
        must=f"columns must be {tuple(METRICS)}",
        got=tuple(table.columns),
    )
    fields = [
        ("run_id", pa.dictionary(pa.int32(), pa.string())),
        ("step", pa.int32()),
        ("metric", pa.dictionary(pa.int32(), pa.string())),
        ("index", pa.int32()),
        ("value", pa.float64()),
    ]
    arrow = pa.Table.from_pandas(table, schema=pa.schema(fields), preserve_index=False)
    arrow = arrow.replace_schema_metadata({"stack": json.dumps(stack, sort_keys=True)})
    _atomically(path, lambda temporary: pq.write_table(arrow, temporary, compression="zstd"))


def read_metrics(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (metrics, stack record) of one metrics file."""
    arrow = pq.read_table(path)
    stack = json.loads(arrow.schema.metadata[b"stack"])
    return arrow.replace_schema_metadata(None).to_pandas(), stack


def read_stack_record(path: Path) -> dict[str, Any]:
    """Return the stack record of a metrics file (runs' status, duration, provenance) without reading its metrics."""
    return json.loads(pq.read_schema(path).metadata[b"stack"])


def read_experiment_metrics(paths: list[Path], *, expected: set[str], experiment: str) -> pd.DataFrame:
    """Return the metrics of all stacks of an experiment; ValueError when runs are missing or unexpected."""
    tables, found = [], set()
    for path in paths:
        table, stack = read_metrics(path)
        tables.append(table)
        found |= set(stack["runs"])
    missing, extra = sorted(expected - found), sorted(found - expected)
    require(
        not missing,
        what=f"metrics of {experiment!r}",
        must=f"all {len(expected)} runs must be there",
        got=f"{len(missing)} missing: {', '.join(missing[:3])}",
        do="run `make report` again to train them",
    )
    require(
        not extra,
        what=f"metrics of {experiment!r}",
        must="only planned runs may be there",
        got=f"{len(extra)} more: {', '.join(extra[:3])}",
        do="delete the stale metrics files",
    )
    return pd.concat(tables, ignore_index=True)


def _atomically(path: Path, write: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    try:
        write(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
