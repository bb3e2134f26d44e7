"""Somebody's nn.Module: no file of this project is touched."""

import dataclasses

import pytest
import torch

from seven_terms.planning.cost import facts, runs_per_stack
from seven_terms.records.runs import Run, Stack
from seven_terms.spec import (
    Digits,
    Evaluate,
    Initialization,
    Model,
    Module,
    Sgd,
    Steps,
    Stream,
    TemporalOrder,
    Training,
    read_path,
    replace_path,
)
from seven_terms.training.train_stack import fit

NETS = "tests.extending.nets"
TASK = Digits(resolution=7)
PROBES = (Stream(window=1), Evaluate(steps=Steps(count=2), splits=("test",), num_examples=100))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def training(model: Model, **fields: object) -> Training:
    return dataclasses.replace(
        Training(task=TASK, model=model, optimizer=Sgd(learning_rate=0.1, momentum=0.9), num_steps=6, batch_size=10),
        **fields,
    )


def trained(one: Training, seeds: tuple[int, ...]) -> dict[int, list[float]]:
    """Return every run's metrics, as one stack where the model can be stacked."""
    runs = tuple(
        Run(experiment="own/net", arm="net", settings={}, seed=seed, training=one, probes=PROBES) for seed in seeds
    )
    size = runs_per_stack(one, len(runs))
    found: dict[int, list[float]] = {}
    for first in range(0, len(runs), size):
        part = runs[first : first + size]
        table = fit(Stack(experiment="own/net", runs=part)).recorder.table()
        found |= {run.seed: table[table.run_id == run.id].value.tolist() for run in part}
    return found


@pytest.mark.parametrize("model", [Module(cls=f"{NETS}:Net"), Module(cls=f"{NETS}:Net", arguments={"dropout": 0.3}),
                                   Module(cls=f"{NETS}:Transformer")])  # fmt: skip
def test_a_module_of_plain_pytorch_trains_in_a_stack_as_it_does_alone(model):
    one = training(model)
    assert facts(one).stacks, facts(one).because
    together, alone = trained(one, (0, 1, 2)), trained(one, (1,))
    assert together[1] == pytest.approx(alone[1], rel=1e-5)
    assert len({tuple(values) for values in together.values()}) == 3


def test_what_cannot_be_stacked_is_said_in_a_sentence_and_trains_run_by_run():
    one = training(Module(cls=f"{NETS}:GruNet"), task=TemporalOrder(length=10))
    assert not facts(one).stacks
    assert facts(one).because
    assert runs_per_stack(one, 5) == 1
    found = trained(one, (0, 1))
    assert found[0] != found[1]
    assert trained(one, (0,))[0] == found[0]


def test_dropout_is_drawn_from_the_run_s_own_seed_and_changes_what_is_learned():
    dropped = trained(training(Module(cls=f"{NETS}:Net", arguments={"dropout": 0.5})), (0, 1))
    assert trained(training(Module(cls=f"{NETS}:Net", arguments={"dropout": 0.5})), (1,))[1] == pytest.approx(
        dropped[1], rel=1e-5
    )
    assert trained(training(Module(cls=f"{NETS}:Net")), (0,))[0] != dropped[0]


@pytest.mark.parametrize("kind", ["default", "he", "glorot", "orthogonal"])
def test_every_matrix_starts_with_other_numbers_for_every_seed(kind):
    one = training(Module(cls=f"{NETS}:Transformer"), initialization=Initialization(kind=kind))
    starts = []
    for seed in (0, 1):
        run = Run(experiment="own/net", arm="net", settings={}, seed=seed, training=one, probes=PROBES)
        from seven_terms.training.program import StackedProgram

        starts.append(StackedProgram(Stack(experiment="own/net", runs=(run,))).parameters)
    for name, first in starts[0].items():
        assert first.dim() < 3 or not torch.equal(first, starts[1][name]), name


def test_a_module_whose_weights_no_seed_draws_is_refused_by_name():
    with pytest.raises(ValueError, match=r"model Module.*must be drawn.*'weight'"):
        facts(training(Module(cls=f"{NETS}:Fixed")))


def test_an_argument_that_the_constructor_does_not_take_is_refused_with_those_it_takes():
    with pytest.raises(ValueError, match=r"among those of its constructor \(num_inputs, num_outputs, width, dropout\)"):
        facts(training(Module(cls=f"{NETS}:Net", arguments={"widht": 3})))


def test_a_missing_package_is_named():
    with pytest.raises(ValueError, match=r"no module named 'nowhere'.*; install 'nowhere'"):
        facts(training(Module(cls="nowhere.nets:Net")))


def test_arguments_are_swept_by_their_path():
    one = training(Module(cls=f"{NETS}:Net", arguments={"width": 16}))
    wide = replace_path(one, "model.arguments.width", 32)
    assert read_path(wide, "model.arguments.width") == 32
    assert facts(wide).num_parameters > facts(one).num_parameters
