"""The entry point: metrics file, divergence, interruption, refusals."""

import dataclasses
import os
import sys

import numpy as np
import pytest
import torch

from seven_terms import spec
from seven_terms.planning import write_plan
from seven_terms.planning.stacks import stacks_of
from seven_terms.records.runs import Stack
from seven_terms.records.tables import read_metrics
from seven_terms.spec import Arm, Experiment, InverseTime
from seven_terms.training import train_stack
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import configure_torch, fit, make_trainer

from .stacks import MLP, PROBES, make_run, make_runs


@pytest.fixture
def plan(tmp_path):
    experiment = Experiment(
        name="tiny",
        term="learning_rate",
        title="Tiny",
        question="Does it run?",
        method="It runs.",
        arms=(Arm(name="plain", label="plain", training=MLP),),
        sweep={"optimizer.learning_rate": (0.1, 1e38)},
        num_seeds=2,
        probes=PROBES,
    )
    path = tmp_path / "tiny.json"
    write_plan(experiment, path, scale="smoke")
    return path, stacks_of(experiment)


def test_training_a_plan_writes_every_run_and_marks_the_diverged(plan, tmp_path):
    path, (stack,) = plan
    train_stack(plan_path=path, stack_id=stack.id, output_path=tmp_path / "m.parquet")
    table, record = read_metrics(tmp_path / "m.parquet")
    assert set(table["run_id"]) == {run.id for run in stack.runs} == set(record["runs"])
    status = {run.settings["learning_rate"]: record["runs"][run.id] for run in stack.runs}
    assert status[0.1] == {"status": "completed", "diverged_at_step": None, "steps": 12}
    assert status[1e38]["status"] == "diverged"
    assert status[1e38]["diverged_at_step"] >= 1
    assert record["provenance"]["commit"]
    assert "kernels" not in record["provenance"]


def test_an_unknown_stack_is_refused_in_one_sentence(plan, tmp_path):
    path, _ = plan
    with pytest.raises(ValueError, match=r"it must hold stack 'nonsense', got .*; make the plan again"):
        train_stack(plan_path=path, stack_id="nonsense", output_path=tmp_path / "m.parquet")


def test_training_sees_the_device_that_it_was_given(plan, tmp_path, monkeypatch):
    path, (stack,) = plan
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("SEVEN_TERMS_DEVICES", "pretend,other")
    real, seen = StackedProgram.advance, set()

    def advance(self, first, stop):
        seen.add(os.environ["CUDA_VISIBLE_DEVICES"])
        return real(self, first, stop)

    monkeypatch.setattr(StackedProgram, "advance", advance)
    train_stack(plan_path=path, stack_id=stack.id, output_path=tmp_path / "m.parquet")
    assert seen == {"pretend"}


def test_a_gpu_that_is_not_there_is_missed_in_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    stack = Stack(experiment="test/one", runs=(make_run(MLP),))
    with pytest.raises(ValueError, match=r"^accelerator 'gpu': PyTorch must see a GPU, got .*; train on the processor"):
        fit(stack, accelerator="gpu")


def test_lightnings_own_clipping_is_refused():
    with pytest.raises(ValueError, match="gradient_clip_val must be unset"):
        make_trainer(gradient_clip_val=1.0)


def test_a_killed_stack_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    training = dataclasses.replace(MLP, num_steps=160)
    stack = Stack(experiment="test/one", runs=make_runs(training, 3))
    whole = fit(stack).recorder.table()

    monkeypatch.setenv("SEVEN_TERMS_CHECKPOINT_SECONDS", "0")
    real, calls = StackedProgram.advance, []

    def dies(self, first, stop):
        calls.append(first)
        if stop > 120:
            raise RuntimeError("killed")
        return real(self, first, stop)

    monkeypatch.setattr(StackedProgram, "advance", dies)
    with pytest.raises(RuntimeError, match="killed"):
        fit(stack, state_dir=tmp_path)
    monkeypatch.setattr(StackedProgram, "advance", real)
    resumed = fit(stack, state_dir=tmp_path)
    assert calls[0] == 0
    np.testing.assert_array_equal(resumed.recorder.table()["value"], whole["value"])
    assert resumed.ranges() == []  # nothing to make, nothing to measure again


def test_a_state_with_windows_of_an_older_form_is_ignored(tmp_path, monkeypatch):
    monkeypatch.setenv("SEVEN_TERMS_CHECKPOINT_SECONDS", "0")
    stack = Stack(experiment="test/one", runs=(make_run(MLP),))
    whole = fit(stack, state_dir=tmp_path)
    path = tmp_path / f"{stack.id}.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["stack"]["held"] = checkpoint["stack"].pop("held_UR")
    torch.save(checkpoint, path)
    again = fit(stack, state_dir=tmp_path)
    np.testing.assert_array_equal(again.recorder.table()["value"], whole.recorder.table()["value"])


def test_a_torn_checkpoint_is_ignored(tmp_path):
    stack = Stack(experiment="test/one", runs=(make_run(MLP),))
    (tmp_path / f"{stack.id}.ckpt").write_bytes(b"torn")
    whole, resumed = fit(stack), fit(stack, state_dir=tmp_path)
    np.testing.assert_array_equal(resumed.recorder.table()["value"], whole.recorder.table()["value"])


def test_growing_batches_make_fewer_updates_and_see_as_many_examples():
    training = dataclasses.replace(MLP, num_steps=12, batch_growth=((0.5, 3),))
    program = StackedProgram(Stack(experiment="test/one", runs=(make_run(training),)))
    assert program.updates == [(0, 20), (1, 20), (2, 20), (3, 20), (4, 20), (5, 20), (6, 60), (9, 60)]


def test_the_rate_of_each_run_follows_its_own_schedule():
    runs = (make_run(MLP), make_run(dataclasses.replace(MLP, schedule=InverseTime(rate=1.0, per_step=True))))
    rate = StackedProgram(Stack(experiment="test/one", runs=runs)).rules.rate_UR
    torch.testing.assert_close(rate[:3, 0], torch.tensor([0.5, 0.5, 0.5], dtype=torch.float64))
    torch.testing.assert_close(rate[:3, 1], torch.tensor([0.5, 0.25, 0.5 / 3], dtype=torch.float64))


def test_the_stream_gives_each_update_per_gradient_which_for_sgd_is_the_rate():
    training = dataclasses.replace(MLP, optimizer=spec.Sgd(), precision="float64")
    stream = (spec.Stream(window=1, update_norms=True),)
    runs = tuple(dataclasses.replace(run, probes=stream) for run in make_runs(training, 3))
    table = fit(Stack(experiment="test/one", runs=runs)).recorder.table()
    ratio = table[table["metric"] == "update_per_gradient"].groupby("run_id", observed=True)["value"]
    rates = {run.id: run.training.optimizer.learning_rate for run in runs}
    assert len(table[table["metric"] == "update_per_gradient"]) == 3 * training.num_steps
    for run_id, values in ratio:
        np.testing.assert_allclose(values, rates[run_id], rtol=1e-11)


def test_training_needs_neither_wandb_nor_snakemake(plan, tmp_path, monkeypatch):
    for name in ("wandb", "snakemake"):
        monkeypatch.setitem(sys.modules, name, None)
    path, (stack,) = plan
    train_stack(plan_path=path, stack_id=stack.id, output_path=tmp_path / "m.parquet")
    assert (tmp_path / "m.parquet").exists()


def test_a_run_of_no_steps_is_measured_where_it_starts():
    training = dataclasses.replace(MLP, num_steps=0)
    probes = (spec.LayerGradients(), spec.Evaluate(splits=("validation",), num_examples=64))
    run = dataclasses.replace(make_run(training), probes=probes)
    table = fit(Stack(experiment="test/one", runs=(run,))).recorder.table()
    assert set(table["step"]) == {0}
    signals = table[table["metric"] == "layer_signal_gradient_rms"]
    assert list(signals["index"]) == [0, 1]
    assert (signals["value"] > 0).all()


def test_a_gpu_multiplies_float32_in_float32():
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    configure_torch()
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (False, False)
