"""The numbers of small trainings as committed: a change of what a run computes needs a new TRAINING_VERSION.

Ids of runs are hashes of their records and of TRAINING_VERSION, not of the training code. So a commit that changes
numbers on purpose raises TRAINING_VERSION and writes the table again: `python -m tests.training.test_golden`.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from seven_terms.planning.modes import compiler, has_kernels
from seven_terms.records.runs import TRAINING_VERSION, Stack
from seven_terms.spec import (
    Adam,
    Adding,
    Clipping,
    Cosine,
    ExpectedSgd,
    GaussianInputs,
    GroupNorm,
    Initialization,
    LayerNorm,
    LinearRegression,
    NoisyQuadraticMoments,
    OneUnitRecurrence,
    Point,
    PowerFunction,
    Quadratic,
    Sgd,
    Training,
    WarmupStableDecay,
    replace_paths,
)
from seven_terms.training.train_stack import fit

from .stacks import BATCH_NORM, PROGRAMS, make_run

TABLE = Path(__file__).with_name("golden.json")
MLP, RNN = PROGRAMS["mlp"], PROGRAMS["rnn"]


def point(**changes) -> Training:
    return Training(**{"model": Point(dimension=4), "num_steps": 12, **changes})


CASES: dict[str, Training] = {
    **PROGRAMS,
    "adam": replace_paths(MLP, {"optimizer": Adam(learning_rate=0.01, weight_decay=0.1)}),
    "adamw, cosine": replace_paths(MLP, {"optimizer": Adam(learning_rate=0.01, decoupled=True), "schedule": Cosine()}),
    "nesterov, decay": replace_paths(MLP, {"optimizer.nesterov": True, "optimizer.weight_decay": 0.01}),
    "averaged": replace_paths(MLP, {"optimizer.average_iterates": True}),
    "warm-up": replace_paths(MLP, {"schedule": WarmupStableDecay()}),
    "clipped by norm": replace_paths(MLP, {"clipping": Clipping(norm=0.1)}),
    "clipped by value": replace_paths(MLP, {"clipping": Clipping(value=0.01)}),
    "clipped by unit": replace_paths(MLP, {"clipping": Clipping(adaptive=0.05)}),
    "growing batch": replace_paths(MLP, {"batch_growth": ((0.5, 2),)}),
    "full batch": replace_paths(MLP, {"task.num_train": 60, "batch_size": None}),
    "mup": replace_paths(MLP, {"model.parametrization": "mup"}),
    "residual": replace_paths(MLP, {"model.residual": True}),
    "layer norm": replace_paths(BATCH_NORM, {"model.normalization": LayerNorm()}),
    "group norm": replace_paths(BATCH_NORM, {"model.normalization": GroupNorm()}),
    "ghost": replace_paths(BATCH_NORM, {"model.normalization.ghost": 5}),
    "noisy": replace_paths(BATCH_NORM, {"model.normalization.noisy": True}),
    "lstm": replace_paths(RNN, {"model.cell": "lstm", "initialization.kind": "default"}),
    "gru, adding": replace_paths(
        RNN, {"model.cell": "gru", "initialization.kind": "default", "task": Adding(length=12, num_evaluated=50)}
    ),
    "regularized": replace_paths(RNN, {"model.regularization": 2.0}),
    "regression": replace_paths(MLP, {"task": LinearRegression(num_examples=50), "optimizer.learning_rate": 1e-6}),
    "gaussian inputs": replace_paths(MLP, {"task": GaussianInputs(num_features=16)}),
    "quadratic": point(task=Quadratic(dimension=4, noise_scale=0.1)),
    "noisy quadratic": point(task=NoisyQuadraticMoments(dimension=4), optimizer=ExpectedSgd()),
    "power": point(task=PowerFunction(), model=Point(dimension=1), optimizer=Sgd(learning_rate=0.01)),
    "cliff": point(task=OneUnitRecurrence(), model=Point(dimension=2, start=(5.0, -2.0))),
    **{
        f"initialization {kind}": replace_paths(MLP, {"initialization": Initialization(kind=kind, scale=1.1)})
        for kind in ("gaussian", "uniform_fan_in", "glorot", "xavier_fan_in", "he", "orthogonal", "default")
    },
}


def numbers(name: str, mode: str) -> dict[str, float]:
    """Return the mean of every metric over all that was recorded of two seeds."""
    runs = tuple(dataclasses.replace(make_run(CASES[name], seed=seed), mode=mode) for seed in (0, 1))
    table = fit(Stack(experiment="test/one", runs=runs)).recorder.table()
    return {str(metric): float(rows.mean()) for metric, rows in table.groupby("metric", observed=True)["value"]}


def modes_of(name: str) -> list[str]:
    own = [*(["native"] if has_kernels(CASES[name]) and compiler() else []), *(["serial"] if name == "cnn" else [])]
    return ["eager", *own]


ALL = [(name, mode) for name in CASES for mode in modes_of(name)]


@pytest.mark.parametrize(("name", "mode"), ALL)
def test_a_training_gives_the_numbers_that_its_version_stands_for(name, mode):
    golden = json.loads(TABLE.read_text(encoding="utf-8"))
    assert golden["training_version"] == TRAINING_VERSION, "write the table again: python -m tests.training.test_golden"
    wanted, found = golden["means"][name], numbers(name, mode)
    assert found.keys() == wanted.keys()
    for metric, value in wanted.items():
        np.testing.assert_allclose(
            found[metric],
            value,
            rtol=1e-3,  # processors round differently, and a dozen updates amplify it; a changed rule moves percents
            atol=1e-6,
            err_msg=f"{metric} of {name!r} is not what TRAINING_VERSION = {TRAINING_VERSION} stands for; if that is "
            "meant, raise it in records/runs.py and run `python -m tests.training.test_golden`",
        )


if __name__ == "__main__":
    means = {name: numbers(name, "eager") for name in CASES}
    TABLE.write_text(
        json.dumps({"training_version": TRAINING_VERSION, "means": means}, indent=1) + "\n", encoding="utf-8"
    )
