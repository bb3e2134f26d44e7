"""Calibration: planted speeds are found again, and a real one has the form that forecasts read."""

import dataclasses

import pytest

from seven_terms.planning.calibration import Speed, read_calibration
from seven_terms.planning.workload import KINDS
from seven_terms.training import calibrate
from seven_terms.training.calibrate import LARGE, SMALL, one_update, solve


def test_planted_speeds_are_found_again():
    planted = Speed(seconds_per_launch=5e-5, operations_per_second=2e10)
    for kind in KINDS:
        small, large = one_update(SMALL[kind], num_runs=1), one_update(LARGE[kind], num_runs=32)
        times = [
            work.launches * planted.seconds_per_launch + work.operations / planted.operations_per_second
            for work in (small, large)
        ]
        found = solve(small, times[0], large, times[1])
        assert found.seconds_per_launch == pytest.approx(planted.seconds_per_launch, rel=0.05)
        assert found.operations_per_second == pytest.approx(planted.operations_per_second, rel=0.05)


def test_a_large_stack_that_is_no_slower_than_a_small_one_makes_no_negative_time():
    work = one_update(SMALL["dense"], num_runs=1)
    found = solve(work, 1.0, dataclasses.replace(work, operations=1e9), 0.5)
    assert found.seconds_per_launch > 0
    assert found.operations_per_second > 0


@pytest.mark.slow
def test_a_calibration_of_this_machine_is_read_by_forecasts(tmp_path):
    made = calibrate(tmp_path / "calibration.json", seconds_each=0.1)
    assert read_calibration(tmp_path / "calibration.json") == made
    assert set(made.speeds) == set(KINDS)
    assert made.start_seconds > 0
    assert made.import_seconds > 0


def test_a_missing_gpu_is_said_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match=r"^accelerator 'gpu': PyTorch must see a GPU, got .*; train on the processor"):
        calibrate(tmp_path / "calibration.json", accelerator="gpu")
    assert not (tmp_path / "calibration.json").exists()
