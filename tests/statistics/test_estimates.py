"""Estimates: hand-computed effects, paired by seed, and what diverged runs, misses and edges do to an interval."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from seven_terms.records.runs import Run
from seven_terms.spec import (
    Arm,
    Best,
    Combine,
    Correlation,
    Diverged,
    ExpectedSgd,
    Last,
    Mean,
    Median,
    NoisyQuadraticMoments,
    Over,
    PairedDifference,
    PairedRatio,
    Point,
    Proportion,
    ProportionDifference,
    Reached,
    Selected,
    Setting,
    Slope,
    StepsTo,
    Training,
    WorstDeviation,
)
from seven_terms.statistics import theory
from seven_terms.statistics.estimates import Estimated, estimate
from seven_terms.statistics.results import Results
from seven_terms.statistics.samples import pooled

from .synthetic import TRAINING, make_experiment, make_results, sweep

A, B = Selected("a"), Selected("b")
LOSS = Last("test_loss")
VALUES = {"a": (1.0, 2.0, 4.0), "b": (2.0, 2.5, 3.0)}


def by_value(run: Run) -> dict:
    return {"test_loss": VALUES[run.arm][run.seed], "probe": VALUES[run.arm][run.seed]}


def of(kind: object, diverged: Callable[[Run], bool] = lambda run: False) -> Estimated:
    return estimate(kind, make_results(make_experiment(), by_value, diverged=diverged))  # type: ignore[arg-type]


def test_a_mean_has_students_interval() -> None:
    found = of(Mean(measure=LOSS, runs=A))
    reach = 4.302653 * np.std([1, 2, 4], ddof=1) / math.sqrt(3)
    assert (found.interval.effect, found.interval.low) == pytest.approx((7 / 3, 7 / 3 - reach))
    assert found.num_runs == 3
    assert found.notes == ()
    assert of(Mean(measure=LOSS, runs=A, log=True)).interval.effect == pytest.approx(2.0)


def test_differences_and_ratios_are_paired_by_seed() -> None:
    difference = of(PairedDifference(measure=LOSS, runs=A, baseline=B))
    reach = 4.302653 * np.std([-1, -0.5, 1], ddof=1) / math.sqrt(3)
    assert (difference.interval.effect, difference.interval.high) == pytest.approx((-0.5 / 3, -0.5 / 3 + reach))
    assert difference.num_runs == 6
    ratio = of(PairedRatio(measure=LOSS, runs=A, baseline=B))
    assert ratio.interval.effect == pytest.approx((1 / 2 * 2 / 2.5 * 4 / 3) ** (1 / 3))


def test_an_exact_pair_needs_one_seed_and_has_no_interval_but_its_runs_must_agree() -> None:
    alone = make_results(make_experiment(num_seeds=1), by_value)
    for kind, expected in ((PairedDifference, -1.0), (PairedRatio, 0.5)):
        found = estimate(kind(measure=LOSS, runs=A, baseline=B, exact=True), alone).interval
        assert (found.low, found.effect, found.high) == pytest.approx((expected,) * 3)
        with pytest.raises(ValueError, match="exact estimate: its runs must have a value and be free of chance"):
            of(kind(measure=LOSS, runs=A, baseline=B, exact=True))


def test_swapping_the_arms_flips_difference_and_ratio() -> None:
    there = of(PairedDifference(measure=LOSS, runs=A, baseline=B)).interval
    back = of(PairedDifference(measure=LOSS, runs=B, baseline=A)).interval
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    there = of(PairedRatio(measure=LOSS, runs=A, baseline=B)).interval
    back = of(PairedRatio(measure=LOSS, runs=B, baseline=A)).interval
    assert (there.low, there.high) == pytest.approx((1 / back.high, 1 / back.low))


def test_a_diverged_run_counts_as_the_worst_loss_and_opens_the_interval_upwards() -> None:
    found = of(PairedDifference(measure=LOSS, runs=A, baseline=B), lambda run: run.arm == "a" and run.seed == 0)
    assert found.interval.effect == pytest.approx(np.mean([4 - 2, 2 - 2.5, 4 - 3]))
    assert found.interval.high == math.inf
    assert math.isfinite(found.interval.low)
    assert found.notes == ("a: 1 of 3 runs diverged or have no finite value and count as the worst value seen",)


def test_a_diverged_baseline_opens_the_interval_downwards() -> None:
    found = of(PairedDifference(measure=LOSS, runs=A, baseline=B), lambda run: run.arm == "b" and run.seed == 0)
    assert found.interval.effect == pytest.approx(np.mean([1 - 4, 2 - 2.5, 4 - 3]))
    assert found.interval.low == -math.inf
    assert math.isfinite(found.interval.high)


def test_without_a_worse_side_a_diverged_run_opens_both() -> None:
    found = of(
        PairedDifference(measure=Last("probe"), runs=A, baseline=B), lambda run: run.seed == 0 and run.arm == "a"
    )
    assert (found.interval.low, found.interval.high) == (-math.inf, math.inf)
    assert "a: 1 of 3 runs have no value and are left out" in found.notes


def test_an_arm_whose_every_run_diverges_gives_no_number() -> None:
    found = of(Mean(measure=Last("probe"), runs=A), lambda run: run.arm == "a")
    assert math.isnan(found.interval.effect)


def crossing(times: dict[str, tuple[float, ...]]) -> Results:
    """Runs whose loss falls below 1 at the given steps (infinity: never)."""

    def record(run: Run) -> dict:
        return {"loss": {step: 0.0 if step >= times[run.arm][run.seed] else 2.0 for step in range(0, 101, 10)}}

    return make_results(make_experiment(), record)


STEPS = PairedRatio(measure=StepsTo("loss", below=1.0), runs=A, baseline=B)


def test_times_are_compared_by_their_means_up_to_the_budget_each_between_two_looks() -> None:
    found = estimate(STEPS, crossing({"a": (80, math.inf, 60), "b": (20, 20, 30)}))
    assert found.interval.effect == pytest.approx((75 + 100 + 55) / (15 + 15 + 25))
    assert found.sample.columns["first_low"] == (70.0, 100.0, 50.0)
    assert found.sample.columns["first_high"] == (80.0, 100.0, 60.0)
    assert found.sample.columns["second_low"] == (10.0, 10.0, 20.0)
    assert found.notes == ("a: 1 of 3 runs missed the target and count as their budget",)
    back = estimate(STEPS, crossing({"b": (80, math.inf, 60), "a": (20, 20, 30)})).interval
    assert (found.interval.low, found.interval.high) == pytest.approx((1 / back.high, 1 / back.low))


def test_a_difference_of_times_holds_both_looks() -> None:
    kind = PairedDifference(measure=STEPS.measure, runs=A, baseline=B)
    found = estimate(kind, crossing({"a": (80, 90, 60), "b": (20, 20, 30)}))
    assert found.interval.effect == pytest.approx((60 + 70 + 30) / 3)
    assert found.sample.columns["low"] == (50.0, 60.0, 20.0)
    assert found.sample.columns["high"] == (70.0, 80.0, 40.0)


def test_proportions_count_runs() -> None:
    solved = Reached(LOSS, below=2.2)
    assert of(Proportion(measure=solved, runs=A)).interval.effect == pytest.approx(2 / 3)
    difference = of(ProportionDifference(measure=solved, runs=A, baseline=B))
    assert difference.interval.effect == pytest.approx(1 / 3)
    assert difference.num_runs == 6
    assert of(Proportion(measure=Diverged(), runs=A), lambda run: run.seed == 2).interval.effect == pytest.approx(1 / 3)


def test_seeds_are_counted_that_stand_behind_the_interval() -> None:
    arms = tuple(Arm(name=name, training=TRAINING, num_seeds=number) for name, number in (("a", 9), ("b", 4)))
    results = make_results(make_experiment(arms=arms), lambda run: {"test_loss": float(run.seed + len(run.arm))})
    assert estimate(PairedDifference(measure=LOSS, runs=A, baseline=B), results).num_seeds == 4
    assert estimate(ProportionDifference(measure=Reached(LOSS, above=2.0), runs=A, baseline=B), results).num_seeds == 4
    assert estimate(Mean(measure=LOSS, runs=A), results).num_seeds == 9


def test_a_proportion_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the measure must be 0 or 1 in every run, got .1.0, 2.0, 4.0.; use Reached"):
        of(Proportion(measure=LOSS, runs=A))


def test_several_runs_of_a_seed_are_one_unit_of_a_proportion() -> None:
    results = sweep(lambda run: {"test_loss": float(run.seed == 1), "validation_loss": 1.0})
    found = estimate(Proportion(measure=Reached(LOSS, above=0.5), runs=A), results)
    assert (found.num_runs, found.num_seeds) == (36, 3)
    assert found.sample.columns == {"successes": (0.0, 12.0, 0.0), "trials": (12.0, 12.0, 12.0)}
    assert found.interval.high - found.interval.low > 0.7
    grid = estimate(Proportion(measure=Reached(LOSS, above=0.5), runs=A, exact=True), results).interval
    assert (grid.low, grid.high) == pytest.approx((1 / 3, 1 / 3))


def test_a_median_bears_a_run_without_a_value() -> None:
    found = of(Median(measure=Last("probe"), runs=A), lambda run: run.seed == 0)
    assert found.interval.effect == 3.0
    assert found.notes == ("a: 1 of 3 seeds have no value and may lie anywhere",)


def test_a_correlation_is_over_seeds_and_needs_five_runs() -> None:
    results = sweep(lambda run: {"test_loss": run.settings["learning_rate"] ** (2 - run.seed), "validation_loss": 1.0})
    found = estimate(Correlation(first=LOSS, second=Setting("learning_rate"), runs=(A,)), results)
    assert found.num_runs == 36
    assert math.isnan(found.interval.effect)  # the third seed's loss does not vary: it has no correlation
    results = sweep(lambda run: {"test_loss": run.settings["learning_rate"] ** 2 + run.seed, "validation_loss": 1.0})
    exactly = Correlation(first=LOSS, second=Setting("learning_rate"), runs=(A,), exact=True)
    found = estimate(exactly, results).interval
    assert found.low == found.effect == found.high
    assert 0.2 < found.effect < 1.0
    assert math.isnan(of(Correlation(first=LOSS, second=Last("probe"), runs=(A,))).interval.effect)


def test_the_worst_deviation_is_exact() -> None:
    assert of(WorstDeviation(measure=LOSS, expected=2.0, runs=(A, B))).interval.effect == pytest.approx(1.0)
    assert of(WorstDeviation(measure=LOSS, expected=Last("probe"), runs=(A,))).interval.effect == 0.0
    absolute = of(WorstDeviation(measure=LOSS, expected=0.0, runs=(A,), absolute=True))
    assert absolute.interval.low == absolute.interval.high == 4.0
    assert absolute.interval.above is None


def test_a_statement_about_averages_compares_the_mean_over_seeds_at_each_setting() -> None:
    kind = WorstDeviation(measure=LOSS, expected=7 / 3, runs=(A,), mean_over_seeds=True)
    assert of(kind).interval.effect == pytest.approx(0.0, abs=1e-12)
    results = sweep(lambda run: {"test_loss": run.settings["learning_rate"] + run.seed - 1, "validation_loss": 1.0})
    kind = WorstDeviation(measure=LOSS, expected=Setting("learning_rate"), runs=(A,), mean_over_seeds=True)
    assert estimate(kind, results).interval.effect == pytest.approx(0.0, abs=1e-12)
    stopped = WorstDeviation(measure=LOSS, expected=7 / 3, runs=(A,), mean_over_seeds=True)
    assert of(stopped, lambda run: run.seed == 1).interval.effect == math.inf


def test_the_worst_of_several_means_over_seeds_has_an_interval() -> None:
    results = sweep(
        lambda run: {"test_loss": run.settings["learning_rate"] * (1 + 0.1 * run.seed), "validation_loss": 1.0}
    )
    kind = WorstDeviation(measure=LOSS, expected=Setting("learning_rate"), runs=(A,), mean_over_seeds=True)
    found = estimate(kind, results)
    reach = 4.302653 * 0.1 / math.sqrt(3)
    assert (found.interval.effect, found.interval.high) == pytest.approx((0.1, 0.1 + reach))
    assert found.interval.low == 0.0
    assert (found.num_runs, found.num_seeds) == (36, 3)
    assert found.sample.method == "largest mean"
    assert len(found.sample.columns) == 12  # a mean for each setting
    twice = pooled(found.sample, found.sample).interval()
    assert twice.effect == pytest.approx(0.1)
    assert twice.high < found.interval.high
    each = WorstDeviation(measure=LOSS, expected=Setting("learning_rate"), runs=(A,))
    assert estimate(each, results).interval.low == pytest.approx(0.2)  # of runs: exact, so without interval


def test_a_diverged_run_deviates_without_bound_from_an_exact_statement() -> None:
    found = of(WorstDeviation(measure=LOSS, expected=2.0, runs=(A,)), lambda run: run.seed == 1)
    assert found.interval.effect == math.inf
    assert found.notes == ("1 of 3 runs have no value: an unbounded deviation",)


def test_a_relative_deviation_from_zero_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"expected must not be 0 for a relative deviation, got 0.0; set absolute=True"
    ):
        of(WorstDeviation(measure=LOSS, expected=0.0, runs=(A,)))


def test_runs_can_be_compared_with_a_named_theory() -> None:
    training = Training(
        task=NoisyQuadraticMoments(dimension=2),
        model=Point(dimension=2),
        optimizer=ExpectedSgd(learning_rate=0.5),
        num_steps=1,
    )
    arm = Arm(name="a", label="a", training=training)
    # v <- (1 - 0.5 h)^2 + 0.25 h with h = 1, 1/2: 0.5 and 0.6875; loss = (0.5 + 0.34375) / 2
    results = make_results(make_experiment(arms=(arm,)), lambda run: {"train_loss": 0.421875})
    kind = WorstDeviation(measure=Last("train_loss"), expected="noisy_quadratic_loss", runs=(A,))
    assert estimate(kind, results).interval.effect == pytest.approx(0.0, abs=1e-12)


def test_several_runs_of_a_seed_are_averaged_before_the_seeds_are_compared() -> None:
    results = sweep(lambda run: {"test_loss": run.settings["learning_rate"] + run.seed, "validation_loss": 1.0})
    found = estimate(Mean(measure=Over("test_loss", "mean"), runs=A), results)
    alone = estimate(Mean(measure=Best("test_loss"), runs=Selected("a", where={"learning_rate": 0.2})), results)
    assert found.interval.high - found.interval.low == pytest.approx(alone.interval.high - alone.interval.low)
    assert found.num_runs == 36


def test_what_theory_says_of_a_run_is_a_setting_and_an_axis() -> None:
    """Runs whose measure is the theory's number to the power of 2 have slope 2 over it."""

    def record(run: Run) -> dict:
        return {"test_loss": theory.predict("stability_limit", run.training) ** 2, "validation_loss": 1.0}

    results = make_results(make_experiment("a", sweep={"task.largest": (0.5, 1.0, 2.0)}), record)
    found = estimate(Slope(measure=LOSS, over="stability_limit", runs=(A,)), results)
    assert found.interval.effect == pytest.approx(2.0)
    squared = Setting("stability_limit")
    deviation = WorstDeviation(measure=Combine("ratio", LOSS, Combine("square", squared)), expected=1.0, runs=(A,))
    assert estimate(deviation, results).interval.effect == pytest.approx(0.0, abs=1e-12)
