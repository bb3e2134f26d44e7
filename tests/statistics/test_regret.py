"""Regret of a picked setting against the best of the grid, and the measure that reads a pick from a run."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from seven_terms.records.runs import Run
from seven_terms.spec import Arm, AtBest, Combine, Last, Over, Regret, Selected, WorstDeviation
from seven_terms.statistics.estimates import Estimated, estimate
from seven_terms.statistics.results import Results
from seven_terms.statistics.selection import evaluate

from .synthetic import TRAINING, make_experiment, make_results

RATES = (0.01, 0.1, 1.0)
LOWEST_AT = (2.0, 9.0, 8.0)  # of the rising rate, by seed: a tenth of it is nearest to 0.1, 1.0 and 1.0


def record(run: Run) -> dict:
    if run.arm == "ramp":
        rates = {10: 0.5, 20: LOWEST_AT[run.seed], 30: 90.0}
        losses = {10: 2.0, 20: 1.0, 30: math.inf}
        return {"batch_loss": losses, "learning_rate": rates}
    loss = {0.01: 3.0, 0.1: 1.0, 1.0: 1.5 + run.seed}[run.settings["learning_rate"]]
    return {"validation_loss": loss, "test_loss": 10 * loss}


def results(diverged: Callable[[Run], bool] = lambda run: False) -> Results:
    arms = (
        Arm(name="grid", label="grid", training=TRAINING, sweep={"optimizer.learning_rate": RATES}),
        Arm(name="ramp", label="ramp", training=TRAINING),
    )
    return make_results(make_experiment(arms=arms), record, diverged=diverged)


def regret(factor: float = 10.0, diverged: Callable[[Run], bool] = lambda run: False) -> Estimated:
    picked = Combine("ratio", AtBest("learning_rate", of="batch_loss"), factor)
    kind = Regret(
        measure=Last("test_loss"),
        setting="learning_rate",
        picked=picked,
        picks=Selected("ramp"),
        runs=Selected("grid"),
    )
    return estimate(kind, results(diverged))


def test_a_metric_is_read_at_the_step_at_which_another_was_lowest_infinity_never_being_low() -> None:
    values = evaluate(AtBest("learning_rate", of="batch_loss"), results())
    assert values.dropna().tolist() == list(LOWEST_AT)
    assert values.isna().sum() == 9
    assert evaluate(AtBest("learning_rate", of="learning_rate", which="max"), results()).dropna().tolist() == [90.0] * 3


def test_regret_is_the_loss_at_the_nearest_grid_value_minus_that_at_the_best() -> None:
    found = regret()
    assert found.interval.effect == pytest.approx((0 + (25 - 10) + (35 - 10)) / 3)
    assert found.interval.low < found.interval.effect < found.interval.high < math.inf
    assert found.num_runs == 2 + 3 + 3
    assert found.notes == ()


def test_a_pick_outside_the_grid_leaves_the_interval_open_above() -> None:
    found = regret(factor=5.0)
    assert found.interval.high == math.inf
    assert "2 picks lie outside the grid" in found.notes


def test_a_picked_rate_that_diverges_counts_as_the_worst_value_and_leaves_the_interval_open_above() -> None:
    found = regret(diverged=lambda run: run.settings.get("learning_rate") == 1.0)
    assert found.interval.high == math.inf
    assert any("count as the worst value seen" in note for note in found.notes)


def test_several_measures_are_held_to_one_expectation() -> None:
    measures = (Over("learning_rate", "min"), Over("learning_rate", "max"))
    found = estimate(WorstDeviation(measure=measures, expected=90.0, runs=(Selected("ramp"),)), results())
    assert found.interval.effect == pytest.approx(1 - 0.5 / 90.0)
