"""What is timed: one training each, taken R times with rates spread over a grid and a few seeds."""

from __future__ import annotations

import dataclasses

from seven_terms.records.runs import Run, Stack
from seven_terms.spec import (
    BatchNorm,
    Clipping,
    Cnn,
    Digits,
    Initialization,
    Mlp,
    Recurrent,
    Sgd,
    TemporalOrder,
    Training,
)

NUM_SEEDS = 5
MLP = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=3, width=100, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9),
    num_steps=2000,
    batch_size=60,
)
RNN = Training(
    task=TemporalOrder(length=30),
    model=Recurrent(cell="tanh", width=50),
    initialization=Initialization(kind="smart_tanh"),
    optimizer=Sgd(),
    clipping=Clipping(
        norm=0.1
    ),  # gradients are between 0.02 and 0.4: most steps are clipped, so clipping is checked too
    num_steps=2000,
    batch_size=20,
)
CNN = Training(
    task=Digits(resolution=14, image=True),
    model=Cnn(),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9),
    num_steps=2000,
    batch_size=20,
)
WORKLOADS: dict[str, Training] = {
    "mlp": MLP,
    "mlp_batch_norm": dataclasses.replace(MLP, model=dataclasses.replace(MLP.model, normalization=BatchNorm())),
    "rnn_30": RNN,
    "rnn_100": dataclasses.replace(RNN, task=TemporalOrder(length=100)),
    "cnn": CNN,
}


def grid(training: Training, num_runs: int, *, num_steps: int) -> Stack:
    """Return R runs: rates from 0.001 to 0.01, five seeds."""
    runs = []
    for index in range(num_runs):
        rate = 0.001 * 10 ** (index / max(num_runs - 1, 1))
        optimizer = dataclasses.replace(training.optimizer, learning_rate=rate)
        changed = dataclasses.replace(training, optimizer=optimizer, num_steps=num_steps)
        runs.append(
            Run(experiment="bench/bench", arm="a", settings={}, seed=index % NUM_SEEDS, training=changed, probes=())
        )
    return Stack(experiment="bench/bench", runs=tuple(runs))
