"""Each field is held against its annotation, in one sentence, when a value is made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from seven_terms.spec import (
    Above,
    Activations,
    Adam,
    Adding,
    Arm,
    At,
    BatchNorm,
    Claim,
    Clipping,
    Cnn,
    Combine,
    Cosine,
    CovariateShift,
    Curve,
    Digits,
    Evaluate,
    ExpectedSgd,
    Experiment,
    Figure,
    GaussianInputs,
    GroupNorm,
    LagGradients,
    Last,
    LayerNorm,
    LinearRegression,
    Mean,
    Mlp,
    OneCycle,
    Over,
    Panel,
    Point,
    PowerFunction,
    PreconditionedSharpness,
    Probe,
    Quadratic,
    Ranked,
    Reached,
    Recurrent,
    Reference,
    Selected,
    Sgd,
    Step,
    Steps,
    StepsTo,
    Stream,
    TemporalOrder,
    Training,
    WarmupStableDecay,
    Within,
    checked,
)
from seven_terms.spec.limits import Positive

TRAINING = Training(task=Digits(), model=Mlp(), num_steps=10, batch_size=5)
BIG: Any = 10**13


@checked
class Own:
    """A kind that the suite has never heard of."""

    rate: Positive = 0.1


@dataclass(frozen=True)
class Plain(Mlp):
    """A kind of somebody who did not decorate it."""

    extra: float = 0.0


def bad(**anything: Any) -> Any:
    """Hide from the type checker what the checks must find."""
    return anything


def experiment(*probes: Probe, training: Training = TRAINING, **fields: Any) -> Experiment:
    common = {"title": "t", "question": "q", "method": "m", "term": "batch_norm", "name": "one"}
    return Experiment(**common, arms=(Arm(name="a", label="a", training=training),), probes=probes, **fields)


STEPS_TO = Claim(
    id="A",
    statement="s",
    source="s",
    estimate=Mean(measure=StepsTo("test_loss", below=1.0), runs=Selected("a")),
    rule=Above(0.0),
    unit="u",
    because="b",
)
LAST_OF_BATCH = replace(STEPS_TO, estimate=Mean(measure=Last("batch_loss"), runs=Selected("a")))
SENTENCES: list[tuple[Callable[[], Any], str]] = [
    # which fields there are
    (lambda: Sgd(**bad(learning_rat=0.1)), "Sgd: it has no field 'learning_rat'; try 'learning_rate'."),
    (lambda: Cosine(**bad(zzz=0.1)), "Cosine: it has no field 'zzz'; its fields are final."),
    (lambda: replace(Sgd(), **bad(momentun=0.1)), "Sgd: it has no field 'momentun'; try 'momentum'."),
    (lambda: Sgd(*(0.1,)), "Sgd: its fields must be named, got 0.1 alone; write `learning_rate=...`."),  # type: ignore
    (lambda: Training(**bad(task=Digits(), model=Mlp())), "Training: num_steps must be given; write `num_steps=...`."),
    # types
    (lambda: Mlp(**bad(depth=3.0)), "Mlp: depth must be a whole number, got 3.0; write 3."),
    (lambda: Mlp(**bad(depth=True)), "Mlp: depth must be a whole number, got True."),
    (lambda: Sgd(**bad(learning_rate="0.1")), "Sgd: learning_rate must be a number, got '0.1'."),
    (lambda: Sgd(**bad(learning_rate=True)), "Sgd: learning_rate must be a number, got True."),
    (lambda: Sgd(**bad(nesterov=1)), "Sgd: nesterov must be True or False, got 1."),
    (lambda: Digits(**bad(num_train="3")), "Digits: num_train must be a whole number or None, got '3'."),
    (lambda: Step(**bad(fractions=[0.5])), "Step: fractions must be a tuple, got [0.5]; write (0.5,)."),
    (lambda: Evaluate(**bad(splits="test")), "Evaluate: splits must be a tuple, got 'test'; write ('test',)."),
    (lambda: Last(**bad(metric=3)), "Last: metric must be text, got 3."),
    (lambda: Arm(name="a", label="a", training=TRAINING, sweep=bad(num_steps=5)), "Arm: sweep must be a tuple, got 5 in {'num_steps': 5}; write (5,)."),
    # kinds
    (lambda: replace(TRAINING, **bad(clipping=Sgd(momentum=0.5))), "Training: clipping must be of kind Clipping, got Sgd(learning_rate=0.1, momentum=0.5, weight_decay=0.0, nesterov=False, average_iterates=False)."),
    (lambda: replace(TRAINING, **bad(model="x")), "Training: model must be of kind Model, got 'x'."),
    (lambda: Mlp(**bad(normalization=BatchNorm)), "Mlp: normalization must be of kind Normalization or None, got <class 'seven_terms.spec.models.BatchNorm'>; write BatchNorm() for a value of it."),
    (lambda: replace(TRAINING, model=Plain(**bad(extra="x"))), "Plain: extra must be a number, got 'x'."),
    (lambda: Own(rate=-1.0), "Own: rate must be > 0, got -1.0."),
    # words
    (lambda: Mlp(**bad(activation="rleu")), "Mlp: activation must be one of 'sigmoid', 'tanh', 'relu', 'identity', 'softsign', got 'rleu'; try 'relu'."),
    (lambda: Digits(**bad(resolution=28.0)), "Digits: resolution must be one of 28, 14, 7, got 28.0."),
    (lambda: Evaluate(**bad(splits=("tset",))), "Evaluate: splits must be one of 'train', 'validation', 'test', got 'tset' in ('tset',); try 'test'."),
    (lambda: Over("x", **bad(statistic="maen")), "Over: statistic must be one of 'mean', 'median', 'std', 'detrended_std', 'min', 'max', 'sum', 'displacement', 'max_over_median', got 'maen'; try 'mean'."),
    # numbers
    (lambda: Sgd(learning_rate=-0.3), "Sgd: learning_rate must be > 0, got -0.3."),
    (lambda: Sgd(learning_rate=math.nan), "Sgd: learning_rate must be a finite number > 0, got nan."),
    (lambda: Sgd(learning_rate=math.inf), "Sgd: learning_rate must be a finite number > 0, got inf."),
    (lambda: Sgd(learning_rate=1e300), "Sgd: learning_rate must be at most 3.4e+38, got 1e+300."),
    (lambda: Sgd(momentum=1.5), "Sgd: momentum must be in [0, 1], got 1.5."),
    (lambda: Adam(beta1=math.nan), "Adam: beta1 must be in [0, 1), got nan."),
    (lambda: Adam(beta2=1.0), "Adam: beta2 must be in [0, 1), got 1.0."),
    (lambda: Clipping(norm=0.0), "Clipping: norm must be > 0 (infinity is off), got 0.0."),
    (lambda: Mlp(depth=-1), "Mlp: depth must be >= 0, got -1."),
    (lambda: TemporalOrder(length=5), "TemporalOrder: length must be >= 10, got 5."),
    (lambda: Step(fractions=(1.2,)), "Step: fractions must be in [0, 1], got 1.2 in (1.2,)."),
    (lambda: Above(math.nan), "Above: threshold must be a finite number, got nan."),
    (lambda: Last("x", index=-2), "Last: index must be >= -1, got -2."),
    (lambda: Ranked(BIG), "Ranked: position must be at most 1,000,000,000, got 10000000000000."),
    (lambda: replace(TRAINING, num_steps=BIG), "Training: num_steps must be at most 1,000,000, got 10000000000000."),
    (lambda: replace(TRAINING, batch_size=0), "Training: batch_size must be >= 1 or None, got 0."),
    (lambda: replace(TRAINING, batch_growth=((0.5, 0),)), "Training: batch_growth must be >= 1, got 0 in (0.5, 0)."),
    # text
    (lambda: Arm(name="a", label="_base", training=TRAINING), "Arm: label must be one line of text that does not begin with _, got '_base'."),
    (lambda: Figure(name="../x", caption="x", panels=()), "Figure: name must be 1 to 60 lower-case letters (a-z), digits and _, the first no _, got '../x'."),
    (lambda: Claim(id="A\n", **bad(statement="")), "Claim: source must be given; write `source=...`."),
    # lists
    (lambda: Figure(name="x", caption="x", panels=()), "Figure: panels must not be empty, got ()."),
    (lambda: Evaluate(splits=("test", "test")), "Evaluate: splits must name nothing twice, got ('test', 'test')."),
    # fields that belong together
    (lambda: Sgd(nesterov=True), "Sgd: momentum must be > 0 for nesterov, got 0.0; give a momentum."),
    (lambda: Cnn(channels=(8,)), "Cnn: strides must be as many as channels, 1, got (2, 2, 1)."),
    (lambda: Point(dimension=3, start=(1.0, 2.0)), "Point: start must have a number for each coordinate, got (1.0, 2.0)."),
    (lambda: Recurrent(cell="lstm", regularization=1.0), "Recurrent: regularization needs a simple cell whose last state is read, got ('lstm', False)."),
    (lambda: LinearRegression(num_features=3), "LinearRegression: num_informative must be at most num_features=3, got 10."),
    (lambda: WarmupStableDecay(warmup=0.8, cooldown=0.8), "WarmupStableDecay: warmup and cooldown must not overlap, so their sum must be <= 1, got (0.8, 0.8)."),
    (lambda: OneCycle(warmup=2.0), "OneCycle: warmup must be in [0, 1], got 2.0."),
    (lambda: Step(fractions=(0.7, 0.5)), "Step: fractions must not decrease, got (0.7, 0.5)."),
    (lambda: Steps(last=False), "Steps: every, at, count or last must choose a step, got Steps(every=None, at=(), count=None, spacing='linear', last=False)."),
    (lambda: replace(TRAINING, batch_growth=((0.5, 2), (0.2, 4))), "Training: the fractions of batch_growth must increase, got (0.5, 0.2)."),
    (lambda: At("x"), "At('x'): exactly one of step and fraction must be given, got (None, None)."),
    (lambda: Over("x", start=0.9, stop=0.1), "Over('x'): start must be <= stop, got (0.9, 0.1)."),
    (lambda: StepsTo("x"), "StepsTo('x'): one of above, below and target_of must be given, or target_of with one of the others, got (None, None, None)."),
    (lambda: Reached(Last("x")), "Reached: above or below must be given, got (None, None)."),
    (lambda: Combine("ratio", Last("x")), "Combine('ratio'): ratio, difference and product need a second measure, the others take none, got None."),
    (lambda: Selected("a", where={"x": 1}, best=("x",)), "Selected('a'): a setting must be fixed in `where` or chosen in `best`, not both, got ['x']."),
    (lambda: Selected("a", times=2.0), "Selected('a'): times must be 1 without best_of, got 2.0; name the arm in best_of."),
    (lambda: Within(1.0, 1.0), "Within: low must be < high, got (1.0, 1.0)."),
    (lambda: Reference(label="x"), "reference 'x': exactly one of x, y and theory must be given, got (None, None, None)."),
    (lambda: Panel(title="x", content=Curve(metric="x", runs={"": Selected("a")}), x_label="", y_label="", y_limits=(1.0, 0.0)), "panel 'x': y_limits must increase, got (1.0, 0.0)."),
    # parts that go together
    (lambda: TRAINING.but({"model.normalization": BatchNorm()}, batch_size=1), "BatchNorm: statistics need more than one value of each feature, got 'a batch of 1'; take a larger batch_size."),
    (lambda: TRAINING.but({"model.normalization": BatchNorm(ghost=3)}), "BatchNorm: ghost must divide the batch, 5 examples, got 3."),
    (lambda: TRAINING.but({"model.normalization": BatchNorm(ghost=2)}, batch_size=4, num_devices=4), "BatchNorm: ghost must divide the batch of each device, 1 examples, got 2."),
    (lambda: TRAINING.but({"model.normalization": BatchNorm(ghost=5)}, batch_growth=((0.5, 800),)), "Training: batch_size times the growth must be at most 3,500, the training split of Digits, got 4000."),
    (lambda: TRAINING.but({"model.normalization": GroupNorm(num_groups=3)}), "GroupNorm: num_groups must divide the 100 features that are normalized, got 3."),
    (lambda: replace(TRAINING, batch_size=4000), "Training: batch_size must be at most 3,500, the training split of Digits, got 4000."),
    (lambda: Mlp(parametrization="mup", normalization=LayerNorm()), "Mlp: normalization must be None with muP, whose derivation knows no gains and shifts, got LayerNorm(eps=1e-05)."),
    (lambda: Digits(num_train=4000), "Digits: num_train must be at most 3,500, as many as there are, got 4000."),
    (lambda: TRAINING.but(task=GaussianInputs(), batch_size=None), "Training: batch_size must be a number, since the examples of GaussianInputs never end, got None."),
    (lambda: TRAINING.but(task=Adding()), "Mlp on Adding: examples must be vectors (features) or images (channels, height, width), got (50, 2)."),
    (lambda: TRAINING.but(model=Recurrent()), "Recurrent on Digits: examples must be sequences (time, features), got (784,)."),
    (lambda: TRAINING.but(task=Adding(), model=Recurrent(read_all=True)), "Recurrent on Adding: read_all must be False, as Adding wants an answer at the end, got True."),
    (lambda: TRAINING.but(model=Cnn()), "Cnn on Digits: examples must be images (channels, height, width), got (784,); set image=True on the task."),
    (lambda: TRAINING.but(model=Point()), "Point on Digits: the task must be a function of the parameters alone, got Digits(source='bundled', split='seed', resolution=28, binarize=False, num_train=None, image=False, loss='cross_entropy'); take Quadratic, NoisyQuadraticMoments, PowerFunction, OneUnitRecurrence or LinearMemory."),
    (lambda: TRAINING.but(task=Quadratic(), model=Point(dimension=3)), "Point on Quadratic: dimension must be 100, as the task has it, got 3."),
    (lambda: TRAINING.but(task=PowerFunction(), model=Mlp(depth=0)), "Mlp on PowerFunction: the model must be a Point, since the task is a function of the parameters alone, got Mlp(depth=0, width=100, activation='relu', normalization=None, placement='before', residual=False, bias=True, parametrization='standard', base_width=64)."),
    (lambda: TRAINING.but(optimizer=ExpectedSgd()), "ExpectedSgd on Digits: the task must be NoisyQuadraticMoments, whose parameters are second moments, got Digits(source='bundled', split='seed', resolution=28, binarize=False, num_train=None, image=False, loss='cross_entropy')."),
    (lambda: TRAINING.but(model=Mlp(depth=10_000, width=100_000)), "Training: the model must have at most 1e+09 parameters, got 99991079400010; make it smaller."),
    (lambda: TRAINING.but(task=TemporalOrder(length=10_000, num_evaluated=1_000_000), model=Recurrent()), "Training: the train split of TemporalOrder must have at most 1e+10 numbers, got 60000000000; make it smaller."),
    (lambda: experiment(LagGradients()), "experiment 'one', arm 'a', probe LagGradients: the model must be recurrent, with a hidden state for each time step, got Mlp(depth=3, width=100, activation='relu', normalization=None, placement='before', residual=False, bias=True, parametrization='standard', base_width=64)."),
    (lambda: experiment(Activations(), training=TRAINING.but({"model.depth": 0})), "Activations: the model must have 1 or more hidden layers, got 0."),
    (lambda: experiment(PreconditionedSharpness()), "PreconditionedSharpness: the optimizer must be Adam, got Sgd(learning_rate=0.1, momentum=0.0, weight_decay=0.0, nesterov=False, average_iterates=False)."),
    (lambda: experiment(CovariateShift(), training=TRAINING.but(num_steps=0)), "CovariateShift: num_steps must be > 0, since it looks at an update, got 0."),
    (lambda: experiment(num_seeds=200, sweep={"optimizer.learning_rate": tuple(range(1, 1001))}), "experiment 'one': arms x settings x seeds must be at most 100,000 runs, got 200000."),
    (lambda: experiment(Stream(), training=TRAINING.but(num_steps=0), claims=(LAST_OF_BATCH,)), "experiment 'one', claim 'A': 'batch_loss' is recorded at updates, so num_steps must be > 0, got 0."),
    (lambda: experiment(Evaluate(), training=TRAINING.but(num_steps=0), claims=(STEPS_TO,)), "experiment 'one', claim 'A': StepsTo is over steps, so num_steps must be > 0, got 0."),
]  # fmt: skip


@pytest.mark.parametrize(("build", "sentence"), SENTENCES, ids=[sentence[:60] for _, sentence in SENTENCES])
def test_what_cannot_be_is_refused_in_one_sentence(build: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError) as refusal:
        build()
    assert str(refusal.value) == sentence


def test_a_whole_number_stands_for_a_number_with_a_fraction() -> None:
    assert Sgd(learning_rate=1).learning_rate == 1


def test_a_long_value_is_cut() -> None:
    with pytest.raises(ValueError) as refusal:
        Experiment(**bad(name="x" * 1000))
    assert "must be given" in str(refusal.value)
    with pytest.raises(ValueError) as refusal:
        Figure(name="x" * 1000, caption="x", panels=())
    assert len(str(refusal.value)) < 300
