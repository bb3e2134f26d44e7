"""How the arithmetic of a run is carried out; the mode is part of a run's identity, since each rounds otherwise.

`native`: our own kernels (`training/native`) on a processor, one run after the other inside its caches, for the networks and
rules that they know. `compiled`: the whole stack through `torch.compile`, where that pays. `eager`: the whole stack, operation
by operation. The first two need a C++ compiler. Standard library only.
"""

from __future__ import annotations

import math
import os
import shutil
from typing import Literal

from ..records.runs import Mode
from ..spec import (
    Adding,
    BatchNorm,
    Cifar10,
    Digits,
    GaussianInputs,
    LinearRegression,
    Mlp,
    Model,
    Recurrent,
    Sgd,
    TemporalOrder,
    Training,
)
from .cost import compiling_pays, flops_per_run_step

# auto: native where there are kernels, and compiled where that pays; torch: without kernels, for GPUs; never: all eager.
Compiling = Literal["auto", "torch", "never"]
COMPILERS = ("c++", "g++", "clang++")
# Operations, some milliseconds: above, a call of PyTorch costs nothing, and a GPU has something to do.
LARGEST_STEP = 1e9
NATIVE_CELLS = ("tanh", "sigmoid", "relu", "identity")
NATIVE_TASKS = (Adding, Cifar10, Digits, GaussianInputs, LinearRegression, TemporalOrder)


def compiler() -> str | None:
    """Return the path of this machine's C++ compiler, $CXX first, or None."""
    named = (os.environ.get("CXX") or COMPILERS[0], *COMPILERS)  # of several words: not a program, so passed over
    return next((path for path in map(shutil.which, named) if path), None)


def mode_of(training: Training, num_runs: int, *, compiling: Compiling) -> Mode:
    """Return the mode of a program that so many runs share, given a compiler."""
    if compiling == "never":
        return "eager"
    if compiling == "auto" and has_kernels(training):
        return "native"
    return "compiled" if compiling_pays(training, num_runs) else "eager"


def has_kernels(training: Training) -> bool:
    """Return whether our own kernels know everything that an update of this training does, and it is small."""
    return (
        training.num_steps > 0
        and flops_per_run_step(training) <= LARGEST_STEP
        and training.precision == "float32"
        and training.num_devices == 1
        and not training.batch_growth
        and training.clipping.adaptive == math.inf
        and isinstance(training.optimizer, Sgd)
        and not training.optimizer.average_iterates
        and isinstance(training.task, NATIVE_TASKS)
        and _is_known(training.model)
        and not (isinstance(training.model, Mlp) and training.model.normalization and training.batch_size == 1)
        and (training.batch_size is not None or _is_known_split(training))
    )


def _is_known_split(training: Training) -> bool:
    """Return whether the whole split is the same batch at every update, and of a size that counts in `LARGEST_STEP`."""
    task = training.task
    return isinstance(task, LinearRegression) or bool(
        getattr(task, "num_train", None) and not getattr(task, "augment", False)
    )


def _is_known(model: Model) -> bool:
    match model:
        case Mlp(normalization=None, parametrization="standard"):
            return True
        case Mlp(normalization=BatchNorm(ghost=None, noisy=False, synchronized=False, eps=eps)):
            return eps > 0
        case Recurrent(cell=cell, read_all=False):
            return cell in NATIVE_CELLS
    return False
