"""Whatever a field is set to, it is refused in one sentence, or planned and trained.

Every field of every kind in the vocabulary takes every value of a list of bad ones, and pairs of what each allows alone. A case
that does not end is found by the calls that it makes, not by a clock.

Long, because the bad values and the ways to combine them are listed here once for all kinds.
"""

from __future__ import annotations

import dataclasses
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from seven_terms import spec
from seven_terms.planning import make_plan
from seven_terms.planning.workload import workload
from seven_terms.spec import (
    Adam,
    Adding,
    Arm,
    Changes,
    Claim,
    Clipping,
    Cnn,
    Curve,
    Digits,
    Distance,
    Evaluate,
    ExpectedSgd,
    Experiment,
    Figure,
    Initialization,
    Last,
    LayerGradients,
    Mean,
    Mlp,
    Model,
    NoisyQuadraticMoments,
    Normalization,
    Optimizer,
    Panel,
    Point,
    PreconditionedSharpness,
    Probe,
    Quadratic,
    Recurrent,
    Selected,
    Selection,
    Setting,
    Sgd,
    Steps,
    Stream,
    Task,
    Training,
)
from seven_terms.training.train_stack import fit

Outcome = str  # "clear", "accepted", or what went wrong
Build = Callable[[], Any]
MOST_CALLS = 6_000_000  # of a case: above, it would not end
MOST_TRAINED = 3e9  # operations of a case that is trained here
SENTENCE = re.compile(r"[^\n]{2,200}?(: | must |, )[^\n]+[.]", re.DOTALL)
LONGEST = 2_000

TRAINING = Training(task=Digits(resolution=7, num_train=40), model=Mlp(depth=2, width=8), num_steps=4, batch_size=8)
SEQUENCES = TRAINING.but(task=Adding(length=5, num_evaluated=20), model=Recurrent(width=4))
POINT = TRAINING.but(task=Quadratic(dimension=3), model=Point(dimension=3))
MOMENTS = TRAINING.but(
    task=NoisyQuadraticMoments(dimension=3), model=Point(dimension=3), optimizer=ExpectedSgd(), batch_size=None
)
IMAGES = TRAINING.but(task=Digits(resolution=7, image=True, num_train=40), model=Cnn(channels=(2, 4), strides=(2, 1)))
PROBES = (Stream(window=1), Evaluate(steps=Steps(count=2), num_examples=20), LayerGradients(steps=Steps(count=2)))
MEAN = Mean(measure=Last("test_loss"), runs=Selected("plain", where={"learning_rate": 0.1}))
CLAIM = Claim(id="A", statement="s", source="s", estimate=MEAN, rule=spec.Above(0.0), unit="u", because="b")
CURVE = Curve(metric="test_loss", runs={"plain": Selected("plain")})
PANEL = Panel(title="t", content=CURVE, x_label="x", y_label="y")
FIGURE = Figure(name="one", caption="c", panels=(PANEL,))
PLAIN = Arm(name="plain", label="plain", training=TRAINING)
EXPERIMENT = Experiment(
    name="one",
    term="learning_rate",
    title="t",
    question="q",
    method="m",
    arms=(PLAIN, Arm(name="deep", label="deep", training=TRAINING.but({"model.depth": 3}))),
    sweep={"optimizer.learning_rate": (0.1, 0.3)},
    num_seeds=2,
    probes=PROBES,
    noise_floor_arm="plain",
    claims=(CLAIM,),
    figures=(FIGURE,),
)

BOTH = {"measure": Last("test_loss"), "runs": Selected("plain"), "baseline": Selected("deep")}
ALONE = {"measure": Last("test_loss"), "runs": Selected("plain")}
OF_SWEEP = {"setting": "learning_rate", "runs": Selected("plain")}
LABELLED = {"runs": {"plain": Selected("plain")}}
GIVEN: tuple[Any, ...] = (  # kinds whose fields have no default
    *(EXPERIMENT, PLAIN, TRAINING, Changes(num_seeds=1), CLAIM, MEAN, FIGURE, PANEL, CURVE),
    *(spec.Above(0.0), spec.Below(1.0), spec.Within(0.0, 1.0), spec.Ranked(0), Selected("plain")),
    *(Last("test_loss"), spec.At("test_loss", step=2), spec.Best("test_loss"), spec.AtBest("test_loss", "train_loss")),
    *(spec.Over("test_loss"), spec.StepsTo("test_loss", below=1.0), spec.Reached(Last("test_loss"), below=1.0)),
    *(spec.LogSlope("test_loss"), spec.Combine("log", Last("test_loss")), Setting("optimizer.learning_rate")),
    *(spec.Median(**ALONE), spec.PairedDifference(**BOTH), spec.PairedRatio(**BOTH), spec.ProportionDifference(**BOTH)),
    *(spec.Proportion(**ALONE), spec.Slope(measure=Last("test_loss"), over="learning_rate", runs=(Selected("plain"),))),
    spec.BestSetting(measure=Last("test_loss"), **OF_SWEEP),
    spec.Regret(measure=Last("test_loss"), picked=Setting("learning_rate"), picks=Selected("deep"), **OF_SWEEP),
    spec.Correlation(first=Last("test_loss"), second=Last("train_loss"), runs=(Selected("plain"),)),
    spec.WorstDeviation(measure=Last("test_loss"), expected=1.0, runs=(Selected("plain"),)),
    spec.SweepCurve(measure=Last("test_loss"), over="learning_rate", **LABELLED),
    spec.Survival(measure=spec.StepsTo("test_loss", below=1.0), **LABELLED),
    spec.Bars(measure=Last("test_loss"), **LABELLED),
    spec.Heatmap(measure=Last("test_loss"), x="learning_rate", y="learning_rate", runs=Selected("plain")),
    spec.Cloud(x=Last("test_loss"), y=Last("train_loss"), **LABELLED),
    spec.Reference(label="r", y=1.0),
    spec.Metric(name="x"),
    # smaller than their defaults, so that they train in no time
    *(
        TRAINING.task,
        TRAINING.model,
        IMAGES.model,
        SEQUENCES.model,
        SEQUENCES.task,
        POINT.task,
        MOMENTS.task,
        POINT.model,
    ),
    spec.TemporalOrder(length=10, num_evaluated=20),
    spec.GaussianInputs(num_features=5),
    spec.LinearRegression(num_examples=40),
    spec.Resnet(n=1, width=2, normalization=None),
    spec.GroupNorm(num_groups=2),
    spec.BatchNorm(ghost=4),
    *PROBES,
    # of a user's file, class and function
    spec.ArrayData(path="mlxtend:data/data/iris.csv.gz"),
    spec.Module(cls="tests.extending.nets:Net", arguments={"width": 8}),
    spec.Function(cls="torch.nn:GELU", arguments={"approximate": "tanh"}),
)
# trained by Lightning, after its own rules: see tests/extending/test_lightning.py
OUTSIDE = {spec.Instance, spec.LightningTraining, spec.Cost}


def kinds() -> tuple[type, ...]:
    every = {value for value in vars(spec).values() if getattr(value, "is_checked", False)}
    return tuple(sorted(every - OUTSIDE, key=lambda kind: kind.__name__))


def sample(kind: type) -> Any:
    return next((one for one in GIVEN if type(one) is kind), None) or kind()


BAD: tuple[Any, ...] = (
    *("x", "", " ", "a\nb", "\x00", "_x", "../x", "#$%{", "\ud800", "x" * 5_000),
    *(-1, 0, 1, 2, 3, 7, -0.5, 0.5, 1.0, 1e-300, 1e300, math.nan, math.inf, -math.inf, 10**9, 10**13, 10**400),
    *(True, False, None, (), [], {}, (1, 1), (0,), ("a", "a"), [1.0], {"x": 1}, {1: 2}, {"x": ()}),
    *(object(), b"x", 1j, int, Sgd, Sgd(), Last("test_los"), Selected("plan"), range(3), frozenset({1})),
)


def values_for(value: Any) -> Iterator[Any]:
    """Yield what a field that holds a value may be set to by mistake."""
    yield from BAD
    match value:
        case str():
            yield from (value + "x", value[:-1], value.upper(), f" {value}")
        case tuple():
            yield from (value * 2, list(value), value[:1], value[::-1], (*value, None), set(map(repr, value)))
        case dict():
            yield from ({**value, "zzz": 1}, {**value, "optimizer.learning_rat": (0.1,)}, list(value), {3: value})
        case bool():
            yield not value
        case int() | float():
            yield from (-value, value * 2, value + 0.1, str(value), (value,), {"x": value})


def cases(kind: type) -> Iterator[tuple[str, Build]]:
    """Yield what to call a case, and what makes the experiment."""
    base = sample(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    for name in names:
        for value in values_for(getattr(base, name)):
            yield f"{kind.__name__}.{name} = {value!r:.60}", _with(base, {name: value})
        yield f"{kind.__name__}.{name} misspelt", _with(base, {f"{name[:-1]}q": getattr(base, name)})
    yield f"{kind.__name__} unknown", _with(base, {"zzz": 1})
    yield f"{kind.__name__} alone", lambda: kind(1)
    yield f"{kind.__name__} nothing", lambda: experiment_with(kind())


def contradictions(kind: type, *, number: int) -> Iterator[tuple[str, Build]]:
    """Yield pairs of fields, each set to what it takes alone."""
    base, chance = sample(kind), random.Random(kind.__name__)
    allowed = [(f.name, value) for f in dataclasses.fields(kind) for value in values_for(getattr(base, f.name))
               if outcome_of(_alone(base, {f.name: value}))[0] == "accepted"]  # fmt: skip
    for _ in range(number if len({name for name, _ in allowed}) > 1 else 0):
        changes = dict(chance.sample(allowed, 2))
        yield f"{kind.__name__} {changes!r:.150}", _with(base, changes)


def _with(base: Any, changes: dict[str, Any]) -> Build:
    return lambda: experiment_with(dataclasses.replace(base, **changes))


def _alone(base: Any, changes: dict[str, Any]) -> Build:
    return lambda: dataclasses.replace(base, **changes)


def experiment_with(value: Any) -> Experiment | None:
    """Return a tiny experiment in which a value stands where its kind belongs; None for what stands nowhere."""
    match value:
        case Experiment():
            return value
        case Arm():
            return dataclasses.replace(EXPERIMENT, arms=(value, *EXPERIMENT.arms[1:]))
        case Changes():
            return dataclasses.replace(EXPERIMENT, scales={"smoke": value}).at_scale("smoke")
        case Selection():
            best = dataclasses.replace(MEAN, runs=Selected("plain", best=("learning_rate",)))
            return with_claim(dataclasses.replace(CLAIM, estimate=best), selection=value)
        case Claim():
            return with_claim(value)
        case Figure():
            return dataclasses.replace(EXPERIMENT, figures=(value,))
        case Panel():
            return with_panel(value)
        case spec.Reference():
            return with_panel(dataclasses.replace(PANEL, references=(value,)))
        case Selected():
            return with_claim(dataclasses.replace(CLAIM, estimate=dataclasses.replace(MEAN, runs=value)))
        case spec.Ranked():
            return experiment_with(Selected("plain", where={"learning_rate": value}))
        case Probe():
            return with_probe(value)
        case Steps():
            return with_training(TRAINING, probes=(Evaluate(steps=value, num_examples=20),))
        case spec.Metric():
            return None
    if isinstance(value, spec.Measure):
        return with_claim(dataclasses.replace(CLAIM, estimate=dataclasses.replace(MEAN, measure=value)))
    if isinstance(value, spec.Estimate):
        return with_claim(dataclasses.replace(CLAIM, estimate=value))
    if isinstance(value, spec.Rule):
        return with_claim(dataclasses.replace(CLAIM, rule=value))
    if isinstance(value, spec.Content):
        return with_panel(dataclasses.replace(PANEL, content=value))
    return with_training(training_with(value))


def training_with(value: Any) -> Training:
    match value:
        case Training():
            return value
        case Task():
            if value.supply == "function":
                base = MOMENTS if value.moments else POINT
                return base.but(task=value, model=Point(dimension=value.num_outputs))
            return (SEQUENCES if len(value.input_shape) == 2 else TRAINING).but(task=value)
        case Model():
            if isinstance(value, Point):
                return POINT.but(model=value, task=Quadratic(dimension=value.dimension))
            return (SEQUENCES if 2 in value.takes else IMAGES if value.takes == (3,) else TRAINING).but(model=value)
        case Normalization():
            return TRAINING.but({"model.normalization": value})
        case Optimizer():
            return (MOMENTS if value.moments else TRAINING).but(optimizer=value)
        case Clipping():
            return TRAINING.but(clipping=value)
        case Initialization():
            return SEQUENCES.but(initialization=value)
        case spec.Function():
            return TRAINING.but({"model.activation": value})
    return TRAINING.but(schedule=value)


def with_training(training: Training, *, probes: tuple[Probe, ...] = PROBES[:2]) -> Experiment:
    arms = (dataclasses.replace(PLAIN, training=training),)
    return dataclasses.replace(EXPERIMENT, arms=arms, probes=probes, sweep={}, claims=(), figures=())


def with_probe(probe: Probe) -> Experiment:
    training = SEQUENCES if "states" in probe.needs else POINT if isinstance(probe, Distance) else TRAINING
    training = training.but(optimizer=Adam()) if isinstance(probe, PreconditionedSharpness) else training
    return with_training(training, probes=(probe,))


def with_claim(claim: Claim, **fields: Any) -> Experiment:
    return dataclasses.replace(EXPERIMENT, claims=(claim,), **fields)


def with_panel(panel: Panel) -> Experiment:
    return dataclasses.replace(EXPERIMENT, figures=(dataclasses.replace(FIGURE, panels=(panel,)),))


class Endless(BaseException):
    """A case made more calls than it may."""


@contextmanager
def few_calls(most: int) -> Iterator[None]:
    made = 0

    def count(*_: Any) -> None:
        nonlocal made
        made += 1
        if made > most:
            raise Endless

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(before)


def outcome_of(build: Build) -> tuple[Outcome, Any]:
    """Return "clear", "accepted" with what was planned, or in words what else happened."""
    try:
        with few_calls(MOST_CALLS):
            made = build()
            return "accepted", make_plan(made, scale="smoke") if isinstance(made, Experiment) else None
    except ValueError as error:
        text = str(error)
        fits = type(error) is ValueError and SENTENCE.fullmatch(text) and len(text) < LONGEST
        return ("clear" if fits else f"{type(error).__name__} in another form: {text[:200]!r}"), None
    except Endless:
        return "no end", None
    except Exception as error:  # whatever it is, it is what this test looks for
        return f"{type(error).__name__}: {str(error)[:200]}", None


def trains(plan: Any) -> bool:
    """Tell whether a plan is trained here: without a download, and in no time."""
    stack = next(iter(plan.stacks.values()))
    training = stack.runs[0].training
    if training.num_devices > 1 or training.task.supply == "file" or "mnist" in repr(training.task):
        return False
    if isinstance(training.task, spec.Cifar10):
        return False
    asked = workload(training, stack.runs[0].probes, num_runs=len(stack.runs), num_seeds=2)
    return asked.operations < MOST_TRAINED and asked.launches < 20_000 and asked.memory_bytes < 2e8


def after_training(plan: Any) -> Outcome:
    try:
        fit(next(iter(plan.stacks.values())))
    except Exception as error:
        return f"training, {type(error).__name__}: {str(error)[:200]}"
    return "accepted"


def test_every_kind_has_a_sample() -> None:
    assert all(type(sample(kind)) is kind for kind in kinds())
    assert len(kinds()) > 80


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_field_of_a_kind_is_refused_in_one_sentence_or_planned(kind: type) -> None:
    outcomes = {case: outcome_of(build)[0] for case, build in (*cases(kind), *contradictions(kind, number=10))}
    assert {case: found for case, found in outcomes.items() if found not in ("clear", "accepted")} == {}


def test_what_is_accepted_can_be_trained() -> None:
    chance, wrong = random.Random(0), {}
    planned = [(case, plan) for kind in kinds() if trained_kind(kind)
               for case, build in (*cases(kind), *contradictions(kind, number=10))
               for _, plan in [outcome_of(build)] if plan is not None and trains(plan)]  # fmt: skip
    for case, plan in chance.sample(planned, min(NUM_TRAINED, len(planned))):
        found = after_training(plan)
        if found != "accepted":
            wrong[case] = found
    assert wrong == {}


NUM_TRAINED = 30


def trained_kind(kind: type) -> bool:
    return issubclass(kind, (Task, Model, Normalization, Optimizer, Probe)) or kind in (Training, Steps, Initialization)


def main() -> None:
    """Print how many cases ended how."""
    counts: Counter[str] = Counter()
    train = "train" in sys.argv
    for kind in kinds():
        for case, build in (*cases(kind), *contradictions(kind, number=40)):
            found, plan = outcome_of(build)
            if train and plan is not None and trained_kind(kind) and trains(plan):
                found = after_training(plan)
                counts["trained"] += 1
            counts[found if found in ("clear", "accepted") else "other"] += 1
            if found not in ("clear", "accepted"):
                print(case, "->", found, flush=True)
    print(counts)


if __name__ == "__main__":
    main()
