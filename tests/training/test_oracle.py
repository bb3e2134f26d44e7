"""The stacked trainer against a plain PyTorch loop over the same batches, in float64."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from seven_terms.models import build_model, initial_parameters
from seven_terms.records.runs import Stack
from seven_terms.spec import BatchNorm, Clipping, Cosine, Mlp, Sgd
from seven_terms.tasks import build_task
from seven_terms.training.train_stack import fit

from .stacks import MLP, make_run

CASES = {
    "plain": MLP,
    "momentum, decay, schedule": dataclasses.replace(
        MLP, optimizer=Sgd(learning_rate=0.2, momentum=0.8, weight_decay=1e-2, nesterov=True), schedule=Cosine()
    ),
    "clipped": dataclasses.replace(MLP, clipping=Clipping(norm=0.1)),
    "batch norm": dataclasses.replace(MLP, model=Mlp(depth=2, width=24, normalization=BatchNorm())),
}


def plain_losses(training, seed):
    """Return the batch losses of a loop written the usual way, with torch.optim."""
    task = build_task(training.task, dtype=torch.float64, device=torch.device("cpu"))
    module = build_model(training.model, input_shape=task.input_shape, num_outputs=task.num_outputs).double()
    module.load_state_dict(initial_parameters(module, training.initialization, seed), strict=False)
    optimizer = torch.optim.SGD(
        module.parameters(),
        lr=training.optimizer.learning_rate,
        momentum=training.optimizer.momentum,
        weight_decay=training.optimizer.weight_decay,
        nesterov=training.optimizer.nesterov,
    )
    losses = []
    for step in range(training.num_steps):
        optimizer.param_groups[0]["lr"] = training.optimizer.learning_rate * training.schedule.factor(
            step, training.num_steps
        )
        inputs, labels = (t[0] for t in task.batches([seed], step * training.batch_size, training.batch_size))
        loss = nn.functional.cross_entropy(module(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), training.clipping.norm)
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("case", CASES)
def test_a_stack_of_one_follows_the_plain_loop(case):
    training = dataclasses.replace(CASES[case], precision="float64")
    run = make_run(training, seed=3)
    table = fit(Stack(experiment="test/one", runs=(run,))).recorder.table()
    ours = table[table["metric"] == "batch_loss"]["value"].to_numpy()
    np.testing.assert_allclose(ours, plain_losses(training, 3), rtol=1e-9)
