"""Slopes and best settings: what an estimate over a sweep makes of grids, optima and misses."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from seven_terms.records.runs import Run
from seven_terms.spec import Arm, BestSetting, Combine, Last, Point, Quadratic, Reached, Selected, Slope
from seven_terms.statistics.estimates import estimate
from seven_terms.statistics.intervals import student
from seven_terms.statistics.optima import Valley, jackknife

from .synthetic import TRAINING, make_experiment, make_results, sweep

A, B = Selected("a"), Selected("b")
LOSS = Last("test_loss")


def valley(run: Run) -> dict:
    """Validation loss is least at rate 0.1 * budget / 50 for arm a and at the largest rate for arm b."""
    rate, budget = run.settings["learning_rate"], run.settings["num_steps"]
    best = 0.1 * budget / 50 if run.arm == "a" else 10.0
    loss = math.log(rate / best) ** 2 + 1
    return {"validation_loss": loss, "test_loss": (1 + 0.1 * run.seed) * budget**-0.5 * loss}


def test_a_slope_on_logarithms_is_the_exponent_at_the_selected_rate() -> None:
    found = estimate(
        Slope(measure=LOSS, over="num_steps", runs=(Selected("a", best=("learning_rate",)),)), sweep(valley)
    )
    assert found.interval.effect == pytest.approx(-0.5)
    assert found.num_runs == 9


def test_the_slope_of_the_optimum_is_that_of_the_mean_over_seeds() -> None:
    found = estimate(Slope(measure=None, over="num_steps", runs=(A,), argbest="learning_rate"), sweep(valley))
    assert found.interval.effect == pytest.approx(1.0)
    assert found.notes[0] == "1 of 3 best learning_rate at the edge of their grid"
    assert (found.interval.low, found.interval.high) == (-math.inf, math.inf)


def off_grid(run: Run, optimum: float, *, shift: float = 0.0) -> dict:
    """Return losses on a parabola over the logarithm of the rate, whatever the grid, with one seed's noise."""
    distance = math.log(run.settings["learning_rate"] / optimum)
    return {"validation_loss": 1.0 + distance**2 - 2.0 * shift * distance, "test_loss": 1.0}


def test_an_optimum_between_two_points_of_the_grid_is_found() -> None:
    """A seed whose parabola lies elsewhere moves the mean's optimum by its share: the jackknife has no bias here."""
    shifts = (0.1, -0.1, 0.3)
    fixed = Selected("a", where={"num_steps": 50})
    kind = BestSetting(measure=Last("validation_loss"), setting="learning_rate", runs=fixed)
    found = estimate(kind, sweep(lambda run: off_grid(run, 0.15, shift=shifts[run.seed])))
    logs = [math.log(0.15) + shift for shift in shifts]
    assert found.interval.effect == pytest.approx(math.exp(sum(logs) / 3))
    expected = student(np.array(logs))
    assert (found.interval.low, found.interval.high) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))


def test_the_interval_of_an_optimum_covers_it_where_the_loss_is_no_parabola() -> None:
    """Losses of exp(u) - u over u = log(rate / 0.3), which rise faster above, with noise of a seed and of a run."""
    rng, draws, covered, grid = np.random.default_rng(8), 400, 0, 0.3 * 2.0 ** (np.arange(-6.0, 7.0) / 2 + 0.2)
    distance = np.log(grid / 0.3)
    for _ in range(draws):
        table = np.exp(distance) - distance + rng.normal(0, 0.03, (16, 13)) + rng.normal(0, 0.2, (16, 1)) * distance
        valley = Valley.around(table.mean(axis=0), grid)
        values = jackknife(lambda kept, t=table, v=valley: v.bottom(t[kept].mean(axis=0)), np.arange(16))
        interval = student(values)
        covered += interval.low <= math.log(0.3) <= interval.high
    assert covered / draws > 0.95 - 4 * math.sqrt(0.95 * 0.05 / draws) - 0.02  # the fit's own bias may cost 2 %


def test_points_without_a_value_are_left_out_of_a_slope_and_counted() -> None:
    results = sweep(valley, diverged=lambda run: run.settings["num_steps"] == 200 and run.seed == 0)
    runs = (Selected("a", where={"learning_rate": 0.2}),)
    found = estimate(Slope(measure=Last("test_loss"), over="num_steps", runs=runs), results)
    assert math.isfinite(found.interval.effect)
    assert "1 of 9 points have no value and are left out" in found.notes


def test_a_slope_may_run_over_arms() -> None:
    arms = tuple(
        Arm(
            name=name,
            label=name,
            training=TRAINING.but(task=Quadratic(dimension=dim), model=Point(dimension=dim)),
        )
        for name, dim in (("small", 2), ("middle", 4), ("large", 8))
    )
    results = make_results(
        make_experiment(arms=arms), lambda run: {"test_loss": (1 + run.seed) * run.training.model.dimension**2}
    )
    runs = tuple(Selected(name) for name in ("small", "middle", "large"))
    found = estimate(Slope(measure=LOSS, over="model.dimension", runs=runs), results)
    assert found.interval.effect == pytest.approx(2.0)


def test_the_largest_rate_that_works_is_open_above_when_the_grid_ends() -> None:
    def record(run: Run) -> dict:
        limit = {"a": (0.8, 0.4, 0.8), "b": (0.1, 0.1, 0.2)}[run.arm][run.seed]
        return {"test_loss": float(run.settings["learning_rate"] > limit), "validation_loss": 1.0}

    works = Reached(LOSS, below=0.5)
    fixed = {arm: Selected(arm, where={"num_steps": 50}) for arm in "ab"}
    kind = BestSetting(
        measure=works, setting="learning_rate", runs=fixed["a"], baseline=fixed["b"], which="largest_reached"
    )
    found = estimate(kind, sweep(record))
    middle = math.sqrt(2.0)  # an inner largest rate lies between its point and the next, twice as large
    assert found.interval.effect == pytest.approx((8 / middle * 4 * 4 / middle) ** (1 / 3))
    assert found.sample.columns["low"] == pytest.approx((4.0, 2.0, 2.0))
    assert found.sample.columns["high"] == pytest.approx((8.0, 8.0, 4.0))
    assert found.interval.high == math.inf
    assert found.notes == ("a: best learning_rate at the edge of its grid in 2 of 3 seeds",)


def test_when_no_rate_works_the_smallest_is_an_upper_bound() -> None:
    results = sweep(lambda run: {"test_loss": 0.5 + 0.1 * run.seed, "validation_loss": 1.0})
    fixed = Selected("a", where={"num_steps": 50})
    works = Reached(LOSS, below=0.55)  # seed 0 alone, at every rate
    found = estimate(
        BestSetting(measure=works, setting="learning_rate", runs=fixed, which="largest_reached"), results
    ).interval
    assert found.effect == pytest.approx((0.8 * 0.1 * 0.1) ** (1 / 3))
    assert (found.low, found.high) == (0.0, math.inf)


def test_the_slope_of_a_crossing_is_finer_than_the_grid() -> None:
    """A measure falling as 1 - 0.4 log2(setting / start) is 0.5 at start * 2**1.25, wherever the start lies between points."""

    def record(run: Run) -> dict:
        length, largest = run.training.task.condition_number, run.training.task.largest
        value = 1.0 - 0.4 * math.log2(length / (4 * largest**2))
        return {"test_loss": value, "validation_loss": 1.0}

    sweep = {"task.condition_number": (2, 4, 8, 16, 32), "task.largest": (0.8, 1.0, 1.3)}
    results = make_results(make_experiment("a", sweep=sweep), record)
    kind = Slope(measure=LOSS, over="largest", runs=(A,), argbest="task.condition_number", crosses=0.5)
    found = estimate(kind, results)
    assert found.interval.effect == pytest.approx(2.0)
    assert not any("beyond" in note for note in found.notes)
    beyond = estimate(dataclasses.replace(kind, crosses=-5.0), results)
    assert "9 of 9 task.condition_number beyond their grid" in beyond.notes


def test_a_best_setting_free_of_chance_lies_between_two_points_of_the_grid_for_every_start() -> None:
    def record(run: Run) -> dict:
        limit = (0.2, 0.4, 0.2)[run.seed]
        return {"test_loss": float(run.settings["learning_rate"] > limit), "validation_loss": 1.0}

    fixed = Selected("a", where={"num_steps": 50})
    kind = BestSetting(
        measure=Reached(LOSS, below=0.5), setting="learning_rate", runs=fixed, which="largest_reached", exact=True
    )
    found = estimate(kind, sweep(record))
    assert (found.interval.low, found.interval.high) == (0.2, 0.8)
    assert (found.sample, found.interval.above) == (None, None)
    alone = dataclasses.replace(kind, which="min", measure=Combine("negative", Last("test_loss")))
    assert estimate(alone, sweep(record)).interval.low == 0.4
