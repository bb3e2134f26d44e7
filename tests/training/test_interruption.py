"""A job that is killed goes on, when the same command is given again, to the bits of one that was not."""

import dataclasses
import errno
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from seven_terms.cli.verbs import run
from seven_terms.planning import make_plan, write_plans
from seven_terms.planning.modes import Compiling, compiler
from seven_terms.records.runs import Stack
from seven_terms.records.tables import read_metrics
from seven_terms.spec import Adam, Arm, BatchNorm, Digits, Experiment, LayerUpdates, Mlp, Sgd, Sharpness, Steps, Stream
from seven_terms.training.train_stack import fit

from .stacks import BATCH_NORM, PROBES, make_run

NEEDS_COMPILER = pytest.mark.skipif(not compiler(), reason="no C++ compiler is installed")
# Everything that remembers: moments, running statistics, noise, windows of the stream, and probes.
EXPERIMENT = Experiment(
    name="killed",
    term="batch_norm",
    title="Killed",
    question="Does it go on?",
    method="It runs.",
    arms=(
        Arm(
            name="noisy",
            label="noisy",
            training=dataclasses.replace(
                BATCH_NORM,
                task=Digits(resolution=7, num_train=500),
                model=Mlp(depth=2, width=24, normalization=BatchNorm(noisy=True)),
                optimizer=Adam(),
                num_steps=800,
            ),
        ),
    ),
    num_seeds=4,  # fewer are never compiled
    probes=(
        *PROBES[1:],
        Stream(window=7),
        LayerUpdates(steps=Steps(count=30)),
        Sharpness(steps=Steps(count=30), num_iterations=3),
    ),
)


# The kernels have neither noise nor Adam, but running statistics and a velocity; long enough to be killed in the middle.
KNOWN = dataclasses.replace(
    EXPERIMENT.arms[0].training,
    model=Mlp(depth=2, width=24, normalization=BatchNorm()),
    optimizer=Sgd(learning_rate=0.01, momentum=0.9),
    num_steps=4000,
)
EXPERIMENTS = {
    "eager": EXPERIMENT,
    "compiled": EXPERIMENT,
    "native": dataclasses.replace(EXPERIMENT, arms=(dataclasses.replace(EXPERIMENT.arms[0], training=KNOWN),)),
}


COMPILING: dict[str, Compiling] = {"eager": "never", "compiled": "auto", "native": "auto"}


def train_arguments(folder: Path, *, mode: str = "eager") -> list[str]:
    plan = make_plan(EXPERIMENTS[mode], scale="smoke", compiling=COMPILING[mode])
    write_plans({"batch_norm/killed": plan}, folder)
    (stack,) = plan.stacks
    return ["train", "--plan", str(folder / "plan" / "batch_norm" / "killed.json"), "--stack", stack]


@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")  # torch's own, when it compiles
@pytest.mark.parametrize(
    "mode",
    [
        "eager",
        pytest.param("native", marks=NEEDS_COMPILER),
        pytest.param("compiled", marks=[pytest.mark.slow, NEEDS_COMPILER]),
    ],
)
def test_a_killed_job_goes_on_to_the_same_bits(mode, tmp_path, monkeypatch):
    monkeypatch.setattr("seven_terms.planning.cost.COMPILING_PAYS", 0.0)
    if mode == "compiled":
        monkeypatch.setattr("seven_terms.planning.modes.has_kernels", lambda training: False)
    arguments = train_arguments(tmp_path, mode=mode)
    assert (f'"mode": "{mode}"' in Path(arguments[2]).read_text(encoding="utf-8")) or mode == "eager"
    whole, output, state = tmp_path / "whole.parquet", tmp_path / "m.parquet", tmp_path / "state"
    assert run([*arguments, "--output", str(whole)]) == 0
    monkeypatch.setenv("SEVEN_TERMS_CHECKPOINT_SECONDS", "0")
    monkeypatch.setenv("SEVEN_TERMS_WARM", "0")
    arguments += ["--output", str(output), "--state", str(state)]
    job = subprocess.Popen([sys.executable, "-m", "seven_terms", *arguments])
    checkpoint = state / f"{arguments[4]}.ckpt"
    wait_for(checkpoint)
    job.send_signal(signal.SIGKILL)
    job.wait()
    assert not output.exists()
    assert checkpoint.exists()
    assert run(arguments) == 0
    assert read_metrics(output)[0].equals(read_metrics(whole)[0])
    assert list(state.iterdir()) == []


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 600
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_state_of_another_stack_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("SEVEN_TERMS_CHECKPOINT_SECONDS", "0")
    one, other = (Stack(experiment="test/one", runs=(make_run(BATCH_NORM, seed=seed),)) for seed in (0, 1))
    fit(other, state_dir=tmp_path)
    shutil.copyfile(tmp_path / f"{other.id}.ckpt", tmp_path / f"{one.id}.ckpt")
    alone, beside = fit(one), fit(one, state_dir=tmp_path)
    np.testing.assert_array_equal(beside.recorder.table()["value"], alone.recorder.table()["value"])


def test_a_state_of_an_older_version_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("SEVEN_TERMS_CHECKPOINT_SECONDS", "0")
    stack = Stack(experiment="test/one", runs=(make_run(BATCH_NORM),))
    whole = fit(stack, state_dir=tmp_path)
    path = tmp_path / f"{stack.id}.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["stack"]["probe_state"]
    torch.save(checkpoint, path)
    again = fit(stack, state_dir=tmp_path)
    np.testing.assert_array_equal(again.recorder.table()["value"], whole.recorder.table()["value"])


def test_what_a_kill_in_the_middle_of_a_save_leaves_is_deleted_at_the_end(tmp_path, monkeypatch):
    arguments, state = train_arguments(tmp_path), tmp_path / "state"
    state.mkdir()
    (state / f"{arguments[4]}.77.tmp").write_bytes(b"torn")
    (state / "0123456789.77.tmp").write_bytes(b"of another")
    monkeypatch.setenv("SEVEN_TERMS_CHECKPOINT_SECONDS", "1e9")
    assert run([*arguments, "--output", str(tmp_path / "m.parquet"), "--state", str(state)]) == 0
    assert [path.name for path in state.iterdir()] == ["0123456789.77.tmp"]


def test_a_checkpoint_that_finds_no_room_ends_no_training(tmp_path, monkeypatch, capsys):
    def full(path, *_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    stack = Stack(experiment="test/one", runs=(make_run(BATCH_NORM),))
    alone = fit(stack)
    monkeypatch.setenv("SEVEN_TERMS_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr("seven_terms.training.checkpoints.write", full)
    beside = fit(stack, state_dir=tmp_path)
    np.testing.assert_array_equal(beside.recorder.table()["value"], alone.recorder.table()["value"])
    assert list(tmp_path.iterdir()) == []
    said = f"checkpoint {tmp_path / stack.id}.ckpt cannot be written (No space left on device); training goes on"
    assert said in capsys.readouterr().err
