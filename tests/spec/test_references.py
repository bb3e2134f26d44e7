"""What an experiment refers to exists, or it is refused in one sentence when it is made, or at the scale that changes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from experiments import EXPERIMENTS
from seven_terms.spec import (
    THEORIES,
    Above,
    Adam,
    Arm,
    BestSetting,
    Changes,
    Claim,
    Curve,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Last,
    LayerGradients,
    Mean,
    Mlp,
    Panel,
    Point,
    Quadratic,
    Ranked,
    Reference,
    Selected,
    Selection,
    Setting,
    Slope,
    Steps,
    StepsTo,
    Stream,
    SweepCurve,
    Training,
    WorstDeviation,
    metric_of,
    metrics_of,
)
from seven_terms.statistics.theory import PREDICTIONS

TRAINING = Training(task=Digits(), model=Mlp(depth=2), num_steps=10, batch_size=5)
RATE = "optimizer.learning_rate"
EXPERIMENT = Experiment(
    name="one",
    term="learning_rate",
    title="One",
    question="Does it work?",
    method="It is tried.",
    arms=(
        Arm(name="plain", label="plain", training=TRAINING),
        Arm(name="deep", label="deep", training=TRAINING, sweep={"model.depth": (2, 3)}),
    ),
    sweep={RATE: (0.1, 0.3)},
    probes=(Stream(), Evaluate(steps=Steps(count=2)), LayerGradients()),
)


def claiming(estimate: Any, **changes: Any) -> Experiment:
    made = Claim(id="X1", statement="s", source="here", estimate=estimate, rule=Above(0.0), unit="u", because="b")
    return replace(EXPERIMENT, claims=(made,), **changes)


def mean(measure: Any = None, runs: Selected | None = None, **changes: Any) -> Experiment:
    return claiming(Mean(measure=measure or Last("test_loss"), runs=runs or Selected("plain")), **changes)


def drawing(content: Any, **changes: Any) -> Experiment:
    panel = Panel(title="t", content=content, x_label="x", y_label="y", **changes)
    return replace(EXPERIMENT, figures=(Figure(name="f", caption="c", panels=(panel,)),))


def curve(metric: str, **changes: Any) -> Curve:
    return Curve(metric=metric, runs={"plain": Selected("plain")}, **changes)


def at_smoke(**changes: Any) -> Experiment:
    return replace(EXPERIMENT, scales={"smoke": Changes(**changes)})


METRICS = (
    "batch_loss, clip_fraction, clipped_gradient_norm, gradient_norm, gradient_norm_max, layer_gradient_norm, "
    "layer_gradient_rms, layer_signal_gradient_rms, layer_weight_norm, learning_rate, test_accuracy, test_error, test_loss, "
    "train_accuracy, train_error, train_loss, validation_accuracy, validation_error, validation_loss"
)
SENTENCES: list[tuple[Callable[[], Any], str]] = [
    # arms
    (lambda: mean(runs=Selected("plian")), "claim 'X1': arm must be one of plain, deep, got 'plian'; try 'plain'."),
    (lambda: mean(runs=Selected("plain", best_of="deeep")), "claim 'X1': arm must be one of plain, deep, got 'deeep'; try 'deep'."),
    (lambda: mean(StepsTo("test_loss", target_of=("x", Last("test_loss")))), "claim 'X1': arm must be one of plain, deep, got 'x'."),
    (lambda: drawing(Curve(metric="test_loss", runs={"a": Selected("deap")})), "figure 'f', panel 0: arm must be one of plain, deep, got 'deap'; try 'deep'."),
    (lambda: replace(EXPERIMENT, noise_floor_arm="plan"), "noise floor: noise_floor_arm must be one of ['deep', 'plain'], got 'plan'; try 'plain'."),
    # settings
    (lambda: mean(runs=Selected("plain", best=("learning_rat",))), "claim 'X1', arm 'plain': a setting must be one that it sweeps: learning_rate, got 'learning_rat'; try 'learning_rate'."),
    (lambda: mean(runs=Selected("plain", where={"depth": 2})), "claim 'X1', arm 'plain': a setting must be one that it sweeps: learning_rate, got 'depth'."),
    (lambda: mean(runs=Selected("deep", where={"depth": 5})), "claim 'X1', arm 'deep': depth must be one of its values (2, 3), got 5."),
    (lambda: mean(runs=Selected("deep", where={"depth": Ranked(2)})), "claim 'X1', arm 'deep': Ranked must be a place among the 2 values of depth, got 2."),
    (lambda: claiming(Slope(measure=Last("test_loss"), over="detph", runs=(Selected("deep"),))), "claim 'X1': a setting must be swept (depth, learning_rate), a path into the training, or a theory, got 'detph'; try 'depth'."),
    (lambda: claiming(BestSetting(measure=Last("test_loss"), setting="depth", runs=Selected("plain"))), "claim 'X1': a setting must be swept (learning_rate), a path into the training, or a theory, got 'depth'; try 'depth_scale'."),
    (lambda: mean(Setting("optimizer.rate")), "claim 'X1': a setting must be swept (depth, learning_rate), a path into the training, or a theory, got 'optimizer.rate'."),
    (lambda: drawing(SweepCurve(measure=Last("test_loss"), over="width", runs={"a": Selected("plain")})), "figure 'f', panel 0: a setting must be swept (learning_rate), a path into the training, or a theory, got 'width'."),
    # metrics
    (lambda: mean(Last("test_acuracy")), f"claim 'X1': metric must be one that a probe records: {METRICS}, got 'test_acuracy'; try 'test_accuracy'."),
    (lambda: mean(Last("layer_gradient_norm")), "claim 'X1': index of 'layer_gradient_norm' must be one that is recorded, 0 to 2 or 0 to 3, got -1."),
    (lambda: mean(Last("layer_gradient_norm", index=9)), "claim 'X1': index of 'layer_gradient_norm' must be one that is recorded, 0 to 2 or 0 to 3, got 9."),
    (lambda: drawing(curve("test_los")), f"figure 'f', panel 0: metric must be one that a probe records: {METRICS}, got 'test_los'; try 'test_loss'."),
    (lambda: replace(EXPERIMENT, selection=Selection(metric="validation_los")), f"selection: selection must be on a metric that a probe records: {METRICS}, got 'validation_los'; try 'validation_loss'."),
    (lambda: replace(EXPERIMENT, noise_floor_arm="plain", probes=(Evaluate(steps=Steps(count=2), splits=("test",)),)), "selection: selection must be on a metric that a probe records: test_accuracy, test_error, test_loss, got 'validation_loss'."),
    (lambda: replace(EXPERIMENT, selection=Selection(metric="validation_accuracy")), "selection: selection.which must be 'max', the better side of 'validation_accuracy', got 'min'."),
    (lambda: mean(runs=Selected("plain", best=("learning_rate",)), selection=Selection(metric="test_loss")), "selection: selection must be on validation data, since results are reported on the test split, got 'test_loss'."),
    # theories
    (lambda: claiming(WorstDeviation(measure=Last("test_loss"), expected="depth_scal", runs=(Selected("plain"),))), f"claim 'X1': theory must be one of {', '.join(THEORIES)}, got 'depth_scal'; try 'depth_scale'."),
    (lambda: drawing(curve("test_loss"), references=(Reference(label="r", theory="q"),)), f"figure 'f', panel 0: theory must be one of {', '.join(THEORIES)}, got 'q'."),
]  # fmt: skip
WHOLE: list[tuple[Callable[[], Any], str]] = [
    (lambda: at_smoke(without_arms=("plane",)), "experiment 'one', scale 'smoke': without_arms must name an arm, one of deep, plain, got 'plane'; try 'plain'."),
    (lambda: at_smoke(arms={"plane": {}}), "experiment 'one', scale 'smoke': arms must name an arm, one of deep, plain, got 'plane'; try 'plain'."),
    (lambda: at_smoke(sweep={"optimizer.learning_rat": (0.1,)}), "experiment 'one', scale 'smoke': sweep must name a swept path, one of model.depth, optimizer.learning_rate, got 'optimizer.learning_rat'; try 'optimizer.learning_rate'."),
    (lambda: at_smoke(sweeps={"plane": {"optimizer.learning_rate": (0.1,)}}), "experiment 'one', scale 'smoke': sweeps must name an arm, one of deep, plain, got 'plane'; try 'plain'."),
    (lambda: at_smoke(seeds={"plane": 3}), "experiment 'one', scale 'smoke': seeds must name an arm, one of deep, plain, got 'plane'; try 'plain'."),
    (lambda: at_smoke(without_arms=("plain", "deep")), "experiment 'one', scale 'smoke': an arm must be left, got ['plain', 'deep']."),
    (lambda: at_smoke(num_seeds=0), "Changes: num_seeds must be >= 1 or None, got 0."),
    (lambda: at_smoke(training={"optimizer.momentun": 0.9}).at_scale("smoke"), "path 'optimizer.momentun': Sgd must have a field 'momentun', got ['learning_rate', 'momentum', 'weight_decay', 'nesterov', 'average_iterates']; try 'momentum'."),
    (lambda: replace(EXPERIMENT, **{"scales": {"smokee": Changes()}}), "Experiment: scales must be one of 'smoke', 'laptop', 'full', 'paper', got 'smokee' in {'smokee': Changes(training={}, num_seeds=None, seeds={}, seeds_at={}, sweep={}, sweeps={}, without_arms=(), probes=None, arms={}, skip=False)}; try 'smoke'."),
    (lambda: replace(EXPERIMENT, sweep={RATE: (1, 1.0)}), "Experiment: sweep must name nothing twice, got (1, 1.0) in {'optimizer.learning_rate': (1, 1.0)}."),
    (lambda: replace(EXPERIMENT, sweep={RATE: (0.1, -0.1)}), "Sgd: learning_rate must be > 0, got -0.1."),
    (lambda: replace(EXPERIMENT, noise_floor_arm="plain", arms=(*EXPERIMENT.arms, replace(EXPERIMENT.arms[0], name="plain_again"))), "experiment 'one': no arm may have the name of the A/A arm, 'plain_again', got 'plain_again'; rename it."),
    (lambda: replace(EXPERIMENT, probes=(Stream(), Stream(window=2))), "experiment 'one': metrics recorded by its probes must be unique, got ['batch_loss', 'clip_fraction', 'clipped_gradient_norm', 'gradient_norm', 'gradient_norm_max', 'learning_rate']; rename the repeated ones."),
    (lambda: replace(mean(), claims=mean().claims * 2), "experiment 'one': claims must be unique, got ['X1']; rename the repeated ones."),
    (lambda: replace(EXPERIMENT, name="LR-sweep"), "Experiment: name must be 1 to 60 lower-case letters (a-z), digits and _, the first no _, got 'LR-sweep'."),
]  # fmt: skip


@pytest.mark.parametrize(("build", "sentence"), SENTENCES, ids=[sentence[:50] for _, sentence in SENTENCES])
def test_what_is_referred_to_exists(build: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        build()
    assert str(refusal.value) == f"experiment 'one', {sentence}"


@pytest.mark.parametrize(("build", "sentence"), WHOLE, ids=[sentence[:50] for _, sentence in WHOLE])
def test_what_an_experiment_and_its_scales_must_be(build: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        build()
    assert str(refusal.value) == sentence


def test_what_a_scale_changes_is_checked_again_at_that_scale() -> None:
    changed = replace(
        mean(runs=Selected("deep", where={"depth": 3})), scales={"smoke": Changes(sweep={"model.depth": (2,)})}
    )
    with pytest.raises(ValueError, match=r"arm 'deep': depth must be one of its values \(2,\), got 3\.$"):
        changed.at_scale("smoke")


def test_the_names_of_theories_are_those_of_statistics() -> None:
    assert tuple(sorted(PREDICTIONS)) == THEORIES


def test_a_metric_knows_its_split_its_unit_and_which_way_is_better() -> None:
    metric = metric_of(EXPERIMENT, "validation_accuracy")
    assert metric is not None
    assert (metric.direction, metric.split, metric.label) == ("max", "validation", "validation accuracy")
    assert [
        one.name for one in metrics_of(Evaluate(splits=("train",)), replace(TRAINING, task=Quadratic(), model=Point()))
    ] == [
        "train_loss",
        "train_squared_distance",
    ]
    assert metrics_of(Stream(), replace(TRAINING, num_steps=0, optimizer=Adam())) == ()


def test_claims_are_unique_over_all_experiments() -> None:
    keys = [claim.key for experiment in EXPERIMENTS for claim in experiment.claims]
    assert len(set(keys)) == len(keys)
