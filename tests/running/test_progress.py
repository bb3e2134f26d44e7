"""Time left and time spent, from files alone."""

import json
import os
import subprocess
import sys

import pytest

from seven_terms.records.jobs import IDLE, Job, duration
from seven_terms.running import progress
from seven_terms.running.progress import (
    say_done,
    say_trained,
    start_progress,
    wall_time,
    wall_time_line,
)


def write_benchmark(results_dir, name: str, *, seconds: float, stop: float):
    path = results_dir / "benchmarks" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"s": seconds}) + "\n")
    os.utime(path, (stop, stop))


STAGES = {"train": {"batch_norm/mnist": (0, 3), "lr_decay/floor": (0, 1)}}


@pytest.fixture
def results_dir(tmp_path):
    start_progress(tmp_path, STAGES, expected_seconds=50.0)
    return tmp_path


def trained(results_dir, experiment="batch_norm/mnist", *, expected=10.0, seconds=0.0):
    say_trained(results_dir, experiment=experiment, expected_seconds=expected, seconds=seconds)


def test_jobs_side_by_side_share_the_wall_time():
    jobs = [Job(rule="train", name="a", start=0.0, stop=10.0), Job(rule="figure", name="b", start=5.0, stop=15.0)]
    shares = wall_time(jobs, since=0.0, until=20.0)
    assert shares["training"] == 7.5
    assert shares["figures"] == 7.5
    assert shares[IDLE] == 5.0


def test_wall_time_counts_only_what_ran_since_the_start():
    jobs = [Job(rule="train", name="old", start=-50.0, stop=-10.0), Job(rule="train", name="cut", start=-5.0, stop=5.0)]
    assert wall_time(jobs, since=0.0, until=10.0)["training"] == 5.0


def test_the_shares_of_the_wall_time_line_come_from_benchmark_files(tmp_path):
    write_benchmark(tmp_path, "train/batch_norm/mnist/a", seconds=60.0, stop=1060.0)
    write_benchmark(tmp_path, "pdf", seconds=20.0, stop=1080.0)
    line = wall_time_line(tmp_path, since=1000.0, until=1080.0)
    assert line == "wall time 1 min 20 s: training 75%, LaTeX 25%"


def test_the_first_stack_is_counted_without_a_guess(results_dir, capsys):
    trained(results_dir)
    assert capsys.readouterr().out == "trained batch_norm/mnist: stack 1 of 3, 1 of 4 stacks in all\n"


def test_the_time_left_follows_from_the_speed_of_the_last_stacks(results_dir, capsys):
    trained(results_dir, seconds=200.0)
    trained(results_dir, seconds=100.0)
    # 20 expected seconds took 200 of the wall; 30 expected are missing.
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "trained batch_norm/mnist: stack 2 of 3, 2 of 4 stacks in all, about 5 min left"


def test_stacks_that_were_there_before_are_counted(tmp_path, capsys):
    start_progress(tmp_path, {"train": {"batch_norm/mnist": (2, 3), "lr_decay/floor": (1, 1)}}, expected_seconds=10.0)
    trained(tmp_path)
    assert capsys.readouterr().out == "trained batch_norm/mnist: stack 3 of 3, 4 of 4 stacks in all\n"


def test_a_second_start_forgets_the_counts_of_the_first(results_dir, capsys):
    trained(results_dir)
    start_progress(results_dir, STAGES, expected_seconds=50.0)
    trained(results_dir)
    assert capsys.readouterr().out.count("1 of 4 stacks in all") == 2


@pytest.mark.parametrize("harm", ["unplanned", "no start", "garbage"])
def test_a_line_that_cannot_be_counted_fails_no_training(harm, results_dir, capsys):
    start = results_dir / "progress" / "start.json"
    if harm != "unplanned":
        start.unlink() if harm == "no start" else start.write_bytes(b"\0\xff")
    trained(results_dir, "gradient_clipping/other")
    assert capsys.readouterr().out.startswith("trained gradient_clipping/other (not counted: ")


def test_a_line_reads_no_more_at_the_five_thousandth_stack_than_at_the_twentieth(tmp_path, monkeypatch):
    start_progress(tmp_path, {"train": {"batch_norm/mnist": (0, 6000)}}, expected_seconds=6000.0)
    read, opened = [], []
    last = progress._last
    monkeypatch.setattr(progress, "_last", lambda file: read.append(last(file)) or read[-1])
    monkeypatch.setattr(progress, "finished_jobs", lambda *_: opened.append(1))
    trained(tmp_path)
    for stage in ("all", "batch_norm/mnist"):
        path = tmp_path / "progress" / "train" / stage
        path.write_bytes(path.read_bytes() * 5000)
    trained(tmp_path)
    assert len(read[-1]) == progress.NUM_RECENT
    assert not opened


def test_a_line_is_written_in_one_piece_even_where_python_buffers_nothing(tmp_path):
    """Two jobs share one terminal: with PYTHONUNBUFFERED print() writes the end of a line apart."""
    code = """
import os, sys
from seven_terms.running.progress import say
pieces = []
class Watched:
    def write(self, text): pieces.append(text)
    def flush(self): pass
sys.stdout = Watched()
say("trained batch_norm/parts")
sys.__stdout__.write(repr(pieces))
"""
    done = subprocess.run([sys.executable, "-u", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == repr(["trained batch_norm/parts\n"])


def test_other_stages_say_what_is_done_and_of_how_many(tmp_path, capsys):
    start_progress(tmp_path, {"summarize": {"batch_norm/mnist": (0, 1), "lr_decay/floor": (1, 1)}})
    say_done(tmp_path, "summarize", "summarized batch_norm/mnist", experiment="batch_norm/mnist")
    say_done(None, "summarize", "nothing", experiment="batch_norm/mnist")
    assert capsys.readouterr().out == "summarized batch_norm/mnist, 2 of 2\n"


@pytest.mark.parametrize("torn", [b"", b'{"s": 1', b"\0\0\0\0", b'{"other": 1}\n', b"[1]\n"])
def test_torn_benchmark_files_are_passed_over(torn, tmp_path):
    write_benchmark(tmp_path, "pdf", seconds=20.0, stop=1080.0)
    (tmp_path / "benchmarks" / "tex.jsonl").write_bytes(torn)
    assert "LaTeX 25%" in wall_time_line(tmp_path, since=1000.0, until=1080.0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(41.2, "41 s"), (89, "89 s"), (700, "12 min"), (11_100, "3 h 05 min"), (9e6, "2,500 h")]
)
def test_durations_are_said_in_words(seconds, words):
    assert duration(seconds) == words
