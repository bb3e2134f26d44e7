"""Time left and time spent, from files alone."""

import json
import os
import time

import pytest

from seven_terms.records.jobs import IDLE, Job, duration
from seven_terms.running.progress import training_line, wall_time, wall_time_line


def write_benchmark(results_dir, name: str, *, seconds: float, stop: float):
    path = results_dir / "benchmarks" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"s": seconds}) + "\n")
    os.utime(path, (stop, stop))


@pytest.fixture
def results_dir(tmp_path):
    (tmp_path / "plan").mkdir()
    rows = ["experiment,stack,num_runs,num_steps,flops,expected_seconds"]
    rows += [f"batch_norm/mnist,{stack},4,10,1e9,10" for stack in ("a", "b", "c")] + ["lr_decay/floor,d,4,10,1e9,20"]
    (tmp_path / "plan" / "stacks.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def finish(results_dir, experiment: str, stack: str):
    path = results_dir / "metrics" / experiment / f"{stack}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"metrics")


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


def test_the_first_stack_is_counted_without_a_guess(results_dir):
    line = training_line(results_dir, stack="b")
    assert line == "trained batch_norm/mnist: stack 1 of 3, 1 of 4 stacks in all"


def test_the_time_left_follows_from_the_speed_of_the_last_stacks(results_dir):
    finish(results_dir, "batch_norm/mnist", "a")
    # 10 expected seconds took 100 of the wall; 40 expected are missing but for the 10 of the stack just done.
    write_benchmark(results_dir, "train/batch_norm/mnist/a", seconds=100.0, stop=time.time())
    line = training_line(results_dir, stack="b")
    assert line == "trained batch_norm/mnist: stack 2 of 3, 2 of 4 stacks in all, about 5 min left"


def test_stacks_of_yesterday_say_nothing_about_the_speed_of_today(results_dir):
    finish(results_dir, "batch_norm/mnist", "a")
    write_benchmark(results_dir, "train/batch_norm/mnist/a", seconds=100.0, stop=time.time() - 86_400)
    assert "left" not in training_line(results_dir, stack="b")


def test_metrics_of_an_earlier_plan_are_not_counted(results_dir):
    finish(results_dir, "batch_norm/mnist", "stale")
    assert "1 of 4 stacks in all" in training_line(results_dir, stack="d")


@pytest.mark.parametrize(
    ("seconds", "words"), [(41.2, "41 s"), (89, "89 s"), (700, "12 min"), (11_100, "3 h 05 min"), (9e6, "2,500 h")]
)
def test_durations_are_said_in_words(seconds, words):
    assert duration(seconds) == words
