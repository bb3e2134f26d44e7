"""What goes into the activation functions, and what layers hand on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..models import output_taps, taps
from ..spec import Activations, NormalizedOutputs
from .observation import evaluation_batch, tapped_values

NUM_EXAMPLES = 250
PERCENTS = (15, 50, 85)


def observe_activations(probe: Activations, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """Percentiles use running statistics (evaluation mode), as a deployed network sees its inputs."""
    batch = evaluation_batch(program, "validation", NUM_EXAMPLES)
    points = [tap for _, tap in taps(program.module)]
    program.module.train(False)
    try:
        with torch.no_grad():
            values = tapped_values(program, program.parameters, program.buffers, batch, points)
    finally:
        program.module.train(True)
    yield from _percentiles(values[-1][..., : probe.num_units].transpose(1, 2))
    doubled = [value.double().flatten(2) for value in values]
    yield "layer_activation_mean", _by_layer(doubled, lambda v: v.mean((1, -1))), None
    yield "layer_activation_std", _by_layer(doubled, lambda v: v.std(1).mean(-1)), None
    yield "layer_saturation", _by_layer(doubled, _saturation_of(program.training.model.activation)), None


def observe_normalized_outputs(probe: NormalizedOutputs, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """Mean and spread over the batch, in training mode, of each feature that a hidden layer hands to the next."""
    batch = program.batch_of_step(step)
    points = [tap for _, tap in output_taps(program.module)]
    with torch.no_grad():
        values = tapped_values(program, program.parameters, program.buffers, batch, points)
    doubled = [value.double().flatten(2) for value in values]
    yield "layer_output_mean_abs", _by_layer(doubled, lambda v: v.mean(1).abs().mean(-1)), None
    yield "layer_output_std_error", _by_layer(doubled, lambda v: (v.std(1, correction=0) - 1).abs().mean(-1)), None


def _percentiles(values_RHB: Tensor) -> Iterator[tuple[str, Tensor, None]]:
    """Yield percentiles by linear interpolation, as numpy's default."""
    last = values_RHB.shape[-1] - 1
    sorted_RHB = values_RHB.contiguous().sort(-1).values  # in its own precision, in which it is faster
    for percent in PERCENTS:
        low = int(last * percent / 100)
        below, above = (sorted_RHB[..., place].double() for place in (low, min(low + 1, last)))
        yield f"activation_p{percent}", torch.lerp(below, above, last * percent / 100 - low), None


def _by_layer(values: list[Tensor], statistic: Any) -> Tensor:
    return torch.stack([statistic(value) for value in values], dim=1)


def _saturation_of(activation: Any) -> Any:
    beyond = {
        "tanh": lambda v: v.tanh().abs() > 0.95,
        "sigmoid": lambda v: (v.sigmoid() - 0.5).abs() > 0.475,
        "relu": lambda v: v <= 0,
        "identity": lambda v: torch.zeros_like(v, dtype=torch.bool),
        "softsign": lambda v: torch.zeros_like(v, dtype=torch.bool),
    }.get(activation, lambda v: torch.full_like(v, torch.nan))  # nobody knows where it saturates
    return lambda v: beyond(v).double().mean((1, 2))
