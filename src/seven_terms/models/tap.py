"""Taps: named places in a model where probes read a value or add a perturbation.

A tap is the identity. A probe registers a forward hook on it, which may also return a changed value: adding zeros that
carry a gradient gives dL/d(value) without a second model.
"""

from __future__ import annotations

from torch import nn

from ..spec import Activation, Function, load

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "identity": nn.Identity,
    "softsign": nn.Softsign,
}


def activation(named: Activation) -> nn.Module:
    """Return the module of an activation function."""
    return load(named.cls)(**named.arguments) if isinstance(named, Function) else ACTIVATIONS[named]()


class Tap(nn.Identity):
    """The input of an activation function: the pre-activation."""


class OutputTap(nn.Identity):
    """What a hidden layer hands on, after its normalization, activation and skip."""


def taps(module: nn.Module) -> list[tuple[str, Tap]]:
    """Return (name, tap) of every pre-activation, nearest the input first."""
    return [(name, child) for name, child in module.named_modules() if isinstance(child, Tap)]


def output_taps(module: nn.Module) -> list[tuple[str, OutputTap]]:
    """Return (name, tap) of every hidden layer's output, nearest the input first."""
    return [(name, child) for name, child in module.named_modules() if isinstance(child, OutputTap)]
