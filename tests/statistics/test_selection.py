"""Selection: on validation data, never a diverging setting, and said when the best is at the edge of its grid."""

from __future__ import annotations

import math

import pytest

from seven_terms.records.runs import Run
from seven_terms.spec import (
    Arm,
    At,
    Constant,
    Cosine,
    Diverged,
    Experiment,
    Last,
    Mean,
    Proportion,
    Ranked,
    Reached,
    Selected,
    Selection,
)
from seven_terms.statistics.estimates import estimate
from seven_terms.statistics.results import Results
from seven_terms.statistics.selection import Chosen, select, select_each

from .synthetic import TRAINING, make_experiment, make_results

RATES = (0.1, 0.2, 0.4, 0.8)


def sweeping(**changes: object) -> Experiment:
    sweep = {"optimizer.learning_rate": RATES, "num_steps": (50, 100)}
    arms = tuple(Arm(name=name, label=name, training=TRAINING, sweep=sweep) for name in "ab")
    return make_experiment(arms=arms, **changes)


def record(run: Run) -> dict:
    """Arm a is best at 0.2 in 50 steps and at 0.4 in 100; arm b at 0.8. Seeds disagree by a little."""
    rate, budget = run.settings["learning_rate"], run.settings["num_steps"]
    best = 0.8 if run.arm == "b" else {50: 0.2, 100: 0.4}[budget]
    return {"validation_loss": abs(rate - best) + 0.01 * run.seed, "test_loss": rate}


@pytest.fixture(scope="module")
def results() -> Results:
    return make_results(sweeping(), record)


def rates(selected: Selected, results: Results) -> set[float]:
    return rates_of(select(selected, results), results)


def rates_of(chosen: Chosen, results: Results) -> set[float]:
    return {results.runs[i].settings["learning_rate"] for i in chosen.positions}


def at(arm: str, budget: int, **others: object) -> Selected:
    return Selected(arm, where={"num_steps": budget}, best=("learning_rate",), **others)  # type: ignore[arg-type]


def test_the_best_rate_is_chosen_for_each_budget(results: Results) -> None:
    assert rates(at("a", 50), results) == {0.2}
    assert rates(at("a", 100), results) == {0.4}
    assert len(select(at("a", 50), results).positions) == 3


def test_a_rank_stands_for_the_value_that_this_scale_sweeps(results: Results) -> None:
    for position, budget in ((0, 50), (1, 100), (-1, 100), (-2, 50)):
        ranked = Selected("a", where={"num_steps": Ranked(position)}, best=("learning_rate",))
        assert select(ranked, results).positions.tolist() == select(at("a", budget), results).positions.tolist()
    with pytest.raises(ValueError, match=r"Ranked: the position must be one among the values \[50, 100\], got 2"):
        select(Selected("a", where={"num_steps": Ranked(2)}), results)


def test_a_rate_may_be_a_multiple_of_what_is_best_for_another_arm(results: Results) -> None:
    doubled = at("b", 50, best_of="a", times=2.0)
    assert rates(doubled, results) == {0.4}
    assert select(doubled, results).settings == {"learning_rate": 0.4}
    with pytest.raises(ValueError, match="some must have"):
        select(at("b", 50, best_of="a", times=3.0), results)


def test_each_value_of_a_sweep_gets_its_own_selection(results: Results) -> None:
    chosen = select_each(Selected("a", best=("learning_rate",)), "num_steps", results)
    assert {value: one.settings["learning_rate"] for value, one in chosen.items()} == {50: 0.2, 100: 0.4}


def test_a_field_or_a_theory_may_stand_for_a_sweep(results: Results) -> None:
    for name in ("best_learning_rate", "task.largest"):
        assert len(select_each(Selected("a"), name, results)) == 1
    chosen = select_each(Selected("a", where={"num_steps": 50}), "curvature_limit", results)
    assert {value: rates_of(one, results) for value, one in chosen.items()} == {2 / rate: {rate} for rate in RATES}
    assert list(chosen) == sorted(chosen)


def test_a_best_value_at_the_edge_of_its_grid_is_said(results: Results) -> None:
    assert select(at("b", 50), results).notes == ("b: best learning_rate at the edge of its grid",)
    assert select(at("a", 50), results).notes == ()


def test_best_of_takes_the_values_of_the_other_arm(results: Results) -> None:
    assert rates(at("b", 50, best_of="a"), results) == {0.2}


def test_a_setting_with_one_diverged_run_never_wins() -> None:
    results = make_results(
        sweeping(), record, diverged=lambda run: run.settings["learning_rate"] == 0.2 and run.seed == 1
    )
    assert rates(at("a", 50), results) == {0.1}


def test_when_every_setting_diverges_the_one_with_fewest_is_taken_and_said() -> None:
    results = make_results(
        sweeping(),
        record,
        diverged=lambda run: run.seed == 0 or (run.seed == 1 and run.settings["learning_rate"] > 0.1),
    )
    chosen = select(at("a", 50), results)
    assert chosen.settings == {"learning_rate": 0.1}
    assert "a: every setting has diverged runs, the one with fewest is taken" in chosen.notes


def test_accuracy_is_selected_for_its_maximum_and_best_of_run_counts_if_asked() -> None:
    def accuracy(run: Run) -> dict:
        rate = run.settings["learning_rate"]
        return {"validation_accuracy": {0: rate, 100: 1.0 - rate}}

    sweep = {"optimizer.learning_rate": RATES}
    last = make_experiment("a", sweep=sweep, selection=Selection(metric="validation_accuracy", which="max"))
    best = make_experiment("a", sweep=sweep, selection=Selection(metric="validation_accuracy", which="max", at="best"))
    everything = Selected("a", best=("learning_rate",))
    assert rates(everything, make_results(last, accuracy)) == {0.1}
    assert rates(everything, make_results(best, accuracy)) == {0.1}
    middle = make_results(best, lambda run: {"validation_accuracy": {0: run.settings["learning_rate"], 100: 0.0}})
    assert rates(everything, middle) == {0.8}


def test_sweeps_over_records_can_be_fixed_and_chosen() -> None:
    experiment = make_experiment("a", sweep={"schedule": (Constant(), Cosine())})
    results = make_results(experiment, lambda run: {"validation_loss": float(run.settings["schedule"] == Constant())})
    chosen = select(Selected("a", best=("schedule",)), results)
    assert chosen.settings == {"schedule": Cosine()}
    assert chosen.notes == ()


def test_a_value_that_was_not_swept_is_refused_with_what_was(results: Results) -> None:
    with pytest.raises(
        ValueError, match=r"some must have .*75.*got .*'100', '50'.*; name values of this scale's sweep"
    ):
        select(at("a", 75), results)


def test_a_sweep_that_the_arm_does_not_have_is_refused(results: Results) -> None:
    with pytest.raises(ValueError, match=r"only .'learning_rate', 'num_steps'. are swept"):
        select(Selected("a", best=("momentum",)), results)


def test_an_unknown_arm_is_refused(results: Results) -> None:
    with pytest.raises(ValueError, match=r"arm 'c' must have runs, got .'a', 'b'."):
        select(Selected("c"), results)


def test_of_the_runs_so_named_those_count_of_which_something_given_holds() -> None:
    def record(run: Run) -> dict:
        return {"validation_loss": 1.0, "test_loss": float(run.seed)}

    results = make_results(make_experiment("a"), record)
    begun = Selected("a", given=Reached(Last("test_loss"), above=0.5))
    chosen = select(begun, results)
    assert [results.runs[i].seed for i in chosen.positions] == [1, 2]
    assert chosen.notes == ("a: given what must hold first, 2 of 3 runs count",)
    found = estimate(Mean(measure=Last("test_loss"), runs=begun), results)
    assert (found.interval.effect, found.num_seeds) == (1.5, 2)
    none = estimate(
        Mean(measure=Last("test_loss"), runs=Selected("a", given=Reached(Last("test_loss"), above=9.0))), results
    )
    assert (math.isnan(none.interval.effect), none.num_runs) == (True, 0)


def test_a_run_that_diverges_has_met_what_it_met_before() -> None:
    """Otherwise no run of those given could ever have diverged, whatever is claimed of them."""
    experiment, lost = make_experiment("a"), lambda run: run.seed == 2
    results = make_results(experiment, lambda run: {"test_loss": {0: float(run.seed), 100: 1.0}}, diverged=lost)
    sharp = Selected("a", given=Reached(At("test_loss", step=0), above=0.5))
    assert [results.runs[i].seed for i in select(sharp, results).positions] == [1, 2]
    assert estimate(Proportion(Diverged(), sharp), results).interval.effect == pytest.approx(0.5)
    ended = Selected("a", given=Reached(Last("test_loss"), above=0.5))
    assert [results.runs[i].seed for i in select(ended, results).positions] == [0, 1]
