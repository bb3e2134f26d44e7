"""Measures: hand-computed values for every kind, of whole and of diverged runs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from seven_terms.planning.selection import make_plan
from seven_terms.records.runs import Run
from seven_terms.spec import (
    Adam,
    Arm,
    At,
    Best,
    Combine,
    Diverged,
    Last,
    LogSlope,
    Measure,
    Over,
    Reached,
    Selected,
    Setting,
    Sgd,
    StepsTo,
)
from seven_terms.statistics.measures import measure_runs
from seven_terms.statistics.results import Results, results_of
from seven_terms.statistics.selection import evaluate

from .synthetic import TRAINING, ends_of, make_experiment, make_results

LOSS = {0: 8.0, 25: 4.0, 50: 2.0, 75: 3.0, 100: 1.0}
LAYERS = {(0, 0): 0.25, (0, 1): 0.5, (0, 2): 1.0, (100, 0): 7.0, (100, 1): 7.0, (100, 2): 7.0}


@pytest.fixture(scope="module")
def results() -> Results:
    """Seed 0 runs through; seed 1 diverges after step 25; seed 2 gets to 1.5 only."""

    def record(run: Run) -> dict:
        loss = {0: LOSS, 1: {0: 8.0, 25: 4.0}, 2: {step: value + 0.5 for step, value in LOSS.items()}}[run.seed]
        return {"loss": loss, "layers": LAYERS, "half": {step: 2.0**-step for step in (1, 2, 4, 8)}}

    return make_results(make_experiment("a"), record, diverged=lambda run: run.seed == 1)


def values(measure: Measure, results: Results) -> list[float]:
    return evaluate(measure, results).tolist()


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (Last("loss"), [1.0, math.nan, 1.5]),
        (Last("layers", index=2), [7.0, math.nan, 7.0]),
        (At("loss", step=30), [4.0, 4.0, 4.5]),
        (At("loss", fraction=0.7), [3.0, 4.0, 3.5]),
        (At("layers", step=0, index=1), [0.5, 0.5, 0.5]),
        (Best("loss"), [1.0, 4.0, 1.5]),
        (Best("loss", "max"), [8.0, 8.0, 8.5]),
        (Over("loss", "mean"), [18 / 5, 6.0, 18 / 5 + 0.5]),
        (Over("loss", "median", start=0.5), [2.0, math.nan, 2.5]),
        (Over("loss", "max", start=0.25, stop=0.75), [4.0, 4.0, 4.5]),
        (Over("loss", "sum", stop=0.25), [12.0, 12.0, 13.0]),
        (Over("loss", "std", stop=0.25), [8.0**0.5, 8.0**0.5, 8.0**0.5]),
        (Over("loss", "detrended_std"), [(6.7 / 3) ** 0.5, math.nan, (6.7 / 3) ** 0.5]),  # about 6.6 - 1.5 steps / 25
        (Over("loss", "displacement"), [7.0, 4.0, 7.0]),
        (Over("layers", "displacement"), [19.25 / 3] * 3),
        (Over("loss", "max_over_median"), [8 / 3, 8 / 6, 8.5 / 3.5]),
        (StepsTo("loss", below=3.5), [50.0, math.inf, 50.0]),
        (StepsTo("loss", below=5.0), [25.0, 25.0, 25.0]),
        (StepsTo("loss", below=1.0), [math.inf] * 3),
        (StepsTo("loss", above=8.1), [math.inf, math.inf, 0.0]),
        (Diverged(), [0.0, 1.0, 0.0]),
        (Reached(Last("loss"), below=1.2), [1.0, 0.0, 0.0]),
        (Reached(Best("loss"), below=5.0), [1.0, 0.0, 1.0]),
        (Setting("num_steps"), [100.0] * 3),
        (Combine("ratio", Last("loss"), At("loss", step=0)), [1 / 8, math.nan, 1.5 / 8.5]),
        (Combine("difference", Best("loss"), 1), [0.0, 3.0, 0.5]),
        (Combine("log", Best("loss")), [0.0, math.log(4), math.log(1.5)]),
        (Combine("negative", Diverged()), [0.0, -1.0, 0.0]),
        (LogSlope("half"), [-math.log(2)] * 3),
        (LogSlope("half", over="step", start=0.02), [-math.log(2)] * 3),
        (LogSlope("layers", over="index"), [math.log(2)] * 3),
        (LogSlope("layers", over="index", step=90), [0.0] * 3),
        (LogSlope("layers", over="index", first_index=1, last_index=2), [math.log(2)] * 3),
    ],
)
def test_a_measure_gives_the_hand_computed_values(results: Results, measure: Measure, expected: list[float]) -> None:
    assert values(measure, results) == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_a_power_law_has_its_exponent_as_slope_over_log_step() -> None:
    results = make_results(make_experiment("a"), lambda run: {"loss": {step: 3.0 / step**2 for step in range(1, 9)}})
    assert values(LogSlope("loss", over="log_step"), results) == pytest.approx([-2.0] * 3)


def test_a_metric_that_nobody_recorded_is_named(results: Results) -> None:
    with pytest.raises(
        ValueError, match=r"metric 'los' must be recorded, got .'half', 'layers', 'loss'.; add the probe"
    ):
        evaluate(Last("los"), results)


def test_a_setting_is_missing_in_runs_of_another_kind_and_refused_where_no_run_has_it() -> None:
    momentum = replace(TRAINING, optimizer=Sgd(momentum=0.5))
    arms = (
        Arm(name="a", label="a", training=momentum),
        Arm(name="b", label="b", training=replace(TRAINING, optimizer=Adam())),
    )
    found = make_results(make_experiment(arms=arms, num_seeds=1), lambda run: {"loss": 1.0})
    values = measure_runs(Setting("optimizer.momentum"), found)
    assert values.tolist() == pytest.approx([0.5, math.nan], nan_ok=True)
    with pytest.raises(ValueError, match=r"path 'optimizer\.mass'"):
        measure_runs(Setting("optimizer.mass"), found)


def test_an_index_that_nobody_recorded_is_named(results: Results) -> None:
    with pytest.raises(ValueError, match="index -1 must be recorded"):
        evaluate(Last("layers"), results)


def test_the_target_of_another_arm_is_its_mean_at_its_selected_rate() -> None:
    arms = tuple(
        Arm(name=name, label=name, training=TRAINING, sweep={"optimizer.learning_rate": (0.1, 0.2)}) for name in "ab"
    )

    def record(run: Run) -> dict:
        rate = run.settings["learning_rate"]
        accuracy = {0: 0.0, 50: 0.5, 100: 0.9 if rate == 0.2 else 0.6}
        return {"validation_loss": 1.0 - rate, "test_accuracy": accuracy}

    results = make_results(make_experiment(arms=arms), record)
    steps = evaluate(StepsTo("test_accuracy", target_of=("a", Last("test_accuracy"))), results)
    rates = np.array([run.settings["learning_rate"] for run in results.runs])
    assert (steps[rates == 0.2] == 100).all()
    assert np.isinf(steps[rates == 0.1]).all()
    exact = Selected("a", where={"learning_rate": 0.1})
    assert (evaluate(StepsTo("test_accuracy", target_of=(exact, Last("test_accuracy"))), results) == 100).all()
    easier = StepsTo("test_accuracy", above=-0.4, target_of=("a", Last("test_accuracy")))
    assert (evaluate(easier, results) == 50).all()


def test_the_first_step_below_a_target_is_found_among_a_million_rows() -> None:
    plan = make_plan(make_experiment("a", num_seeds=200), scale="laptop")
    ids, num = list(plan.runs), 5000
    metrics = pd.DataFrame(
        {
            "run_id": pd.Categorical.from_codes(np.repeat(np.arange(200), num), categories=ids),
            "step": np.tile(np.arange(num), 200),
            "metric": "loss",
            "index": -1,
            "value": np.tile(np.linspace(1.0, 0.0, num), 200),
        }
    )
    results = results_of(plan, metrics, ends_of(plan.runs, lambda run: False))
    assert (evaluate(StepsTo("loss", below=0.5), results) == 2500).all()
