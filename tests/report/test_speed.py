"""The appendix on speed appears with a table of the benchmark, names its hardware, and tells what was scaled up."""

from pathlib import Path

import pytest

from seven_terms.records.atomic import seal
from seven_terms.records.jobs import speed_tables
from seven_terms.records.tables import read_csv, write_csv
from seven_terms.report.inputs import read_inputs
from seven_terms.report.speed import speed_section

from ..figures.synthetic import speed_table
from .fabricate import fabricate


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("results") / "laptop")


def publish(results: Path, name: str, **changes: object) -> Path:
    path = results.parent / name
    write_csv(speed_table().assign(**changes), path, kind="speed")
    picture = results / "figures" / "speed" / f"{path.stem}.pdf"
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(b"%PDF-1.4 made up")
    return path


@pytest.fixture
def told(results):
    def section(**changes: object) -> str:
        path = publish(results, "bench/speed.csv", **changes)
        try:
            return speed_section(read_inputs(results), output_dir=results / "report")
        finally:
            path.unlink()

    return section


def test_without_a_table_there_is_no_section(results):
    assert speed_section(read_inputs(results), output_dir=results / "report") == ""


def test_the_section_names_hardware_date_commit_and_agreement(told):
    text = told()
    assert r"\section{Speed}" in text
    assert r"Measured on AMD EPYC, $2$ cores, on 2026-01-31, at commit \texttt{0123456789ab}." in text
    assert r"losses differ by at most $1\times10^{-6}$" in text
    assert r"\includegraphics{../figures/speed/speed.pdf}" in text
    assert "AMD EPYC, $2$ cores, NVIDIA H200" in told(device="NVIDIA H200")


def test_rows_are_those_of_the_largest_size_up_to_32_with_ratio_floor_and_memory(told):
    lines = told().splitlines()
    ours, *_ = (line for line in lines if line.startswith("ours, eager & $1$"))
    assert lines[lines.index(ours) - 1] == r"\emph{mlp} &  &  &  &  &  &  &  \\"
    assert ours == r"ours, eager & $1$ & $200$ & $180$--$240$ & $1.00$ & $50$\,\% & $4.5$ & $1.5$ \\"
    loop, *_ = (line for line in lines if "plain PyTorch loop & $1$" in line)
    assert loop == r"plain PyTorch loop & $1$ & $800$ & $720$--$960$ & $4.00$ & $12$\,\% & $4.5$ & -- \\"


def test_the_whole_grid_says_what_was_scaled_up(told):
    lines = told().splitlines()
    assert r"ours, eager & $48.0$ & $1.00$ & all runs \\" in lines
    assert r"plain PyTorch loop & $192$ & $4.00$ & $1$ runs, scaled up \\" in lines


def test_rows_that_are_not_valid_are_left_out_and_counted(told):
    valid = speed_table()["contender"] != "plain PyTorch loop"
    text = told(valid=valid)
    assert "plain PyTorch" not in text
    assert "Of $40$ rows $7$ are left out, because their runs did not." in text


def test_a_published_table_is_taken_before_one_measured_here(results, tmp_path):
    folder = tmp_path / "laptop"
    assert speed_tables(folder) == []
    for name in ("bench/speed.csv", "published/bench-b.csv", "published/bench-a.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in speed_tables(folder)] == ["bench-a.csv", "bench-b.csv"]
    for path in (tmp_path / "published").iterdir():
        path.unlink()
    assert [path.name for path in speed_tables(folder)] == ["speed.csv"]


def test_a_figure_that_is_not_drawn_stops_the_report(results):
    path = publish(results, "bench/speed.csv")
    (results / "figures/speed/speed.pdf").unlink()
    with pytest.raises(ValueError, match="it must be drawn before the report is written"):
        speed_section(read_inputs(results), output_dir=results / "report")
    path.unlink()


def test_a_row_that_is_there_twice_is_refused(tmp_path):
    table = speed_table()
    table.loc[1, ["workload", "contender", "num_threads", "num_runs"]] = ["mlp", "ours, eager", 1, 1]
    table.to_csv(tmp_path / "speed.csv", index=False)
    seal(tmp_path / "speed.csv")
    with pytest.raises(ValueError, match="workload, contender, num_threads, num_runs must be unique"):
        read_csv(tmp_path / "speed.csv", kind="speed")
