"""Specs as JSON and back, ids, and which runs share a stack."""

import dataclasses
import hashlib
import inspect
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import EXPERIMENTS
from seven_terms import spec
from seven_terms.planning.stacks import program_key, runs_of, stacks_of
from seven_terms.records.canonical import canonical_json, content_id, decode, encode
from seven_terms.records.runs import Run
from seven_terms.spec import (
    BatchNorm,
    Clipping,
    Cosine,
    Digits,
    Initialization,
    Instance,
    Metric,
    Mlp,
    OneCycle,
    Over,
    Selected,
    Sgd,
    Step,
    Steps,
    Stream,
    Training,
    replace_paths,
)

TRAINING = Training(task=Digits(), model=Mlp(), num_steps=100, batch_size=10)
SPECS = [kind for _, kind in inspect.getmembers(spec, dataclasses.is_dataclass) if isinstance(kind, type)]
seeded = settings(derandomize=True, deadline=None)
FLOATS = st.floats(min_value=1e-6, max_value=1e6) | st.just(math.inf)


def parts(value: Any) -> list[Any]:
    """Return every dataclass inside a value, itself included."""
    found = [value] if dataclasses.is_dataclass(value) else []
    if dataclasses.is_dataclass(value):
        inside = [getattr(value, field.name) for field in dataclasses.fields(value)]
    else:
        inside = list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else []
    return found + [part for item in inside for part in parts(item)]


def example(kind: type) -> Any:
    """Return a value with nested specs, an infinity and a tuple in its required fields."""
    given = {
        "metric": "loss",
        "name": "loss",
        "cls": "json:JSONDecoder",
        "path": "mlxtend:data/data/iris.csv.gz",
        **{"num_parameters": 1, "flops_per_step": 1.0, "module": Instance(cls="a.b:C")},
        **{"trainer": {"max_steps": 1}, "metrics": {"x": Metric(name="x")}},
        "low": 0.0,
        "high": math.inf,
        "runs": (Selected("a", where={"rate": math.inf}), Selected("b")),
    }
    required = [f.name for f in dataclasses.fields(kind) if f.default is f.default_factory is dataclasses.MISSING]
    return kind(**{name: given.get(name, Over("loss", start=0.5)) for name in required})


def through_json(value: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


@pytest.mark.parametrize("kind", SPECS, ids=lambda kind: kind.__name__)
def test_every_spec_comes_back_from_json(kind: type) -> None:
    written = [part for experiment in EXPERIMENTS for part in parts(experiment) if type(part) is kind]
    for value in written[:20] or [example(kind)]:
        again = through_json(value)
        assert type(again) is kind
        assert again == value


@seeded
@given(
    rate=FLOATS.filter(math.isfinite),
    momentum=st.floats(0, 1, allow_subnormal=False),
    norm=FLOATS,
    value=FLOATS,
    at=st.lists(st.integers(0, 10**9), min_size=1, unique=True),
)
def test_any_numbers_come_back_from_json(
    rate: float, momentum: float, norm: float, value: float, at: list[int]
) -> None:
    training = dataclasses.replace(
        TRAINING, optimizer=Sgd(learning_rate=rate, momentum=momentum), clipping=Clipping(norm=norm, value=value)
    )
    assert through_json(training) == training
    assert through_json(Steps(at=tuple(at))) == Steps(at=tuple(at))


def test_an_unknown_record_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got 'Sdg'; make the plan again with this version of seven-terms\.$"):
        decode({"is": "Sdg", "learning_rate": 0.1})


@seeded
@given(order=st.permutations(["a", "b", "c", "d"]))
def test_ids_do_not_depend_on_the_order_of_fields(order: list[str]) -> None:
    content = {"a": 1, "b": TRAINING, "c": (1.0, math.inf), "d": "text"}
    assert content_id({name: content[name] for name in order}) == content_id(content)


def test_ids_tell_any_two_trainings_apart() -> None:
    changes = [{}, {"num_steps": 101}, {"model.width": 101}, {"optimizer.learning_rate": 0.2}, {"schedule": Cosine()}]
    changes += [{"clipping.norm": 1.0}, {"initialization.scale": 2.0}, {"model.normalization": BatchNorm()}]
    assert len({content_id(replace_paths(TRAINING, change)) for change in changes}) == len(changes)


def test_a_field_that_came_later_leaves_older_ids_as_they_were() -> None:
    norm = {"is": "BatchNorm", "eps": 1e-5, "momentum": 0.1, "center": True, "scale": True, "affine": True}
    assert encode(BatchNorm()) == norm | {"ghost": None, "noisy": False}
    assert encode(BatchNorm(synchronized=True)) == encode(BatchNorm()) | {"synchronized": True}
    assert "num_devices" not in encode(TRAINING)
    several = dataclasses.replace(TRAINING, num_devices=2)
    assert through_json(several) == several
    assert content_id(several) != content_id(TRAINING) == "6d5ee19609"


def test_ids_are_ten_hex_digits_of_the_canonical_json() -> None:
    assert canonical_json({"b": 1.0, "a": [0.5, True]}) == '{"a":[0.5,true],"b":1}'
    assert (
        content_id({"b": 1.0, "a": [0.5, True]})
        == hashlib.sha256(canonical_json({"a": [0.5, True], "b": 1}).encode()).hexdigest()[:10]
    )


def make_run(changes: dict[str, Any], *, seed: int = 0) -> Run:
    training = replace_paths(TRAINING, changes)
    return Run(experiment="learning_rate/one", arm="a", settings={}, seed=seed, training=training, probes=(Stream(),))


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer.learning_rate": 0.7},
        {"optimizer.momentum": 0.9},
        {"optimizer.weight_decay": 0.1},
        {"schedule": OneCycle()},
        {"schedule": Step(drop=0.3)},
        {"clipping.norm": 1.0},
        {"clipping.value": 1.0},
        {"initialization": Initialization(kind="orthogonal", scale=0.3)},
    ],
    ids=str,
)
def test_runs_that_differ_in_values_share_a_stack(changes: dict[str, Any]) -> None:
    assert program_key(make_run(changes, seed=7)) == program_key(make_run({}))
    assert make_run(changes).id != make_run({}).id


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": spec.Sgd(momentum=0.9, nesterov=True)},
        {"optimizer.average_iterates": True},
        {"optimizer": spec.Adam()},
        {"model.width": 7},
        {"model.normalization": BatchNorm()},
        {"batch_size": 7},
        {"num_steps": 7},
        {"clipping.adaptive": 0.1},
        {"precision": "float64"},
        {"task": Digits(resolution=7)},
        {"num_devices": 2},
    ],
    ids=str,
)
def test_runs_that_differ_in_shape_do_not_share_a_stack(changes: dict[str, Any]) -> None:
    assert program_key(make_run(changes)) != program_key(make_run({}))


@pytest.mark.parametrize(
    "experiment", [e.at_scale("smoke") for e in EXPERIMENTS if e.runs_at("smoke")], ids=lambda e: e.path
)
def test_every_run_is_in_exactly_one_stack_of_its_program(experiment: spec.Experiment) -> None:
    runs, stacks = runs_of(experiment), stacks_of(experiment)
    assert sorted(run.id for run in runs) == sorted(run.id for stack in stacks for run in stack.runs)
    assert all(len({program_key(run) for run in stack.runs}) == 1 for stack in stacks)
