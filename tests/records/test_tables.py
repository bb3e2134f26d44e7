"""Tables keep what is written in them: each column has one type, whatever its cells look like."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seven_terms.records.atomic import seal
from seven_terms.records.tables import COORDINATE, COUNT, FLAG, NUMBER, RUNS, TABLES, TEXT, read_csv, write_csv

NASTY = (
    "None",
    "nan",
    "NaN",
    "null",
    "NA",
    "N/A",
    "1",
    "007",
    "true",
    "False",
    "1e5",
    "inf",
    "-inf",
    "",
    " ",
    " a ",
    "#",
    '"',
)
NASTY += (
    "a,b",
    'say "so"',
    "two\nlines",
    "two\r\nlines",
    "\r",
    "tab\t",
    "1,000",
    "ï",
    "\N{GREEK SMALL LETTER ETA}",
    "_x",
    "-",
)
texts = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
floats = st.floats(allow_nan=True, allow_infinity=True)
CELLS = {
    TEXT: texts,
    NUMBER: floats,
    COUNT: st.integers(0, 2**62),
    FLAG: st.booleans(),
    COORDINATE: st.one_of(texts, floats),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, pd.DataFrame]:
    kind = draw(st.sampled_from(sorted(TABLES)))
    columns, key = TABLES[kind]
    columns = {**columns, **({"sweep_rate": COORDINATE, "sweep_kind": COORDINATE} if kind == "runs" else {})}
    rows = [{name: draw(CELLS[what]) for name, what in columns.items()} for _ in range(draw(st.integers(1, 3)))]
    if key:
        rows = list({tuple(row[name] for name in key): row for row in rows}.values())
    return kind, pd.DataFrame(rows, columns=list(columns), dtype=object)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=60
)
@given(tables())
def test_every_cell_of_every_table_is_read_as_it_was_written(tmp_path: Path, made: tuple[str, pd.DataFrame]) -> None:
    kind, table = made
    write_csv(table, tmp_path / "table.csv", kind=kind)
    found = read_csv(tmp_path / "table.csv", kind=kind)
    assert list(found.columns) == list(table.columns)
    for name in table:
        for written, read in zip(table[name], found[name], strict=True):
            assert read == written or (math.isnan(written) and math.isnan(read)), name
            assert isinstance(read, str) == isinstance(written, str), name


@pytest.mark.parametrize("name", NASTY)
def test_an_arm_keeps_its_name(tmp_path: Path, name: str) -> None:
    cells = {column: {TEXT: "x", COUNT: 1}.get(kind, math.nan) for column, kind in RUNS.items()}
    write_csv(pd.DataFrame([cells | {"arm": name, "sweep_kind": name}]), tmp_path / "runs.csv", kind="runs")
    (row,) = read_csv(tmp_path / "runs.csv", kind="runs").to_dict("records")
    assert (row["arm"], row["sweep_kind"]) == (name, name)


def test_columns_have_the_types_of_numpy_that_they_declare(tmp_path: Path) -> None:
    cells = {TEXT: "1", NUMBER: 1, COUNT: 1, FLAG: True, COORDINATE: 1}
    for kind, (columns, _) in TABLES.items():
        row = {name: cells[what] for name, what in columns.items()}
        write_csv(pd.DataFrame([row]), tmp_path / "table.csv", kind=kind)
        found = read_csv(tmp_path / "table.csv", kind=kind).dtypes
        types = {TEXT: object, NUMBER: np.float64, COUNT: np.int64, FLAG: np.bool_, COORDINATE: np.float64}
        assert {name: found[name] for name in columns} == {name: types[what] for name, what in columns.items()}


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("claim", 7, r"column 'claim' of '.*t\.csv': every value must be a text, got 7\.$"),
        ("claim", "a\0", r"column 'claim' of '.*t\.csv': every value must be a text, got 'a\\x00'\.$"),
        ("effect", "0.1", r"column 'effect' of '.*t\.csv': every value must be a number, got '0\.1'\.$"),
        ("num_runs", 1.5, r"column 'num_runs' of '.*t\.csv': every value must be a count, got 1\.5\.$"),
        ("num_runs", None, r"column 'num_runs' of '.*t\.csv': every value must be a count, got None\.$"),
    ],
)
def test_what_is_not_of_the_declared_type_is_not_written(
    tmp_path: Path, column: str, value: object, sentence: str
) -> None:
    row = {name: {TEXT: "", COUNT: 0}.get(kind, 0.5) for name, kind in TABLES["claims"][0].items()} | {column: value}
    with pytest.raises(ValueError, match=sentence):
        write_csv(pd.DataFrame([row]), tmp_path / "t.csv", kind="claims")
    assert not list(tmp_path.iterdir())


def test_a_cell_that_was_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "experiments.csv"
    path.write_text("experiment,scales,planned\nx,smoke,Flase\n")
    seal(path)
    with pytest.raises(
        ValueError, match=r"column 'planned' .*: every cell must be a flag, got 'Flase'; make the table again"
    ):
        read_csv(path, kind="experiments")
