"""Runs in turn agree with the stack in float64, whatever rule, clipping and buffers they have, and go on from a checkpoint."""

import dataclasses

import numpy as np
import pytest
import torch

from seven_terms.records.runs import Stack
from seven_terms.spec import Adam, BatchNorm, Clipping, Module, Sgd
from seven_terms.training.program import StackedProgram

from .stacks import MLP, STACKED, make_runs, numbers

MLP_64 = dataclasses.replace(MLP, precision="float64")
BATCH_NORM = dataclasses.replace(MLP_64.model, normalization=BatchNorm())
NOISY = dataclasses.replace(MLP_64.model, normalization=BatchNorm(noisy=True))
OWN = Module(cls="tests.training.test_serial:Reassigning", arguments={})
CHANGES = {
    "momentum, decay and a bound on the norm": {
        "optimizer": Sgd(momentum=0.9, weight_decay=1e-3, nesterov=True),
        "clipping": Clipping(norm=0.5),
    },
    "Adam": {"optimizer": Adam(weight_decay=1e-2, decoupled=True), "clipping": Clipping(value=1e-3)},
    "bounds by unit": {"clipping": Clipping(adaptive=0.02)},
    "batch normalization": {"model": BATCH_NORM},
    "noise that is drawn anew": {"model": NOISY},
    "a readout alone": {"trained": "readout", "optimizer": Sgd(momentum=0.9), "clipping": Clipping(norm=0.5)},
    "batches that grow": {"batch_growth": ((0.5, 2),)},
    "a module that puts another buffer in place of its own": {"model": OWN},
}


class Reassigning(torch.nn.Module):
    def __init__(self, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(num_inputs, num_outputs)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls = self.calls + 1
        return self.layer(x.flatten(1))


def in_turn(runs):
    return tuple(dataclasses.replace(run, mode="serial") for run in runs)


@pytest.mark.parametrize("name", CHANGES)
def test_runs_in_turn_end_where_the_stack_ends(name):
    runs = make_runs(dataclasses.replace(MLP_64, **CHANGES[name]), 3)
    together, alone = numbers(runs), numbers(in_turn(runs))
    for run, other in zip(runs, in_turn(runs), strict=True):
        np.testing.assert_allclose(alone[other.id], together[run.id], rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_state_that_is_put_back_goes_on_to_the_same_bits():
    stack = Stack(experiment="test/one", runs=in_turn(make_runs(STACKED["mlp"], 3)))
    whole, halves = StackedProgram(stack), StackedProgram(stack)
    whole.advance(0, 4)
    halves.advance(0, 2)
    saved = [{name: one.clone() for name, one in kept.items()} for kept in (halves.parameters, halves.buffers)]
    state = {kept: {name: one.clone() for name, one in values.items()} for kept, values in halves.state.items()}
    again = StackedProgram(stack)
    again.load_state(*saved, state)
    again.advance(2, 4)
    for name, parameter in whole.parameters.items():
        assert torch.equal(again.parameters[name], parameter), name
