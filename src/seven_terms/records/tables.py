"""Column contracts of every file in results/, and their atomic reading and writing.

Stages meet in these files only; a table that lacks a column, has one too many, or repeats a key is refused.

Long, because a file's columns, its reading and its writing are one contract.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..spec import require
from .atomic import UNSTAMPED, read_stamped, read_text, stamped, write

METRICS = {"run_id": "str", "step": "int32", "metric": "str", "index": "int32", "value": "float64"}

# ---- what a column holds ---------------------------------------------------------------------------------------------
TEXT = "text"  # as it stands, whatever it looks like; nothing is the empty text
NUMBER = "number"  # float64; an empty cell is NaN, "inf" and "-inf" are numbers
COUNT = "count"  # int64, never empty
FLAG = "flag"  # True or False
COORDINATE = "coordinate"  # a number, a text or nothing; a text that looks like either stands in quotation marks

# One row per run, then one column `sweep_<name>` for every sweep of any experiment, empty where an arm does not have it.
RUNS = {
    "run_id": TEXT,
    "term": TEXT,
    "experiment": TEXT,
    "arm": TEXT,
    "settings": TEXT,  # JSON
    "seed": COUNT,
    "status": TEXT,  # completed or diverged
    "diverged_at_step": NUMBER,
    "steps": COUNT,  # of its stack, which goes on when a run diverges; of a Trainer of one's own those that were made
    "stack": TEXT,
    "commit": TEXT,
    "device": TEXT,
}
# What training took on which machine, one row per stack: the only table that another day or machine writes differently.
TIMING = {
    "experiment": TEXT,
    "stack": TEXT,
    "num_runs": COUNT,
    "duration_seconds": NUMBER,  # since its last start
    "processor_seconds": NUMBER,
    "processor": TEXT,
    "num_cores": TEXT,
    "python": TEXT,
    "versions": TEXT,
    "trained_on": TEXT,  # the day on which it was done
}
SWEEP = "sweep_"
QUOTE = '"'
# Rows of a summary, by kind of content. `figure` is the figure's name, `panel` counts from 0, `series` is the label of the
# content's runs (for Curve.by and other splits "label, name = value"); a named theory is a series of the reference's label.
#   Curve       x = step or index, value, low, high; band "seeds": one row per seed and x, y = seed
#   SweepCurve  x = sweep value, value, low, high
#   Survival    x = time (0 included), value = share still waiting from x on, low, high
#   Bars        one row with value, low, high and y empty; one row per seed with value and y = seed
#   Heatmap     x, y = sweep values, value
#   Cloud       one row per run: x, y = the two measures
SUMMARY = {
    "experiment": TEXT,
    "figure": TEXT,
    "panel": COUNT,
    "series": TEXT,
    "x": COORDINATE,
    "y": COORDINATE,
    "value": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "num_runs": COUNT,
    "selected": TEXT,  # JSON: the settings chosen on validation data for this series, path -> value
}
EXPERIMENTS = {
    "experiment": TEXT,
    "scales": TEXT,
    "planned": FLAG,
}  # plan/experiments.csv: every experiment of the paper
# results/published/<scale>/provenance.csv: what stands behind an experiment's published rows. num_steps is the sum over
# runs, the seconds are sums over stacks, since their last start; trained_on is the day on which the last stack was done.
PROVENANCE = {
    "experiment": TEXT,
    "num_runs": COUNT,
    "num_diverged": COUNT,
    "num_stacks": COUNT,
    "num_steps": COUNT,
    "duration_seconds": NUMBER,
    "processor_seconds": NUMBER,
    "mode": TEXT,
    "device": TEXT,
    "processor": TEXT,
    "num_cores": TEXT,  # of several machines, all of theirs
    "python": TEXT,
    "versions": TEXT,
    "commit": TEXT,
    "trained_on": TEXT,
}
# Every claim with a second set of seeds, each set judged alone: both verdicts, and what the second set found.
REPLICATION = {
    "claim": TEXT,
    "form": TEXT,
    "definition": TEXT,
    "first": TEXT,
    "second": TEXT,
    "agree": FLAG,
    "effect": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "num_seeds": NUMBER,
    "sample": TEXT,
}
VERDICTS = {
    "claim": TEXT,
    "form": TEXT,
    "term": TEXT,
    "experiment": TEXT,
    "statement": TEXT,
    "source": TEXT,
    "verdict": TEXT,  # supported, conditional, refuted or inconclusive
    "effect": NUMBER,
    "low": NUMBER,  # of the interval that decides: at the level of the claim's place in its family
    "high": NUMBER,
    "low_alone": NUMBER,  # of the 95 % interval of this claim alone
    "high_alone": NUMBER,
    "unit": TEXT,
    "num_runs": COUNT,
    "num_seeds": NUMBER,  # independent units behind the interval; empty where nothing is random
    "num_undefined": NUMBER,  # of the runs: finished, but without a finite value of what is measured
    "num_diverged": NUMBER,  # of the runs
    "selected": TEXT,  # JSON: arm -> the settings chosen for it on validation data, path -> value
    "p_value": NUMBER,  # two-sided, of this claim alone
    "p_holm": NUMBER,  # after Holm's correction over its family
    "family": TEXT,  # primary: the statements under test; else a term: what others say of it
    "num_tests": NUMBER,  # the interval that decides has 1 - 5 % / num_tests
    "heterogeneity": NUMBER,  # p-value of a difference between two sets of seeds, where both are pooled
    "seeds_needed": NUMBER,  # to decide with 80 % power at this level, were effect and spread those observed
    "rule": TEXT,
    "rule_low": NUMBER,  # supported between these two
    "rule_high": NUMBER,
    "condition": TEXT,
    "because": TEXT,
    "note": TEXT,
    "definition": TEXT,  # of what is estimated, from which trainings: only equal ones are pooled
    "sample": TEXT,  # JSON: method and numbers per seed
}
OF_FAMILY = ("low_alone", "high_alone", "p_holm", "family", "num_tests", "heterogeneity", "seeds_needed")
CLAIMS = {name: kind for name, kind in VERDICTS.items() if name not in OF_FAMILY}  # of one experiment, each claim alone
# The power calculation of each claim that has a sample of seeds.
POWER = {
    "claim": TEXT,
    "form": TEXT,
    "experiment": TEXT,
    "family": TEXT,
    "rule": TEXT,
    "verdict": TEXT,
    "effect": NUMBER,
    "margin": NUMBER,  # from the effect to the nearest threshold, on logarithms where the estimate is on logarithms
    "spread": NUMBER,  # of one seed: the standard error times the root of their number, on the same scale
    "num_tests": NUMBER,  # of the family: the level is 5 % / num_tests
    "num_seeds": NUMBER,  # had
    "seeds_needed": NUMBER,  # for 80 % power at this margin and spread
    "full_seeds": NUMBER,  # planned at scale full
    "reason": TEXT,  # why fewer are planned than needed
}
# An arm against itself with other seeds.
NOISE_FLOOR = {
    "experiment": TEXT,
    "metric": TEXT,
    "difference": NUMBER,
    "low": NUMBER,
    "high": NUMBER,
    "num_runs": COUNT,
}
COMPARISONS = {
    "key": TEXT,
    "term": TEXT,
    "quantity": TEXT,
    "literature": NUMBER,
    "literature_low": NUMBER,
    "literature_high": NUMBER,
    "source": TEXT,
    "certainty": TEXT,
    "measured": NUMBER,
    "measured_low": NUMBER,
    "measured_high": NUMBER,
    "unit": TEXT,
    "agreement": TEXT,
    "difference_because": TEXT,
}
# What `make bench` found. Seconds per run and step are medians over rounds, with the least and the most; times_ours is the
# median ratio to ours in the same round. basis: "measured", or "extrapolated" from measured_runs. total_seconds: all num_runs
# runs of num_steps steps, start included. share_of_floor: floor_seconds, the operations of a step over product_rate (measured
# operations a second of a large product), over the seconds. loss_difference, distance_difference: how far runs ended from ours.
SPEED = {
    "workload": TEXT,
    "contender": TEXT,
    "num_threads": COUNT,
    "num_runs": COUNT,
    "num_steps": COUNT,
    "basis": TEXT,
    "measured_runs": COUNT,
    "measured_steps": COUNT,
    "rounds": COUNT,
    "seconds_per_run_step": NUMBER,
    "least": NUMBER,
    "most": NUMBER,
    "times_ours": NUMBER,
    "start_seconds": NUMBER,
    "total_seconds": NUMBER,
    "floor_seconds": NUMBER,
    "share_of_floor": NUMBER,
    "product_rate": NUMBER,
    "peak_memory_bytes": NUMBER,
    "loss_difference": NUMBER,
    "distance_difference": NUMBER,
    "valid": FLAG,
    "device": TEXT,
    "processor": TEXT,
    "num_cores": COUNT,
    "commit": TEXT,
    "measured_on": TEXT,
}
TABLES: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {  # kind -> columns, and those that make a row unique
    "experiments": (EXPERIMENTS, ("experiment",)),
    "runs": (RUNS, ("run_id",)),
    "timing": (TIMING, ("stack",)),
    "summary": (SUMMARY, ()),
    "claims": (CLAIMS, ("claim", "form")),
    "verdicts": (VERDICTS, ("claim", "form")),
    "power": (POWER, ("claim", "form")),
    "noise_floor": (NOISE_FLOOR, ("experiment",)),
    "comparisons": (COMPARISONS, ("key",)),
    "provenance": (PROVENANCE, ("experiment",)),
    "replication": (REPLICATION, ("claim", "form")),
    "speed": (SPEED, ("workload", "contender", "num_threads", "num_runs")),
}


def write_csv(table: pd.DataFrame, path: Path, *, kind: str) -> None:
    """Write a table of a known kind; ValueError when it breaks its contract."""
    check(table, kind=kind, where=str(path))
    columns = [
        _spelled(table[name], _kind_of(name, kind), where=f"column {name!r} of {str(path)!r}") for name in table.columns
    ]
    rows = [list(table.columns), *zip(*columns, strict=True)]
    write(path, "".join(",".join(map(_quoted, row)) + "\n" for row in rows))


def read_csv(path: Path, *, kind: str) -> pd.DataFrame:
    """Return a table of a known kind, checked, each column of its declared type whatever its cells look like."""
    names, *rows = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    table = pd.DataFrame(rows, columns=names, dtype=object)
    check(table, kind=kind, where=str(path))
    types = {name: _kind_of(name, kind) for name in names}
    return table.assign(
        **{name: _parsed(table[name], types[name], where=f"column {name!r} of {str(path)!r}") for name in names}
    )


def _quoted(cell: str) -> str:
    """Return a cell with quotation marks where it needs them; Python's own writer leaves a carriage return bare."""
    return f'"{cell.replace(QUOTE, QUOTE + QUOTE)}"' if any(mark in cell for mark in ',"\r\n') else cell


def _kind_of(name: str, kind: str) -> str:
    return COORDINATE if kind == "runs" and name.startswith(SWEEP) else TABLES[kind][0][name]


def _spelled(values: pd.Series, kind: str, *, where: str) -> list[str]:
    """Return the cells of a column as they are written."""
    spell = {TEXT: _spell_text, NUMBER: _spell_number, COUNT: _spell_count, FLAG: _spell_flag}.get(
        kind, _spell_coordinate
    )
    cells = []
    for value in values.tolist():
        try:
            cells.append(spell(value))
        except (TypeError, ValueError):
            require(False, what=where, must=f"every value must be a {kind}", got=value)
    return cells


def _spell_text(value: Any) -> str:
    if _is_nothing(value):
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise TypeError
    return value


def _spell_number(value: Any) -> str:
    if isinstance(value, str):
        raise TypeError
    return "" if _is_nothing(value) else repr(float(value))


def _spell_count(value: Any) -> str:
    if isinstance(value, str) or _is_nothing(value) or int(value) != value:
        raise TypeError
    return str(int(value))


def _spell_flag(value: Any) -> str:
    if value not in (True, False):
        raise TypeError
    return str(bool(value))


def _spell_coordinate(value: Any) -> str:
    if not isinstance(value, str):
        return _spell_number(value)
    return json.dumps(value) if value == "" or value[0] == '"' or _is_number(value) else _spell_text(value)


def _is_nothing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parsed(values: pd.Series, kind: str, *, where: str) -> pd.Series:
    """Return a column in its declared type; ValueError naming a cell that does not have it."""
    cells: list[str] = values.tolist()
    if kind == TEXT:
        return pd.Series(cells, index=values.index, dtype=object)
    parse = {NUMBER: _number, COUNT: int, FLAG: {"True": True, "False": False}.__getitem__, COORDINATE: _coordinate}[
        kind
    ]
    parsed = []
    for cell in cells:
        try:
            parsed.append(parse(cell))
        except (KeyError, ValueError):
            require(False, what=where, must=f"every cell must be a {kind}", got=cell, do="make the table again")
    if kind == COORDINATE:
        kind = TEXT if any(isinstance(value, str) for value in parsed) else NUMBER
    types = {TEXT: "object", NUMBER: "float64", COUNT: "int64", FLAG: "bool"}
    return pd.Series(parsed, index=values.index, dtype=types[kind])


def _number(cell: str) -> float:
    return float(cell) if cell else math.nan


def _coordinate(cell: str) -> float | str:
    if cell[:1] == '"':
        return str(json.loads(cell))
    return float(cell or "nan") if cell == "" or _is_number(cell) else cell


def check(table: pd.DataFrame, *, kind: str, where: str) -> None:
    columns, key = TABLES[kind]
    found = tuple(column for column in table.columns if not (kind == "runs" and str(column).startswith(SWEEP)))
    require(
        found == tuple(columns), what=f"{kind} table {where!r}", must=f"columns must be {tuple(columns)}", got=found
    )
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
    metadata = {"stack": json.dumps(stack, sort_keys=True), "sha256": UNSTAMPED}
    sink = pa.BufferOutputStream()
    pq.write_table(arrow.replace_schema_metadata(metadata), sink, compression="zstd", write_page_checksum=True)
    write(path, stamped(sink.getvalue().to_pybytes()), beside=False)


def read_metrics(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return (metrics, stack record) of one metrics file; ValueError when it is damaged or measures anything twice."""
    arrow = pq.read_table(pa.BufferReader(read_stamped(path)))
    stack = json.loads(arrow.schema.metadata[b"stack"])
    table = arrow.replace_schema_metadata(None).to_pandas()
    repeated = table.duplicated(["run_id", "step", "metric", "index"])
    require(
        not repeated.any(),
        what=f"metrics {str(path)!r}",
        must="run, step, metric and index must be unique",
        got=f"{int(repeated.sum())} repeated rows, such as {table[repeated].iloc[:1].to_dict('records')}",
        do="delete the file and run `make report` again, which trains the stack again",
    )
    return table, stack


def read_stack_record(path: Path) -> dict[str, Any]:
    """Return the stack record of a metrics file (runs' status, duration, provenance) without reading its metrics."""
    return json.loads(pq.read_schema(pa.BufferReader(read_stamped(path))).metadata[b"stack"])


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
