"""One model over two devices, here two processes that talk over the loopback interface, in float64."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seven_terms.planning import write_plan
from seven_terms.planning.stacks import stacks_of
from seven_terms.records.tables import read_metrics
from seven_terms.spec import (
    Arm,
    BatchNorm,
    Evaluate,
    Experiment,
    LayerGradients,
    Normalization,
    NormalizedOutputs,
    Point,
    Quadratic,
    Steps,
    Stream,
    replace_paths,
)
from seven_terms.training import train_stack
from seven_terms.training.ranks import run_ranks

from .stacks import MLP

TRAINING = dataclasses.replace(MLP, precision="float64", num_steps=240)
PROBES = (
    Stream(window=10),
    Evaluate(steps=Steps(count=3), splits=("validation",), num_examples=100, batch_statistics=True),
    LayerGradients(steps=Steps(count=3)),
    NormalizedOutputs(steps=Steps(count=3)),
)
ARMS = {
    "one device": (1, BatchNorm()),
    "synchronized": (2, BatchNorm(synchronized=True)),
    "each its own": (2, BatchNorm()),
    "ghost batches": (1, BatchNorm(ghost=MLP.batch_size // 2)),
}


def arm(name: str, num_devices: int, normalization: Normalization) -> Arm:
    changes = {"num_devices": num_devices, "model.normalization": normalization}
    return Arm(name=name, label=name, training=replace_paths(TRAINING, changes))


EXPERIMENT = Experiment(
    name="devices",
    term="batch_norm",
    title="Devices",
    question="Does it matter?",
    method="It runs.",
    arms=tuple(arm(name, *settings) for name, settings in ARMS.items()),
    num_seeds=2,
    probes=PROBES,
)
STACKS = {stack.runs[0].arm: stack for stack in stacks_of(EXPERIMENT)}


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "devices.json"
    write_plan(EXPERIMENT, path, scale="smoke")
    return path


@pytest.fixture(scope="module")
def values(plan, tmp_path_factory) -> dict[str, pd.Series]:
    """Return what each arm recorded, a value for every seed, metric, step and index."""
    folder = tmp_path_factory.mktemp("metrics")

    def train(name: str) -> pd.Series:
        path = folder / f"{name}.parquet"
        train_stack(plan_path=plan, stack_id=STACKS[name].id, output_path=path)
        return recorded(path, name)

    with ThreadPoolExecutor() as pool:
        return dict(zip(ARMS, pool.map(train, ARMS), strict=True))


def recorded(path: Path, name: str) -> pd.Series:
    seeds = {run.id: run.seed for run in STACKS[name].runs}
    table = read_metrics(path)[0].assign(seed=lambda rows: rows["run_id"].map(seeds))
    return table.set_index(["seed", "metric", "step", "index"])["value"].sort_index()


def without_evaluation_by_groups(series: pd.Series) -> pd.Series:
    """Drop what depends on how an evaluation in training mode is cut into groups: 10 examples each, or two halves."""
    return series[~series.index.get_level_values("metric").str.startswith("batch_statistics")]


def test_synchronized_statistics_give_the_numbers_of_one_device(values):
    one, both = values["one device"], values["synchronized"]
    assert one.index.equals(both.index)
    np.testing.assert_allclose(both, one, rtol=1e-9, atol=1e-12)


def test_statistics_of_each_device_are_those_of_ghost_batches(values):
    ghost, each = (without_evaluation_by_groups(values[name]) for name in ("ghost batches", "each its own"))
    assert ghost.index.equals(each.index)
    assert len(ghost) > 100
    np.testing.assert_allclose(each, ghost, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("metric", ["batch_loss", "gradient_norm", "validation_loss", "layer_output_mean_abs"])
def test_statistics_of_each_device_are_not_those_of_the_batch(values, metric):
    one, each = (values[name].xs(metric, level="metric") for name in ("one device", "each its own"))
    assert (abs(each - one) > 1e-3 * abs(one)).mean() > 0.5


def test_the_number_of_devices_is_part_of_a_runs_identity():
    names = {name: {run.id for run in stack.runs} for name, stack in STACKS.items()}
    assert len(set.union(*names.values())) == 4 * EXPERIMENT.num_seeds
    same = dataclasses.replace(EXPERIMENT, arms=tuple(arm("one device", n, BatchNorm()) for n in (1,)))
    more = dataclasses.replace(EXPERIMENT, arms=tuple(arm("one device", n, BatchNorm()) for n in (2,)))
    assert {run.id for stack in stacks_of(same) for run in stack.runs} == names["one device"]
    assert not {run.id for stack in stacks_of(more) for run in stack.runs} & names["one device"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_devices": 3}, "batch_size must be a multiple of num_devices=3, got 20."),
        ({"num_devices": 2, "batch_size": None}, "batch_size must be a multiple of num_devices=2, got None."),
        (
            {"num_devices": 2, "model": Point(), "task": Quadratic()},
            "num_devices must be 1, because a point has no examples to share, got 2.",
        ),
    ],
    ids=str,
)
def test_batches_that_cannot_be_shared_evenly_are_refused_when_planned(changes, sentence):
    wrong = Arm(name="wrong", label="wrong", training=replace_paths(TRAINING, changes))
    with pytest.raises(ValueError, match=re.escape(f"experiment 'devices', arm 'wrong': {sentence}")):
        stacks_of(dataclasses.replace(EXPERIMENT, arms=(wrong,), probes=(Stream(),)))


def test_less_than_one_device_is_refused():
    with pytest.raises(ValueError, match=r"^Training: num_devices must be >= 1, got 0\.$"):
        dataclasses.replace(TRAINING, num_devices=0)


def test_a_process_that_fails_ends_the_others_and_is_named(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\nif [ $LOCAL_RANK = 1 ]; then sleep 0.5; exit 3; fi\necho $$ > {tmp_path}/pid\nexec sleep 60\n"
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    sentence = (
        "training over 2 devices: each of its processes must end with status 0, got [None, 3]; see what they said"
    )
    with pytest.raises(ValueError, match=re.escape(sentence)):  # None: the first was not waited for
        run_ranks(2, ["train"])
    assert not is_running(int((tmp_path / "pid").read_text()))


def is_running(process: int) -> bool:
    """Return whether there is such a process that is not a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(process: int) -> list[int]:
    return [
        int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
    ]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_job_leaves_no_process_and_goes_on_to_the_same_bits(plan, values, tmp_path):
    name, state, output = "synchronized", tmp_path / "state", tmp_path / "m.parquet"
    command = [sys.executable, "-m", "seven_terms", "train", f"--plan={plan}", f"--stack={STACKS[name].id}"]
    command += [f"--output={output}", f"--state={state}"]
    environment = os.environ | {"SEVEN_TERMS_CHECKPOINT_SECONDS": "0", "SEVEN_TERMS_WARM": "0"}
    job = subprocess.Popen(command, env=environment)
    wait_until(lambda: list(state.glob("*.ckpt")))
    ranks = children_of(job.pid)
    assert len(ranks) == 2
    job.send_signal(signal.SIGKILL)
    job.wait()
    wait_until(lambda: not any(map(is_running, ranks)))
    assert list(state.glob("*.ckpt"))
    assert not output.exists()
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    np.testing.assert_array_equal(recorded(output, name), values[name])
    assert list(state.iterdir()) == []


def wait_until(condition: Callable[[], object], *, seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
