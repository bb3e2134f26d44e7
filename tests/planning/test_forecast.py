"""Forecasts: schedules of known length, sums, and speeds that were planted."""

import json
import re

import pytest

from seven_terms.planning import calibration as calibrations
from seven_terms.planning.calibration import REFERENCE, Speed, calibration_of, read_calibration, write_calibration
from seven_terms.planning.forecast import cost_before, forecasts, scaling_table, table, total, wall_seconds
from seven_terms.planning.selection import make_plan
from seven_terms.planning.stacks import workload_of
from seven_terms.records.jobs import duration
from seven_terms.spec import Arm, Experiment, GaussianInputs, Mlp, Training


def experiment(name: str, *, num_steps: int) -> Experiment:
    training = Training(
        task=GaussianInputs(num_features=8), model=Mlp(depth=1, width=4), num_steps=num_steps, batch_size=2
    )
    arms = tuple(
        Arm(name=f"width_{width}", label="width", training=training, sweep={"model.width": (width,)})
        for width in (4, 8)
    )
    return Experiment(name=name, term="batch_norm", title="T", question="Q?", method="M.", arms=arms, num_seeds=3)


@pytest.fixture
def plans():
    made = [
        make_plan(experiment(name, num_steps=steps), scale="paper") for name, steps in (("short", 10), ("long", 40))
    ]
    return {plan.experiment.path: plan for plan in made}


@pytest.mark.parametrize(
    ("seconds", "num_devices", "wall"),
    [((4, 3, 3, 2), 2, 6), ((4, 3, 3, 2), 1, 12), ((4, 3, 3, 2), 9, 4), ((5, 5, 4, 4, 3, 3, 3), 3, 11), ((), 3, 0)],
)
def test_each_device_takes_the_longest_stack_that_is_left(seconds, num_devices, wall):
    assert wall_seconds(seconds, num_devices) == wall


def test_the_total_is_the_sum_of_its_parts_and_the_largest_of_its_memories(plans):
    parts = forecasts(plans, REFERENCE)
    whole = total(parts.values())
    assert whole.num_runs == 12
    assert whole.num_stacks == sum(len(plan.stacks) for plan in plans.values())
    assert whole.num_steps == 40
    assert sum(whole.seconds) == pytest.approx(sum(sum(part.seconds) for part in parts.values()))
    assert whole.memory_bytes == max(part.memory_bytes for part in parts.values())


def test_the_table_has_a_line_for_each_experiment_and_one_for_all(plans):
    first, *lines = table(plans, REFERENCE).splitlines()
    assert first.split()[:4] == ["experiment", "runs", "stacks", "steps"]
    assert [line.split()[0] for line in lines] == [*plans, "total"]
    assert lines[-1].split()[1:4] == ["12", "4", "40"]


def test_the_total_line_leaves_out_what_is_trained(plans, tmp_path):
    assert "to train: 12 runs in 4 stacks," in cost_before(plans, tmp_path, devices=(1,), brief=True)
    for path, plan in plans.items():
        for stack in plan.stacks:
            metrics = tmp_path / "metrics" / path / f"{stack}.parquet"
            metrics.parent.mkdir(parents=True, exist_ok=True)
            metrics.write_bytes(b"metrics")
    assert "to train: nothing, all 4 stacks are there" in cost_before(plans, tmp_path, devices=(1,), brief=True)


@pytest.mark.parametrize("number", [1, 3])
def test_the_time_left_is_that_of_as_many_stacks_at_a_time_as_the_call_has_cores(plans, tmp_path, number):
    told = cost_before(plans, tmp_path, at_a_time=number, brief=True)
    alone = [REFERENCE.seconds(workload_of(stack)) for plan in plans.values() for stack in plan.stacks.values()]
    assert told.endswith(f"about {duration(wall_seconds(alone, number))} with {number} at a time")


def test_more_devices_than_stacks_wait_for_the_longest_one(plans):
    _, one, many, shares = scaling_table(plans, REFERENCE, (1, 64)).splitlines()
    assert one.endswith("all stacks")
    assert many.endswith("the longest stack")
    assert sum(float(word) for word in re.findall(r"([\d.]+)%", shares)) == pytest.approx(100, abs=0.2)


def test_a_faster_device_has_a_shorter_forecast(plans):
    stack = next(iter(plans["batch_norm/long"].stacks.values()))
    fast = dict.fromkeys(REFERENCE.speeds, Speed(seconds_per_launch=0.0, operations_per_second=1e30))
    faster = calibrations.dataclasses.replace(REFERENCE, speeds=fast)
    assert faster.seconds(workload_of(stack)) == pytest.approx(REFERENCE.start_seconds)
    assert REFERENCE.seconds(workload_of(stack)) > REFERENCE.start_seconds


def test_a_calibration_is_read_as_it_was_written(tmp_path):
    write_calibration(REFERENCE, tmp_path / "calibration.json")
    assert read_calibration(tmp_path / "calibration.json") == REFERENCE


def test_a_calibration_of_another_format_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "calibration.json"
    write_calibration(REFERENCE, path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 0}))
    with pytest.raises(ValueError, match=r"must hold format 2 .*; delete it and run `seven-terms calibrate`"):
        read_calibration(path)


def test_without_a_calibration_the_reference_is_taken_and_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = calibration_of("gpu")
    assert found.speeds == REFERENCE.speeds
    assert "`seven-terms calibrate --accelerator gpu` measures this machine" in found.measured


def test_a_calibration_of_another_processor_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_calibration(REFERENCE, tmp_path / "results" / "calibration-cpu.json")
    monkeypatch.setattr(calibrations, "processor", lambda: "another one")
    assert "on another machine" in calibration_of("cpu").measured
    monkeypatch.setattr(calibrations, "processor", lambda: "Xeon")
    assert calibration_of("cpu") == REFERENCE


def test_the_documented_gpu_is_a_calibration_that_says_it_was_not_measured(project):
    found = read_calibration(project / "docs" / "assumed-gpu.json")
    assert "assumed" in found.hardware
    assert found.measured == "not measured"
