"""Gradients, weights and movements by layer. Layer 0 is nearest the input; the readout is the last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..models import taps
from ..spec import LayerGradients
from .observation import tapped_gradients


def observe_layer_gradients(probe: LayerGradients, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    batch, names = program.batch_of_step(step), weight_names(program)
    _, gradients = program.gradients(program.parameters, program.frozen_buffers(), batch)
    yield "layer_gradient_norm", _by_layer(gradients, names, _norm), None
    yield "layer_gradient_rms", _by_layer(gradients, names, _rms), None
    yield "layer_weight_norm", _by_layer(program.parameters, names, _norm), None
    points = [tap for _, tap in taps(program.module)]
    if points:
        signals = tapped_gradients(program, program.parameters, program.buffers, batch, points)
        yield "layer_signal_gradient_rms", torch.stack([_rms(signal) for signal in signals], dim=1), None


def observe_layer_updates(program: Any, before: dict[str, Tensor]) -> Iterator[tuple[str, Tensor, None]]:
    """Yield each layer's relative change by the update just made, and its movement since the start."""
    names = weight_names(program)
    after = program.parameters
    if "parameters_at_start" not in program.probe_state:
        program.probe_state["parameters_at_start"] = {name: before[name].clone() for name in names}
    start = program.probe_state["parameters_at_start"]
    change = {name: after[name] - before[name] for name in names}
    movement = {name: after[name] - start[name] for name in names}
    yield "layer_update_ratio", _by_layer(change, names, _norm) / _by_layer(before, names, _norm), None
    yield "layer_movement", _by_layer(movement, names, _norm) / _by_layer(start, names, _norm), None


def observe_rotation(program: Any, before: dict[str, Tensor]) -> Iterator[tuple[str, Tensor, None]]:
    """Yield the angle by which each layer's weights have turned in the update just made, and its square."""
    names = weight_names(program)
    angle_RL = torch.stack([_angle(before[name], program.parameters[name]) for name in names], dim=1)
    yield "layer_rotation", angle_RL, None
    yield "layer_squared_rotation", angle_RL.square(), None


def weight_names(program: Any) -> list[str]:
    """Return the names of the weight matrices and kernels, nearest the input first."""
    return [name for name, parameter in program.module.named_parameters() if parameter.dim() >= 2]


def _by_layer(tensors: dict[str, Tensor], names: list[str], statistic: Any) -> Tensor:
    return torch.stack([statistic(tensors[name]) for name in names], dim=1)


def _norm(tensor: Tensor) -> Tensor:
    return tensor.detach().double().flatten(1).square().sum(1).sqrt()


def _rms(tensor: Tensor) -> Tensor:
    return tensor.detach().double().flatten(1).square().mean(1).sqrt()


def _angle(first: Tensor, second: Tensor) -> Tensor:
    """Return the angle of each run's two tensors; half of it by its sine and cosine, exact for small angles (Kahan)."""
    u, v = (tensor.detach().double().flatten(1) / _norm(tensor)[:, None] for tensor in (first, second))
    return 2.0 * torch.atan2(_norm(u - v), _norm(u + v))
