"""Somebody's optimizer and probe: one class each, outside of the project."""

import torch

from seven_terms.optimizers import hyper_parameters, initial_state, update
from seven_terms.planning.modes import has_kernels
from seven_terms.records.canonical import decode, encode
from seven_terms.records.runs import Run, Stack
from seven_terms.spec import GaussianInputs, Mlp, Stream, Training
from seven_terms.training.train_stack import fit

from .rules import Lion, ParameterNorm

TRAINING = Training(
    task=GaussianInputs(num_features=4, num_classes=3), model=Mlp(depth=1, width=5), optimizer=Lion(), num_steps=4, batch_size=8
)  # fmt: skip


def test_a_rule_of_one_s_own_moves_every_run_by_its_own_rate():
    rules = (Lion(learning_rate=0.1), Lion(learning_rate=0.01))
    w, hyper = {"w": torch.zeros(2, 3)}, hyper_parameters(rules)
    rate_R = torch.tensor([0.1, 0.01], dtype=torch.float64)
    state = initial_state(rules[0], w, hyper)
    moved, state = update(rules[0], hyper, rate_R, w, {"w": torch.tensor([[1.0, -2.0, 0.0]] * 2)}, state, 0)
    assert torch.allclose(moved["w"], torch.tensor([[-0.1, 0.1, 0.0], [-0.01, 0.01, 0.0]]))
    assert torch.allclose(state["mean"]["w"][0], torch.tensor([0.01, -0.02, 0.0]))


def test_a_rule_and_a_probe_of_one_s_own_train_in_a_stack_and_never_in_the_kernels():
    probes = (Stream(window=2), ParameterNorm())
    runs = tuple(
        Run(experiment="own/rule", arm="lion", settings={}, seed=seed, training=TRAINING, probes=probes)
        for seed in (0, 1)
    )
    table = fit(Stack(experiment="own/rule", runs=runs)).recorder.table()
    assert sorted(table[table.metric == "parameter_norm"].step.unique()) == [0, 2, 4]
    assert not has_kernels(TRAINING)


def test_records_name_the_class_by_its_module_and_hold_a_hash_of_its_code():
    record = encode(Lion())
    assert record["is"] == "tests.extending.rules:Lion"
    assert len(record["@content"]) == 16
    assert decode(record) == Lion()
