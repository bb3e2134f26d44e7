"""What is not trained stays as it was drawn, to the last bit, and counts nowhere."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from seven_terms.planning.modes import compiler, mode_of
from seven_terms.records.runs import Run, Stack
from seven_terms.spec import BatchNorm, Clipping, Exponential, GaussianInputs, Mlp, Sgd, Training, replace_paths
from seven_terms.training.program import StackedProgram

NET = Training(
    task=GaussianInputs(num_features=6, num_classes=3),
    model=Mlp(depth=2, width=5, normalization=BatchNorm()),
    optimizer=Sgd(learning_rate=0.1, momentum=0.5, weight_decay=0.1),
    num_steps=3,
    batch_size=8,
    precision="float64",
)
AFFINE = {f"layers.{layer}.normalization.{name}" for layer in (0, 1) for name in ("weight", "bias")}
READOUT = {"readout.weight", "readout.bias"}


def program_of(training, mode="eager"):
    run = Run(experiment="t/x", arm="a", settings={}, seed=1, training=training, probes=(), mode=mode)
    return StackedProgram(Stack(experiment="t/x", runs=(run,)))


@pytest.mark.parametrize("mode", ["eager", "serial"])
@pytest.mark.parametrize(("trained", "expected"), [("normalization", AFFINE), ("readout", READOUT)])
def test_what_is_not_trained_stays_as_it_was_drawn(mode, trained, expected):
    program = program_of(dataclasses.replace(NET, trained=trained), mode)
    before = {name: tensor.clone() for name, tensor in program.parameters.items()}
    for number in range(3):
        program.update(number)
    moved = {name for name, tensor in program.parameters.items() if not torch.equal(tensor, before[name])}
    assert moved == expected
    assert set(program.state["velocity"]) == expected


@pytest.mark.skipif(not compiler(), reason="kernels need a C++ compiler")
@pytest.mark.parametrize(("trained", "decay"), [("normalization", 0.0), ("readout", 0.1), ("hidden", 0.1)])
def test_the_kernels_leave_what_is_not_trained_as_it_was_drawn(trained, decay):
    plain = dataclasses.replace(NET, trained=trained, optimizer=Sgd(learning_rate=0.1, weight_decay=decay))
    assert mode_of(plain, 1, compiling="auto") == "native"
    native, eager = (program_of(plain, mode) for mode in ("native", "eager"))
    before = {name: tensor.clone() for name, tensor in native.parameters.items()}
    for number in range(3):
        native.update(number)
        eager.update(number)
    moved = {name for name, tensor in native.parameters.items() if not torch.equal(tensor, before[name])}
    assert moved == set({"normalization": AFFINE, "readout": READOUT, "hidden": set(before) - READOUT}[trained])
    for name, tensor in eager.parameters.items():
        torch.testing.assert_close(native.parameters[name][0], tensor[0], rtol=1e-9, atol=1e-12, msg=name)


def test_hidden_parameters_are_all_but_the_readout():
    program = program_of(dataclasses.replace(NET, trained="hidden"))
    before = {name: tensor.clone() for name, tensor in program.parameters.items()}
    program.update(0)
    program.update(1)
    moved = {name for name, tensor in program.parameters.items() if not torch.equal(tensor, before[name])}
    assert {"layers.0.linear.weight", "layers.1.linear.weight"} | AFFINE <= moved
    assert not moved & READOUT


def test_what_is_trained_moves_as_it_does_beside_all_others_at_the_first_update():
    alone, together = (program_of(dataclasses.replace(NET, trained=trained)) for trained in ("normalization", "all"))
    for program in (alone, together):
        program.update(0)
    for name in AFFINE:
        torch.testing.assert_close(alone.parameters[name], together.parameters[name], rtol=0, atol=0)


def test_a_gradients_norm_is_that_of_what_is_trained():
    program = program_of(dataclasses.replace(NET, trained="readout", clipping=Clipping(norm=1e-3)))
    _, gradients = program.gradients(program.parameters, program.frozen_buffers(), program.batch_of_step(0))
    told = program.update(0)
    squares = sum(gradients[name][0].square().sum() for name in READOUT)
    assert told["gradient_norm"][0].item() == pytest.approx(squares.sqrt().item(), rel=1e-12)
    assert told["clipped_gradient_norm"][0].item() == pytest.approx(1e-3, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model.normalization": None, "trained": "normalization"}, "the model must have a normalization"),
        ({"model.normalization.affine": False, "trained": "normalization"}, "with gains and shifts"),
        ({"model.depth": 0, "trained": "readout"}, "the model must have hidden layers"),
    ],
)
def test_parameters_that_a_model_lacks_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace_paths(NET, changes)


def test_weight_decay_under_batch_norm_is_a_growing_rate_without_decay():
    rate, decay, steps = 0.5, 0.02, 12
    shrinks = 1 - rate * decay
    changes = {"model.normalization": BatchNorm(eps=0.0, affine=False), "model.bias": False, "num_steps": steps}
    net = replace_paths(NET, {**changes, "trained": "hidden"})
    with_decay = program_of(dataclasses.replace(net, optimizer=Sgd(learning_rate=rate, weight_decay=decay)))
    without = program_of(
        dataclasses.replace(
            net,
            optimizer=Sgd(learning_rate=rate / shrinks),
            schedule=Exponential(final=shrinks ** (-2 * steps)),
        )
    )
    for number in range(steps):
        losses = [program.update(number)["batch_loss"][0].item() for program in (with_decay, without)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    for name in ("layers.0.linear.weight", "layers.1.linear.weight"):
        torch.testing.assert_close(
            with_decay.parameters[name], shrinks**steps * without.parameters[name], rtol=1e-11, atol=0
        )
    assert torch.equal(with_decay.parameters["readout.weight"], without.parameters["readout.weight"])
