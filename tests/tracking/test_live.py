"""A stack that trains is shown as one run, and nothing that happens to that run reaches the training."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from seven_terms.records.runs import Stack
from seven_terms.tracking.live import LiveRun, line_of
from seven_terms.tracking.mode import is_live
from seven_terms.training.looks import Looks, quantiles
from seven_terms.training.train_stack import fit

from ..training.stacks import MLP, make_run
from .stand_in import KEY, stand_in
from .test_mirror import WANDB

LOOK = {"experiment": "a/b", "stack": "c" * 16, "step": 5, "num_runs": 3, "num_steps": 10, "progress": 0.5,
        "share_diverged": 0.0, "run_steps_per_second": 12000.0, "memory_bytes": 5e8, "learning_rate/min": 0.1,
        "learning_rate/max": 0.2, "batch_loss/p10": 0.1, "batch_loss/p50": 0.2, "batch_loss/p90": 0.3}  # fmt: skip
SECRET = "5ec2e7" + "ab" * 17  # no key of anybody's


def shell(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program


def run_of(folder: Path, **options) -> LiveRun:
    return LiveRun(folder, experiment="a/b", stack="c" * 16, **options)


def stack() -> Stack:
    return Stack(experiment="test/one", runs=(make_run(MLP), make_run(MLP, seed=1)))


def test_a_stack_tells_of_itself_while_it_trains():
    looks = []
    fit(stack(), callbacks=[Looks(looks.append, after_seconds=0, seconds=0)])
    assert looks
    last = looks[-1]
    assert last["step"] == last["num_steps"] == MLP.num_steps
    assert (last["num_runs"], last["progress"], last["share_diverged"]) == (2, 1.0, 0.0)
    assert last["batch_loss/p10"] <= last["batch_loss/p50"] <= last["batch_loss/p90"]
    assert last["run_steps_per_second"] > 0 < last["memory_bytes"]
    assert last["learning_rate/min"] <= last["learning_rate/max"]


def test_a_stack_that_is_soon_done_tells_nothing():
    fit(stack(), callbacks=[Looks(pytest.fail, after_seconds=3600)])


def test_an_exception_of_whoever_is_told_ends_the_looks_and_changes_no_number(capsys):
    told = []

    def tell(look):
        told.append(look)
        raise RuntimeError("no more")

    table = fit(stack(), callbacks=[Looks(tell, after_seconds=0, seconds=0)]).recorder.table()
    assert table.equals(fit(stack()).recorder.table())
    assert len(told) == 1
    assert capsys.readouterr().err == (
        "seven-terms: the live view ended, the training goes on: RuntimeError: no more\n"
    )


def test_quantiles_leave_out_what_diverged():
    assert quantiles("loss", np.array([1.0, np.nan, 3.0, np.inf]))["loss/p50"] == 2.0
    assert quantiles("loss", np.array([np.nan])) == {}


def test_a_look_is_a_line():
    assert line_of(LOOK) == (
        "a/b cccccccc: 50%, step 5 of 10, batch loss 0.2 (0.1 to 0.3 in the middle 80 % of 3 runs), 0% diverged, "
        "12,000 run-steps/s, 500 MB, learning rate 0.1 to 0.2"
    )


def test_a_logger_that_breaks_is_one_sentence_without_the_key(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    live = run_of(tmp_path, command=shell("import os; raise SystemExit('no: ' + os.environ['WANDB_API_KEY'])"))
    live.tell(LOOK)
    assert live.process is not None
    live.process.wait()
    for _ in range(3):
        live.tell(LOOK)
    live.close()
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.err.startswith("seven-terms: the live W&B run ended, the training is as it was: BrokenPipeError")
    assert "(no: (the key))" in said.err
    assert said.out.count("a/b cccccccc: 50%") == 4


def test_a_logger_that_hangs_is_stopped_after_a_bounded_time(tmp_path, capsys):
    live = run_of(tmp_path, command=shell("import time; time.sleep(3600)"), close_seconds=0.2)
    for _ in range(1000):  # more than a pipe holds: nobody waits for the one who does not read
        live.tell(LOOK)
    assert live.is_ended
    live.close()
    assert "it reads nothing" in capsys.readouterr().err
    live = run_of(tmp_path, command=shell("import time; time.sleep(3600)"), close_seconds=0.2)
    live.tell(LOOK)
    before = time.monotonic()
    live.close()
    assert time.monotonic() - before < 60
    assert live.process is not None
    assert live.process.poll() is not None
    assert "it did not finish in 0.2 s" in capsys.readouterr().err


def test_w_and_b_reads_the_run_back(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    monkeypatch.setenv("WANDB_MODE", "offline")
    live = run_of(tmp_path / "live", close_seconds=240)
    live.tell(LOOK)
    live.tell(LOOK | {"step": 10, "progress": 1.0})
    live.close()
    assert capsys.readouterr().err == ""
    [log] = (tmp_path / "live").rglob("*.wandb")
    command = [WANDB, "leet", "inspect", "--summary", "--json", log.parent]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=240)
    run = json.loads(done.stdout)
    assert run["name"] == "a/b/live-cccccccc"
    assert run["summary"]["progress"] == 1.0
    assert run["summary"]["batch_loss/p50"] == 0.2
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_live_run_arrives_while_it_is_online(tmp_path, monkeypatch, capsys):
    with stand_in() as server:
        monkeypatch.setenv("WANDB_MODE", "online")
        monkeypatch.setenv("WANDB_BASE_URL", server.url)
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        live = run_of(tmp_path / "live", close_seconds=240)
        live.tell(LOOK)
        live.tell(LOOK | {"step": 10, "progress": 1.0})
        live.close()
        assert capsys.readouterr().err == ""
        name = "live-" + "c" * 16
        assert server.runs[name]["displayName"] == "a/b/live-cccccccc"
        assert [(line["trainer/step"], line["progress"]) for line in server.history[name]] == [(5, 0.5), (10, 1)]
        assert server.finished == {name: 0}
        assert server.unknown == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_a_live_run_is_asked_for_by_its_variable_or_by_being_online():
    assert not is_live({})
    assert is_live({"WANDB_LIVE": "1"})
    assert is_live({"WANDB_MODE": "online"})
    assert not is_live({"WANDB_MODE": "online", "WANDB_LIVE": "0"})
    assert not is_live({"WANDB_MODE": "disabled", "WANDB_LIVE": "1"})
    with pytest.raises(ValueError, match=r"^WANDB_LIVE: "):
        is_live({"WANDB_LIVE": "yes"})
