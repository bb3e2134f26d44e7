"""How the arithmetic of a run is carried out; the mode is part of a run's identity, since modes round differently.

`native`: our own kernels (`training/advance/native`) on a processor, one run after the other inside its caches, for what they
know. `serial`: run by run through PyTorch on a processor, where a stack would be slower than its runs.
`compiled`: the whole stack through `torch.compile`, where that pays. `eager`: the whole stack, operation by operation.
`native` and `compiled` need a C++ compiler. `lightning`: somebody's LightningModule, by Lightning's Trainer, run after run.
Standard library only.
"""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
from collections.abc import Callable, Mapping
from typing import Any, Literal

from ..records.runs import Mode
from ..spec import (
    Adam,
    Adding,
    AnyTraining,
    BatchNorm,
    Cifar10,
    Clipping,
    Cnn,
    Digits,
    ExpectedSgd,
    GaussianInputs,
    GroupNorm,
    LayerNorm,
    LightningTraining,
    LinearRegression,
    Mlp,
    NoisyQuadraticMoments,
    OneUnitRecurrence,
    Point,
    PolyphonicMusic,
    PowerFunction,
    Quadratic,
    Recurrent,
    Resnet,
    ScheduleFree,
    Sgd,
    TemporalOrder,
    Training,
    Transformer,
)
from .cost import compiling_pays, facts, flops_per_run_step, runs_per_stack

# auto: native where there are kernels, and compiled where that pays; torch: for GPUs, large eager stacks, whose updates are
# CUDA graphs there; never: all eager.
Compiling = Literal["auto", "torch", "never"]
COMPILERS = ("c++", "g++", "clang++")
# Operations, some milliseconds: above, a call of PyTorch costs nothing, and a GPU has something to do.
LARGEST_STEP = 1e9
SMALLEST_ALONE = 5e7  # operations of a convolutional step by layer from which on a stack is slower than its runs
FEWEST_STACKED = 4  # and runs that a stack of smaller steps must hold
MOST_CONVOLUTIONS = 64  # of a network, in a list of layout.h
ACTIVATIONS = ("sigmoid", "tanh", "relu", "identity", "softsign")
CELLS = ("tanh", "sigmoid", "relu", "identity", "lstm", "gru")
CLASS_LOSSES = ("cross_entropy", "half_squared_error")


def _anything(value: object) -> bool:
    """A field that kernels honour whatever its value, or that is over before they start."""
    return True


def _known(value: object) -> bool:
    """A record of a class that is itself in KNOWN."""
    return knows(value)


def _is_positive(value: float) -> bool:
    return value > 0


Known = tuple[object, ...] | Callable[[Any], bool]  # the values that kernels know, or whether they know one
# What the kernels know, class by class and field by field. Any other class, a subclass too, trains through PyTorch, and so
# does any field that is not listed here, unless it is at its default.
KNOWN: Mapping[type, Mapping[str, Known]] = {
    Training: {
        **{name: _known for name in ("task", "model", "optimizer", "clipping")},
        **{name: _anything for name in ("initialization", "schedule", "batch_size")},  # drawn, and tabulated, before
        "num_steps": lambda number: number > 0,
        "batch_growth": _anything,
        "precision": ("float32", "float64"),  # of points the second alone
        "num_devices": (1,),
        "trained": _anything,
    },
    Mlp: {
        **{name: _anything for name in ("depth", "width", "residual", "bias", "base_width")},
        "activation": ACTIVATIONS,
        "normalization": lambda norm: norm is None or knows(norm),
        "placement": ("before", "after"),
        "parametrization": ("standard", "mup"),
    },
    BatchNorm: {name: _anything for name in ("momentum", "eps", "center", "scale", "affine", "ghost", "noisy")},
    LayerNorm: {"eps": _is_positive},
    GroupNorm: {"num_groups": _anything, "eps": _is_positive},
    Cnn: {
        "channels": lambda channels: len(channels) <= MOST_CONVOLUTIONS,
        "strides": _anything,
        "activation": ACTIVATIONS,
        "normalization": lambda norm: norm is None or knows(norm),
    },
    Resnet: {
        "n": lambda n: 6 * n + 1 <= MOST_CONVOLUTIONS,
        **{name: _anything for name in ("residual", "width")},
        "normalization": lambda norm: norm is None or knows(norm),
    },
    Transformer: {
        **{name: _anything for name in ("depth", "width", "heads")},
        "normalization": lambda norm: norm is None or knows(norm),
    },
    Recurrent: {"cell": CELLS, "width": _anything, "read_all": _anything, "regularization": _anything},
    Point: {name: _anything for name in ("dimension", "start", "random")},
    Sgd: {  # averages of points alone
        name: _anything for name in ("learning_rate", "momentum", "weight_decay", "nesterov", "average_iterates")
    },
    Adam: {
        **{name: _anything for name in ("learning_rate", "beta1", "beta2", "weight_decay", "decoupled")},
        "eps": _is_positive,  # the places that pad a row are zero, and would be 0 / 0
    },
    ScheduleFree: {name: _anything for name in ("learning_rate", "beta", "power", "weight_decay")},
    ExpectedSgd: {name: _anything for name in ("learning_rate", "noise")},
    Clipping: {name: _anything for name in ("norm", "value", "adaptive")},
    Digits: {
        **{name: _anything for name in ("source", "resolution", "binarize", "num_train", "image")},
        "loss": CLASS_LOSSES,
    },
    Cifar10: {
        **{name: _anything for name in ("num_train", "augment", "image", "standardize")},
        "loss": CLASS_LOSSES,
    },
    TemporalOrder: {name: _anything for name in ("length", "num_evaluated")},
    Adding: {name: _anything for name in ("length", "num_evaluated")},
    PolyphonicMusic: {name: _anything for name in ("name", "chunk")},
    GaussianInputs: {name: _anything for name in ("num_features", "num_classes", "length")},
    LinearRegression: {
        name: _anything
        for name in ("num_examples", "num_features", "num_informative", "coefficient_scale", "noise", "standardize")
    },
    Quadratic: {
        **{
            name: _anything
            for name in (
                *("dimension", "spectrum", "largest", "condition_number"),
                *("noise_scale", "noise_follows_curvature"),
            )
        },
        "noise": ("gaussian", "skewed", "student", "cauchy"),
    },
    NoisyQuadraticMoments: {"dimension": _anything},
    PowerFunction: {"exponent": _anything},
    OneUnitRecurrence: {name: _anything for name in ("length", "start", "target")},
}
NATIVE_TASKS = (Adding, Cifar10, Digits, GaussianInputs, LinearRegression, PolyphonicMusic, TemporalOrder)


def compiler() -> str | None:
    """Return the path of this machine's C++ compiler, $CXX first, or None."""
    named = (os.environ.get("CXX") or COMPILERS[0], *COMPILERS)  # `which` does not find "ccache g++": try the next name
    return next((path for path in map(shutil.which, named) if path), None)


def mode_of(training: AnyTraining, num_runs: int, *, compiling: Compiling) -> Mode:
    """Return the mode of a program that this many runs share, given a compiler."""
    if isinstance(training, LightningTraining):
        return "lightning"
    if compiling != "auto":
        return "eager"
    if has_kernels(training):
        return "native"
    if is_faster_run_by_run(training, num_runs):
        return "serial"
    return "compiled" if compiling_pays(training, num_runs) else "eager"


def has_kernels(training: Training) -> bool:
    """Return whether our own kernels know everything that an update of this training does, and it is small."""
    return knows(training) and _fits(training) and flops_per_run_step(training) <= LARGEST_STEP


def is_faster_run_by_run(training: Training, num_runs: int) -> bool:
    """Return whether a processor takes longer for a stack than for its runs in turn.

    So it is with few runs, since `torch.vmap` and padding cost more than they save, and with large convolutions, which
    become grouped ones. Measured (a run and step of the stack of eight over one alone): a ResNet of 2.4 GFLOP per step 1.7, one
    of 0.37 on smaller batches 0.5, a net of three layers and 0.42 GFLOP 1.5, one of 0.03 0.4, a dense one in float64 0.3.
    """
    of = facts(training)
    if not of.stacks or training.num_devices > 1 or training.num_steps == 0:
        return False
    is_large = of.speed == "convolution" and flops_per_run_step(training) >= SMALLEST_ALONE * of.num_layers
    return is_large or runs_per_stack(training, num_runs) < FEWEST_STACKED


def knows(record: object) -> bool:
    """Return whether the kernels know a record's class, by identity, and the value of each of its fields."""
    known = KNOWN.get(type(record))
    if known is None or not dataclasses.is_dataclass(record):
        return False
    return all(_knows_field(field, getattr(record, field.name), known) for field in dataclasses.fields(record))


def _knows_field(field: dataclasses.Field, value: Any, known: Mapping[str, Known]) -> bool:
    what = known.get(field.name)
    if what is None:
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        return default is not dataclasses.MISSING and value == default
    return what(value) if callable(what) else value in what


def _fits(training: Training) -> bool:
    """Return whether the parts go together in the kernels: inputs that the net reads, statistics of several examples."""
    model, task = training.model, training.task
    if isinstance(model, Point):
        return training.precision == "float64" and not isinstance(training.optimizer, ScheduleFree)
    if training.trained != "all" and not _is_known_part(training):
        return False
    if getattr(training.optimizer, "average_iterates", False):
        return False
    if isinstance(model, Cnn | Resnet) and not _fits_convolutions(model, training):
        return False
    if isinstance(model, Recurrent):
        return len(task.input_shape) == 2 and training.batch_size is not None
    if isinstance(model, Mlp | Cnn | Resnet) and isinstance(model.normalization, BatchNorm):
        ghost, size = model.normalization.ghost, training.batch_size or getattr(task, "num_train", None) or 0
        if size == 1 or (ghost and (ghost == 1 or size % ghost)):  # PyTorch refuses them in a sentence
            return False
    return training.batch_size is not None or _is_known_split(training)


def _is_known_part(training: Training) -> bool:
    """Return whether the kernels can train a part of a net alone: of fully connected ones, by a rule that remembers nothing."""
    rule = training.optimizer
    is_plain = isinstance(rule, Sgd) and rule.momentum == 0 and training.clipping.adaptive == math.inf
    decays_all = training.trained == "normalization" and getattr(rule, "weight_decay", 0.0) != 0
    return isinstance(training.model, Mlp) and is_plain and not decays_all


def _fits_convolutions(model: Cnn | Resnet, training: Training) -> bool:
    """Return whether a convolutional net's batch norm is plain: over all places, without noise."""
    norm = model.normalization
    is_plain = not (isinstance(norm, BatchNorm) and norm.noisy)
    return is_plain and (training.batch_size or 2) > 1


def _is_known_split(training: Training) -> bool:
    """Return whether the whole split is the same batch at every update, and of a size that counts in `LARGEST_STEP`."""
    task = training.task
    return isinstance(task, LinearRegression) or bool(
        getattr(task, "num_train", None) and not getattr(task, "augment", False)
    )
