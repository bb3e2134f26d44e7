"""Which trainings our own kernels take: a list of what they know, class by class and field by field."""

import dataclasses
from dataclasses import dataclass

import pytest

from seven_terms.planning import modes
from seven_terms.planning.modes import KNOWN, has_kernels, knows
from seven_terms.spec import BatchNorm, Clipping, Digits, Mlp, Sgd, Training

TRAINING = Training(task=Digits(), model=Mlp(normalization=BatchNorm()), num_steps=10, batch_size=20)


def test_every_listed_field_exists():
    for kind, listed in KNOWN.items():
        assert set(listed) <= {field.name for field in dataclasses.fields(kind)}, kind


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Sgd, "momentum", 0.9),
        (Mlp, "residual", True),
        (BatchNorm, "center", False),
        (Digits, "binarize", True),
        (Clipping, "norm", 1.0),
    ],
)
def test_a_field_that_kernels_have_not_heard_of_goes_to_pytorch_unless_it_is_at_its_default(
    kind, name, value, monkeypatch
):
    assert knows(kind(**{name: value}))
    rest = {field: known for field, known in KNOWN[kind].items() if field != name}
    monkeypatch.setattr(modes, "KNOWN", {**KNOWN, kind: rest})
    assert knows(kind())
    assert not knows(kind(**{name: value}))


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSgd(Sgd):
    lookahead: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnMlp(Mlp):
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnDigits(Digits):
    pass


@pytest.mark.parametrize(
    "changes", [{"optimizer": OwnSgd()}, {"model": OwnMlp()}, {"task": OwnDigits()}], ids=["rule", "model", "task"]
)
def test_a_class_derived_from_a_known_one_goes_to_pytorch(changes):
    assert has_kernels(TRAINING)
    assert not has_kernels(dataclasses.replace(TRAINING, **changes))


@pytest.mark.parametrize("activation", ["gelu", "rleu", "", None])
def test_an_activation_that_kernels_do_not_know_goes_to_pytorch(activation):
    model = Mlp()
    object.__setattr__(model, "activation", activation)
    assert not has_kernels(dataclasses.replace(TRAINING, model=model))


def test_what_is_no_record_is_not_known():
    assert not knows(None)
    assert not knows(Sgd)
    assert not knows({"learning_rate": 0.1})
