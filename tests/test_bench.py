"""The benchmark's contenders train the same runs, and one that does not is told apart. No time is measured here."""

import dataclasses
import importlib
import importlib.util
import math
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from bench.__main__ import options, status
from bench.contenders import CONTENDERS, FITS, OURS, PROCESSES, Contender
from bench.exchange import write_data
from bench.floor import flops_per_run_step
from bench.job import Job, Outcome
from bench.kinds import Differs, known, require_same, stands
from bench.kinds_told import markdown, summary
from bench.printed import bytes_per_run, printed
from bench.processes import ContenderFailed, Finished, Process
from bench.rounds import Entry, chunk_steps, measure
from bench.rows import DISTANCE_TOLERANCE, differences, rows_of
from bench.ways import Timed
from bench.workloads import WORKLOADS

TORCH = [one for one in CONTENDERS if one.module != "jax_stack" and one.mode != "compiled"]  # compiling takes a while
JAX = importlib.util.find_spec("jax") is not None
LOSSES = ([1.0, 2.0], [1.001, 2.0], [1.1, 2.0], [math.nan, 2.0])


def job_of(workload: str, **changes: object) -> Job:
    return Job(**{"workload": workload, "num_runs": 2, "first": 0, "stop": 2, "num_steps": 6, "chunk": 3, **changes})


def run(contender: Contender, job: Job) -> tuple[Outcome, int]:
    """Return where the runs arrived, and how often the contender paused."""
    pauses = []
    module = importlib.import_module(f"bench.{contender.module}")
    return module.run(job, lambda: pauses.append(1), contender.mode), len(pauses)


def finished(outcome: Outcome, *, rounds: tuple[float, ...] = (1.0,), first: float = 1.0, peak: int = 0) -> Finished:
    places = {"losses": outcome.losses, "distances": outcome.distances}
    return Finished(first_seconds=first, rounds=list(rounds), peak_bytes=peak, **places)


def named(name: str) -> Contender:
    return next(one for one in CONTENDERS if one.name == name)


@pytest.mark.parametrize("workload", ["mlp", "mlp_batch_norm", "rnn_30", "cnn"])
def test_contenders_end_where_ours_does(workload):
    job = job_of(workload)
    ours, _ = run(named(OURS), job)
    for contender in TORCH:
        outcome, pauses = run(contender, job)
        compared = differences(finished(outcome), finished(ours), first=0)
        assert pauses == (2 if contender.stacked else 4)
        assert compared["loss_difference"] < 1e-5, contender
        assert compared["distance_difference"] < 1e-5, contender


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Iterator[object]:
    with (tmp_path_factory.mktemp("bench") / "log").open("wb") as file:
        yield file


@pytest.fixture(scope="module")
def jax_process(log) -> Iterator[Process]:
    """A process of its own: forks, which other tests make, and JAX do not mix."""
    process = Process("jax_stack", cores=[0], log=log)
    process.wait_until_ready()
    yield process
    process.close()


def run_jax(process: Process, job: Job, mode: str) -> Finished:
    process.mode = mode
    process.begin(job)
    process.go_on()
    return process.finish()


@pytest.mark.skipif(not JAX, reason="JAX is installed by `make bench` only")
@pytest.mark.parametrize(("workload", "mode"), [("mlp_batch_norm", "vmap"), ("rnn_30", "vmap"), ("cnn", "map")])
def test_jax_ends_where_ours_does(workload, mode, tmp_path, jax_process):
    job = job_of(workload, data_path=str(tmp_path / "data.npz"))
    write_data(job)
    ours = finished(run(named(OURS), job)[0])
    compared = differences(run_jax(jax_process, job, mode), ours, first=0)
    assert compared["loss_difference"] < 1e-5
    assert compared["distance_difference"] < 1e-5


@pytest.mark.skipif(not JAX, reason="JAX is installed by `make bench` only")
def test_batches_in_another_order_are_noticed(tmp_path, jax_process):
    job = job_of("mlp", data_path=str(tmp_path / "data.npz"))
    write_data(dataclasses.replace(job, num_steps=job.num_steps + 1))
    _shift_batches(tmp_path / "data.npz")
    ours = finished(run(named(OURS), job)[0])
    compared = differences(run_jax(jax_process, job, "vmap"), ours, first=0)
    assert not compared["valid"]
    assert compared["distance_difference"] > 5 * DISTANCE_TOLERANCE


def _shift_batches(path) -> None:
    """Leave the first batch out, so that every step sees the next one's."""
    with np.load(path) as file:
        data = dict(file)
    moved = {name for name in data if name == "order" or name.startswith("stream/")}
    np.savez(path, **{name: value[1:] if name in moved else value for name, value in data.items()})


@pytest.mark.skipif(not JAX, reason="JAX is installed by `make bench` only")
def test_jax_trains_every_kind_of_program_as_ours_does(project):
    command = [sys.executable, "-m", "bench.jax_check", "--scales", "smoke", "--few"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[-1].split()[0]) > 10


def test_a_process_answers_jobs_one_after_the_other_and_says_what_failed(log):
    process = Process("plain_loop", cores=[0], log=log)
    try:
        assert process.wait_until_ready() > 0
        with pytest.raises(ContenderFailed, match="KeyError: 'no_such_workload'"):
            process.begin(job_of("no_such_workload"))
        process.begin(job_of("mlp", stop=1))
        process.go_on()
        found = process.finish()
    finally:
        process.close()
    assert len(found.rounds) == 1
    assert found.losses == run(named("plain PyTorch loop"), job_of("mlp", stop=1))[0].losses
    assert found.peak_bytes > 50e6  # PyTorch alone takes more


class Fake:
    """A process in name: remembers in which order it was asked, and fails when told to."""

    def __init__(self, name: str, asked: list[str], *, fails: bool = False) -> None:
        self.name, self.asked, self.fails, self.rounds = name, asked, fails, []

    def begin(self, job: Job) -> None:
        self.asked.append(self.name)
        if self.fails:
            raise ContenderFailed("out of memory")

    def go_on(self) -> None:
        self.asked.append(self.name)
        self.rounds.append(1.0)

    def finish(self) -> Finished:
        return finished(Outcome(losses=[0.0], distances=[1.0]), rounds=tuple(self.rounds))


def test_contenders_take_turns_and_one_that_fails_is_named_and_left_out(capsys):
    asked: list[str] = []
    entries: list[Entry] = [(named(name), 1) for name in (OURS, "plain PyTorch loop", FITS)]
    processes = {entry: Fake(entry[0].module, asked, fails=entry[0].name == FITS) for entry in entries}
    found = measure(job_of("mlp", num_steps=9), processes)
    assert asked == ["stacked", "plain_loop", "lightning_fits", "stacked", "plain_loop", "plain_loop", "stacked"]
    assert list(found) == entries[:2]
    assert f"{FITS} on 1 threads, mlp, R = 2: out of memory" in capsys.readouterr().err


def session() -> list[dict]:
    """Return the rows of a session whose numbers are easy: 8 runs, chunks of 10 steps, 2000 steps for a whole run."""
    job = job_of("mlp", num_runs=8, stop=8, num_steps=30, chunk=10)
    all_runs = Outcome(losses=[0.5] * 8, distances=[2.0] * 8)
    found: dict[Entry, Finished] = {
        (named(OURS), 1): finished(all_runs, rounds=(0.8, 0.8), first=1.8, peak=1000),
        (named("plain PyTorch loop"), 1): finished(
            Outcome(losses=[0.5], distances=[2.0]), rounds=(0.2, 0.4), first=0.3
        ),
        (named(FITS), 1): finished(Outcome(losses=[0.7], distances=[2.0]), rounds=(0.5, 0.5), first=1.5),
    }
    starts = dict.fromkeys(found, 4.0)
    return rows_of(job, found, starts=starts, rates={1: flops_per_run_step(job.training) / 0.005})


def test_rows_tell_seconds_of_a_step_ratios_totals_and_what_was_measured():
    ours, loop, fits, processes = session()
    assert [row["basis"] for row in (ours, loop, fits, processes)] == ["measured", *["extrapolated"] * 3]
    assert ours["seconds_per_run_step"] == pytest.approx(0.01)
    assert ours["share_of_floor"] == pytest.approx(0.5)
    assert ours["start_seconds"] == pytest.approx(4 + 1.8 - 0.8)
    assert ours["total_seconds"] == pytest.approx(5 + 8 * 2000 * 0.01)
    assert (loop["seconds_per_run_step"], loop["least"], loop["most"]) == pytest.approx((0.03, 0.02, 0.04))
    assert loop["times_ours"] == pytest.approx(3)
    assert fits["total_seconds"] == pytest.approx(4 + 8 * (1 + 2000 * 0.05))
    assert processes["contender"] == PROCESSES
    assert processes["total_seconds"] == pytest.approx(8 * (4 + 1 + 2000 * 0.05))
    assert processes["times_ours"] == pytest.approx((0.05 + 5 / 2000) / 0.01)


def test_a_contender_that_ends_elsewhere_makes_the_exit_status_1(capsys):
    table = pd.DataFrame(session())
    assert table["valid"].tolist() == [True, True, False, False]
    chosen = options().parse_args(["--workloads", "mlp", "--sizes", "8", "--grid-rounds", "0"])
    assert status(table, chosen) == 1
    assert f"mlp, {FITS}, 1 threads, R = 8: it must end where ours does" in capsys.readouterr().err
    assert status(table[table["valid"]], chosen) == 0


def test_a_size_without_all_contenders_makes_the_exit_status_1():
    table = pd.DataFrame(session()).assign(valid=True)
    chosen = options().parse_args(["--workloads", "mlp", "--sizes", "8", "32", "--grid-rounds", "0"])
    assert status(pd.concat([table, table.assign(num_runs=32)]), chosen) == 0
    assert status(pd.concat([table, table[:3].assign(num_runs=32)]), chosen) == 1
    assert status(table, chosen) == 1


def test_a_whole_grid_that_was_asked_for_and_is_missing_makes_the_exit_status_1():
    table = pd.DataFrame(session()).assign(valid=True)
    chosen = options().parse_args(["--workloads", "mlp", "--sizes", "8"])
    assert status(table, chosen) == 1
    assert status(pd.concat([table, table.assign(workload="mlp_whole_grid")]), chosen) == 0


@pytest.mark.parametrize(("loss", "distance"), [(math.nan, 2.0), (0.52, 2.0), (0.5, 2.01)])
def test_nan_another_loss_and_another_distance_are_told_apart(loss, distance):
    ours = finished(Outcome(losses=[0.1, 0.5], distances=[1.0, 2.0]))
    same = finished(Outcome(losses=[0.5], distances=[2.0]))
    other = finished(Outcome(losses=[loss], distances=[distance]))
    assert differences(same, ours, first=1)["valid"]
    assert not differences(other, ours, first=1)["valid"]


def test_one_run_among_many_that_is_nan_is_told_apart():
    ours = finished(Outcome(losses=[0.1, 0.5], distances=[1.0, 2.0]))
    other = finished(Outcome(losses=[0.1, math.nan], distances=[1.0, 2.0]))
    assert not differences(other, ours, first=0)["valid"]


def test_the_floor_counts_each_product_thrice_but_for_the_gradient_of_the_inputs():
    mlp = 49 * 100 + 2 * 100 * 100 + 100 * 10
    assert flops_per_run_step(WORKLOADS["mlp"]) == 2 * 60 * (3 * mlp - 49 * 100)
    recurrent = 30 * (6 * 50 + 50 * 50) + 50 * 4
    assert flops_per_run_step(WORKLOADS["rnn_30"]) == 2 * 20 * (3 * recurrent - 30 * 6 * 50)
    convolutional = 9 * (7 * 7 * 16 + 4 * 4 * 16 * 32 + 4 * 4 * 32 * 32) + 32 * 10
    assert flops_per_run_step(WORKLOADS["cnn"]) == 2 * 20 * (3 * convolutional - 9 * 7 * 7 * 16)


def test_chunks_get_shorter_with_the_stack_and_never_cut_a_step_of_lightning():
    steps = [chunk_steps(WORKLOADS["mlp"], size, seconds=0.4) for size in (1, 8, 32, 128, 512, 10_000)]
    assert steps == sorted(steps, reverse=True)
    assert all(number < 50 or number % 50 == 0 for number in steps)
    assert (steps[0], steps[-1]) == (200, 2)


def test_the_printed_table_marks_what_was_extrapolated_and_what_is_not_valid():
    table = pd.DataFrame(session())
    lines = printed(pd.concat([table, table.assign(num_runs=16, peak_memory_bytes=1000 + 8 * 2**20)])).splitlines()
    ours, loop, fits = lines[3:6]
    assert "10000 (1.00) 50%" in ours
    assert ours.endswith("1.00 MiB")
    assert "~30000 (3.00) 17%" in loop
    assert "!~50000 (5.00) 10%" in fits


def kinds_row(way: str, *, num_runs: int = 1, kind: str = "a", times: float = 1.0, reason: str = "") -> dict:
    timed = {"microseconds": 10 * times, "times_ours": times, "share_of_floor": 0.5 / times}
    return {"kind": kind, "speed": "dense", "num_runs": num_runs, "mode": "native", "way": way, **timed} | {
        "reason": reason,
        "failed": bool(reason),
    }


def test_the_summary_of_kinds_counts_where_ours_is_faster_and_names_the_others():
    rows = [kinds_row("ours"), kinds_row("JAX vmap", times=1.5), kinds_row("JAX run by run", times=1.3)]
    rows += [kinds_row("ours", kind="b"), kinds_row("JAX vmap", times=0.9, kind="b")]
    rows += [kinds_row("JAX run by run", times=math.nan, kind="b", reason="Differs: loss 2 where ours is 1")]
    told = summary(pd.DataFrame(rows)).splitlines()
    assert "R = 1: at least 1.2 times as fast as the better form of JAX: 1 of 2 kinds, median 1.1" in told
    assert "    0.90 b" in told
    assert "R = 1: no time of JAX run by run, b: Differs: loss 2 where ours is 1" in told
    assert "dense, R = 1: 50% of the floor (median; 50% to 50%)" in told


def test_the_table_of_kinds_has_a_line_a_kind_and_a_multiple_a_size():
    rows = [kinds_row(way, num_runs=size, times=size) for size in (1, 32) for way in ("ours", "plain loop")]
    lines = markdown(pd.DataFrame(rows)).splitlines()
    assert lines[0] == "| kind | mode at R = 1, 32 | µs per run and update | share of the floor | plain loop |"
    assert lines[2] == "| a | native | 10.0, 320.0 | 50%, 2% | 1.0, 32 |"


def test_kinds_that_a_table_holds_are_not_measured_again(tmp_path):
    table = tmp_path / "kinds.csv"
    pd.DataFrame([kinds_row("ours"), kinds_row("JAX vmap", reason="none")]).to_csv(table, index=False)
    rows = known(table)
    assert rows[0]["reason"] == ""
    assert stands(rows, "a", 1, ["ours", "JAX vmap"])
    assert not stands(rows, "a", 1, ["ours", "plain loop"])
    assert not stands(rows, "a", 8, ["ours"])
    assert not stands(rows, "b", 1, ["ours"])


def test_a_way_whose_loss_is_not_ours_is_refused():
    ways = [Timed(go=lambda number: None, num_runs=2, losses=lambda losses=losses: losses) for losses in LOSSES]
    require_same(ways[0], ways[1], tolerance=1e-2)
    for other in ways[2:]:
        with pytest.raises(Differs, match="of update 3 where ours is 1"):
            require_same(other, ways[0], tolerance=1e-2)


def test_memory_a_run_is_the_slope_over_sizes():
    rows = pd.DataFrame({"num_runs": [1, 8, 32], "peak_memory_bytes": [105, 140, 260]})
    assert bytes_per_run(rows) == pytest.approx(5)
