"""Every measure and estimate of the vocabulary can be said in words."""

import typing

import pytest

from experiments import EXPERIMENTS
from seven_terms import spec
from seven_terms.report.wording import estimate_in_words, measure_in_words, runs_in_words
from seven_terms.spec import (
    At,
    AtBest,
    Best,
    BestSetting,
    Combine,
    Correlation,
    Diverged,
    Estimate,
    Last,
    LogSlope,
    Mean,
    Measure,
    Median,
    Over,
    PairedDifference,
    PairedRatio,
    Proportion,
    ProportionDifference,
    Ranked,
    Reached,
    Regret,
    Selected,
    Setting,
    Slope,
    StepsTo,
    WorstDeviation,
)

LABELS = {"a": "plain", "b": "batch norm"}
A, B = (
    Selected("a", best=("learning_rate", "scale")),
    Selected("b", where={"num_steps": 1500}, best_of="a", best=("rate",)),
)
LOSS = Last("test_loss")

MEASURES = {
    "final test loss": LOSS,
    "test loss at step 40": At("test_loss", step=40),
    "test loss at 50 % of the run": At("test_loss", fraction=0.5),
    "highest test accuracy of the run": Best("test_accuracy", "max"),
    "learning rate where batch loss is lowest": AtBest("learning_rate", of="batch_loss"),
    "standard deviation of test loss between 50 % and 100 % of the run": Over("test_loss", "std", start=0.5),
    "number of steps until test accuracy is above 0.9": StepsTo("test_accuracy", above=0.9),
    "number of steps until test accuracy reaches the final test accuracy of “plain”": StepsTo(
        "test_accuracy", target_of=("a", Last("test_accuracy"))
    ),
    "divergence": Diverged(),
    "final test loss below 0.01": Reached(LOSS, below=0.01),
    "slope of the logarithm of train loss over step": LogSlope("train_loss"),
    "final test loss over final train loss": Combine("ratio", LOSS, Last("train_loss")),
    "logarithm of final test loss": Combine("log", LOSS),
    "final test loss minus 0.5": Combine("difference", LOSS, 0.5),
    "learning rate": Setting("optimizer.learning_rate"),
}
ESTIMATES = {
    Mean: (Mean(measure=LOSS, runs=A, log=True), "geometric mean over seeds, Student's t"),
    Median: (Median(measure=LOSS, runs=A), "median over seeds, sign test"),
    PairedDifference: (
        PairedDifference(measure=LOSS, runs=A, baseline=B),
        "mean difference over shared seeds, paired t",
    ),
    PairedRatio: (PairedRatio(measure=LOSS, runs=A, baseline=B), "paired t on logarithms"),
    Proportion: (Proportion(measure=Diverged(), runs=A), "share of runs with divergence"),
    ProportionDifference: (ProportionDifference(measure=Diverged(), runs=A, baseline=B), "Newcombe's interval"),
    Slope: (
        Slope(measure=LOSS, over="batch_size", runs=(A,), argbest="learning_rate"),
        "slope of the logarithm of learning rate that is best over the logarithm of batch size for the mean over seeds",
    ),
    BestSetting: (
        BestSetting(measure=LOSS, setting="learning_rate", runs=A, baseline=B),
        "best learning rate by final",
    ),
    Correlation: (
        Correlation(first=LOSS, second=Diverged(), runs=(A,)),
        "Spearman's rank correlation of final test loss",
    ),
    Regret: (
        Regret(
            measure=LOSS,
            setting="learning_rate",
            picked=AtBest("learning_rate", of="batch_loss"),
            picks=B,
            runs=Selected("a"),
        ),
        "nearest to the learning rate where batch loss is lowest of “batch norm”",
    ),
    WorstDeviation: (WorstDeviation(measure=LOSS, expected=1.0, runs=(A,)), "largest relative deviation"),
}


@pytest.mark.parametrize("expected", MEASURES)
def test_measures_are_said_in_words(expected):
    assert measure_in_words(MEASURES[expected], LABELS) == expected


def test_no_measure_or_estimate_of_the_vocabulary_is_left_out():
    assert {type(measure) for measure in MEASURES.values()} == set(typing.get_args(Measure))
    assert set(ESTIMATES) == {
        one for one in vars(spec).values() if isinstance(one, type) and issubclass(one, Estimate)
    } - {Estimate}


@pytest.mark.parametrize("kind", ESTIMATES)
def test_estimates_are_said_in_words(kind):
    estimate, expected = ESTIMATES[kind]
    assert expected in estimate_in_words(estimate, LABELS)


def test_the_offset_of_a_target_is_said():
    target = StepsTo("test_accuracy", above=-0.02, target_of=("a", Last("test_accuracy")))
    told = "number of steps until test accuracy reaches 0.02 below the final test accuracy of “plain”"
    assert measure_in_words(target, LABELS) == told


def test_runs_are_named_by_label_and_choice():
    assert runs_in_words(A, LABELS) == "“plain” at its own best learning rate and scale"
    assert runs_in_words(B, LABELS) == "“batch norm” at num steps = 1500 and the rate that is best for “plain”"
    assert runs_in_words(Selected("a", where={"rate": Ranked(-1)}), LABELS) == "“plain” at the largest rate"
    scaled = Selected("b", best=("rate",), best_of="a", times=8.0)
    assert runs_in_words(scaled, LABELS) == "“batch norm” at 8 times the rate that is best for “plain”"


INTERVALS = ("Student's t", "paired t", "Wilson's", "Newcombe's", "sign test", "Fisher's", "without interval")


def test_every_claim_of_the_experiments_says_its_interval():
    for experiment in EXPERIMENTS:
        labels = {arm.name: arm.label for arm in experiment.arms}
        for claim in experiment.claims:
            told = estimate_in_words(claim.estimate, labels)
            assert any(interval in told for interval in INTERVALS), told
