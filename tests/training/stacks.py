"""Small stacks for the tests of training."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seven_terms.records.runs import Run, Stack
from seven_terms.spec import (
    Adam,
    BatchNorm,
    Clipping,
    Cnn,
    Digits,
    Evaluate,
    Initialization,
    Mlp,
    PolyphonicMusic,
    Recurrent,
    Resnet,
    Sgd,
    Steps,
    Stream,
    TemporalOrder,
    Training,
    Transformer,
    replace_paths,
)
from seven_terms.training.train_stack import fit

PROBES = (Stream(window=1), Evaluate(steps=Steps(count=2), splits=("validation",), num_examples=64))

MLP = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=24, activation="sigmoid"),
    initialization=Initialization(kind="lecun"),
    optimizer=Sgd(learning_rate=0.5, momentum=0.9),
    num_steps=12,
    batch_size=20,
)
ODD = dataclasses.replace(MLP, model=Mlp(depth=2, width=33, activation="tanh"), batch_size=7)
BATCH_NORM = dataclasses.replace(MLP, model=Mlp(depth=2, width=24, activation="relu", normalization=BatchNorm()))
RNN = Training(
    task=TemporalOrder(length=12, num_evaluated=50),
    model=Recurrent(width=20),
    initialization=Initialization(kind="smart_tanh"),
    optimizer=Sgd(learning_rate=0.3),
    clipping=Clipping(norm=1.0),
    num_steps=8,
    batch_size=10,
)
CNN = dataclasses.replace(
    MLP,
    task=Digits(resolution=14, image=True),
    model=Cnn(channels=(3, 8, 8), strides=(1, 1, 2), normalization=BatchNorm()),
    num_steps=6,
)
RESNET = dataclasses.replace(
    CNN, model=Resnet(n=2, width=4), optimizer=Sgd(learning_rate=0.1), num_steps=6, batch_size=8
)
TRANSFORMER = dataclasses.replace(
    MLP,
    task=Digits(resolution=7, image=True),
    model=Transformer(depth=1, width=8),
    optimizer=Adam(decoupled=True),
    num_steps=4,
)
MUSIC = Training(
    task=PolyphonicMusic(chunk=9),
    model=Recurrent(cell="sigmoid", width=20, read_all=True),
    initialization=Initialization(kind="sigmoid"),
    num_steps=8,
    batch_size=1,
)
PROGRAMS = {"mlp": MLP, "odd": ODD, "batch_norm": BATCH_NORM, "rnn": RNN, "cnn": CNN}
STACKED = {**PROGRAMS, "transformer": TRANSFORMER}


def make_run(training: Training, *, seed: int = 0, changes: dict[str, Any] | None = None) -> Run:
    changed = replace_paths(training, changes or {})
    return Run(experiment="test/one", arm="a", settings=changes or {}, seed=seed, training=changed, probes=PROBES)


def make_runs(training: Training, number: int, *, rate: float = 0.1) -> tuple[Run, ...]:
    """Return runs that differ in seed, rate and initial scale."""
    return tuple(
        make_run(
            training,
            seed=index % 3,
            changes={"optimizer.learning_rate": rate * (1 + index), "initialization.scale": 1.0 + 0.1 * index},
        )
        for index in range(number)
    )


def made_up_sequences(name: str) -> dict[str, list[Tensor]]:
    """Return music for `polyphonic_music.read_sequences`; one of its chunks of nine frames is full, two hold a single frame."""
    generator = torch.Generator().manual_seed(len(name))
    whole = [(torch.rand(length, 88, generator=generator) < 0.05).byte() for length in (5, 10, 1, 7)]
    return dict.fromkeys(("train", "validation", "test"), whole)


def numbers(runs: tuple[Run, ...]) -> dict[str, np.ndarray]:
    """Return every recorded value of every run, in the order of recording."""
    table = fit(Stack(experiment="test/one", runs=runs)).recorder.table()
    return {run_id: rows["value"].to_numpy() for run_id, rows in table.groupby("run_id", observed=True)}
