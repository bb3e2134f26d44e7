"""What the kernels are told of a training: the fields of `Program` and `Rule`, and the order of its parameters."""

from __future__ import annotations

import math
from typing import Any

from ....planning.modes import ACTIVATIONS, MOST_CONVOLUTIONS
from ....spec import (
    Adam,
    BatchNorm,
    Cnn,
    GroupNorm,
    LayerNorm,
    Mlp,
    Recurrent,
    Resnet,
    ScheduleFree,
    Sgd,
    Training,
    Transformer,
)
from ....tasks.losses import cross_entropy, half_squared_error, squared_error
from ....tasks.polyphonic_music import loss as bernoulli
from ..protocol import StackParts
from .border import KINDS, NORMS, RULES, TRAINED

LOSSES = (cross_entropy, half_squared_error, squared_error, bernoulli)  # in the order of border.LOSSES
WORDS_OF_RULES = {Sgd: "sgd", Adam: "adam", ScheduleFree: "schedule_free"}


def program_fields(parts: StackParts, *, batch: int) -> dict[str, Any]:
    """Return the fields of `Program` of layout.h."""
    training, model, task = parts.training, parts.training.model, parts.batches.task
    rule = training.optimizer
    match model:
        case Mlp():
            net = _dense(model, parts, batch)
        case Cnn() | Resnet():
            net = convolutional_fields(model, task.input_shape, batch)
        case Transformer():
            net = transformer_fields(model, task.input_shape, batch)
        case _:
            net = _recurrent(model, task.input_shape)
    return net | {
        "num_outputs": task.num_outputs,
        "batch": batch,
        "loss": LOSSES.index(task.loss),
        "rule": RULES.index(WORDS_OF_RULES[type(rule)]),
        "trained": TRAINED.index(training.trained),
        "nesterov": isinstance(rule, Sgd) and rule.nesterov,
        "decoupled": isinstance(rule, Adam) and rule.decoupled,
    }


def _dense(model: Mlp, parts: StackParts, batch: int) -> dict[str, Any]:
    module = parts.network.module
    first, readout = (module.layers[0].linear if model.depth else None), module.readout
    return {
        "kind": KINDS.index("dense"),
        "depth": model.depth,
        "width": model.width,
        "num_inputs": math.prod(parts.batches.task.input_shape),
        "length": 1,
        "activation": ACTIVATIONS.index(model.activation),
        "bias": model.bias,
        "residual": model.residual,
        "normalized_after": model.placement == "after",
        "input_multiplier": first.weight_multiplier if first else 1.0,
        "bias_multiplier": first.bias_multiplier if first else 1.0,
        "readout_multiplier": readout.weight_multiplier,
        **_norm(model, batch),
    }


def convolutional_fields(model: Cnn | Resnet, shape: tuple[int, ...], batch: int) -> dict[str, Any]:
    channels, strides = zip(*model.channels_and_strides(), strict=True)
    whole = [0] * (MOST_CONVOLUTIONS - len(channels))
    return {
        "kind": KINDS.index("convolution"),
        "depth": len(channels),
        "num_inputs": math.prod(shape),
        "width": channels[-1],
        "length": 1,
        "activation": ACTIVATIONS.index(model.activation if isinstance(model, Cnn) else "relu"),
        "residual": isinstance(model, Resnet) and model.residual,
        "side": shape[-1],
        "channels": (*channels, *whole),
        "strides": (*strides, *whole),
        **_norm(model, batch),
    }


def transformer_fields(model: Transformer, shape: tuple[int, ...], batch: int) -> dict[str, Any]:
    channels, tokens, pixels = shape
    return {
        "kind": KINDS.index("transformer"),
        "depth": model.depth,
        "num_inputs": channels * pixels,
        "width": model.width,
        "length": tokens,
        "activation": ACTIVATIONS.index("relu"),
        "side": pixels,
        "heads": model.heads,
        **_norm(model, batch),
    }


def _norm(model: Mlp | Cnn | Resnet | Transformer, batch: int) -> dict[str, Any]:
    norm = model.normalization
    unused = {"norm": NORMS.index("none"), "ghost": batch, "num_groups": 1}
    match norm:
        case BatchNorm():
            fields = {name: getattr(norm, name) for name in ("center", "scale", "affine", "eps")}
            used = {"norm": NORMS.index("batch"), "statistics_momentum": norm.momentum, "ghost": norm.ghost or batch}
            return unused | fields | used
        case LayerNorm() | GroupNorm():
            groups = norm.num_groups if isinstance(norm, GroupNorm) else 1
            return unused | {"norm": NORMS.index("group"), "num_groups": groups, "affine": 1, "eps": norm.eps}
    assert norm is None, norm
    return unused


def _recurrent(model: Recurrent, shape: tuple[int, ...]) -> dict[str, Any]:
    is_gated = model.cell in KINDS
    return {
        "kind": KINDS.index(model.cell if is_gated else "simple"),
        "depth": 1,
        "width": model.width,
        "num_inputs": shape[-1],
        "length": shape[0],
        "activation": ACTIVATIONS.index("identity" if is_gated else model.cell),
        "bias": 1,
        "regularization": model.regularization,
        "read_all": model.read_all,
        "num_groups": 1,
    }


def parameter_names(model: Mlp | Recurrent | Cnn | Resnet | Transformer) -> list[str]:
    """Return the order in which layout.h supposes the parameters."""
    if isinstance(model, Transformer):
        return _names_of_transformer(model)
    if isinstance(model, Cnn | Resnet):
        return _names_of_convolutions(model)
    if isinstance(model, Recurrent):
        return ["input.weight", "input.bias", "recurrent.weight", "readout.weight", "readout.bias"]
    ends = ("weight", "bias") if model.bias else ("weight",)
    linear = [f"linear.{end}" for end in ends]
    has_affine = model.normalization is not None and getattr(model.normalization, "affine", True)
    norm = ["normalization.weight", "normalization.bias"] if has_affine else []
    hidden = [f"layers.{layer}.{name}" for layer in range(model.depth) for name in (*linear, *norm)]
    return hidden + [f"readout.{end}" for end in ends]


def _names_of_convolutions(model: Cnn | Resnet) -> list[str]:
    norm = model.normalization
    ends = ("convolution.bias",) if norm is None else ("normalization.weight", "normalization.bias")
    ends = () if norm is not None and not getattr(norm, "affine", True) else ends
    if isinstance(model, Cnn):
        layers = [f"layers.{layer}.linear" for layer in range(len(model.channels))]
    else:
        blocks = [f"blocks.{block}.{layer}" for block in range(3 * model.n) for layer in ("first.linear", "second")]
        layers = ["stem.linear", *blocks]
    whole = [f"{layer}.{name}" for layer in layers for name in ("convolution.weight", *ends)]
    return [*whole, "readout.weight", "readout.bias"]


def _names_of_transformer(model: Transformer) -> list[str]:
    halves = {"attention": ("attention.inputs", "attention.output"), "network": ("network.0", "network.2")}
    layers = [
        f"blocks.{block}.{layer}"
        for block in range(model.depth)
        for half, matrices in halves.items()
        for layer in (*((f"norm_before_{half}",) if model.normalization else ()), *matrices)
    ]
    whole = [f"{layer}.{end}" for layer in (*layers, "readout") for end in ("weight", "bias")]
    return ["embedding.weight", "embedding.bias", "position.weight", *whole]


def rule_fields(training: Training) -> dict[str, Any]:
    """Return the fields of `Rule` of rules.h."""
    rule, clipping = training.optimizer, training.clipping
    names = ("momentum", "weight_decay", "eps", "beta1", "beta2", "beta", "power")
    fields = {name: getattr(rule, name) for name in names if hasattr(rule, name)}
    bounds = {"clip_value": clipping.value, "clip_norm": clipping.norm, "clip_adaptive": clipping.adaptive}
    return fields | bounds
