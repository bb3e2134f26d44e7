"""Observation: read, or nudge, what passes through a module's taps, under vmap and autograd.

A tap is an identity module at the input of an activation function (`models.taps`). While observing, each tap adds its
perturbation (zeros that require a gradient) and keeps its value; the gradient with respect to a perturbation is the
gradient with respect to what passes there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call


def tapped_values(
    program: Any, parameters: dict, buffers: dict, batch: tuple, points: Sequence[nn.Module]
) -> list[Tensor]:
    """Return what passes through the given modules, each [R, B, ...]."""
    return _run(program, parameters, buffers, batch, points, None)[1]


def tapped_gradients(
    program: Any, parameters: dict, buffers: dict, batch: tuple, points: Sequence[nn.Module]
) -> list[Tensor]:
    """Return the gradient of each run's loss with respect to what passes through the modules, each [R, B, ...]."""
    shapes = [value.shape for value in tapped_values(program, parameters, buffers, batch, points)]
    reference = next(iter(parameters.values()))
    zeros = [torch.zeros(shape, dtype=reference.dtype, device=reference.device).requires_grad_() for shape in shapes]
    fixed = {name: parameter.detach() for name, parameter in parameters.items()}
    loss_R, _ = _run(program, fixed, buffers, batch, points, zeros)
    return list(torch.autograd.grad(loss_R.sum(), zeros))


def _run(
    program: Any,
    parameters: dict,
    buffers: dict,
    batch: tuple,
    points: Sequence[nn.Module],
    nudges: list[Tensor] | None,
) -> tuple[Tensor, list[Tensor]]:
    module, task = program.module, program.task
    buffers = {name: buffer.clone() for name, buffer in buffers.items()}

    def one(parameters: dict, buffers: dict, nudges: list[Tensor], *batch: Tensor) -> tuple[Tensor, list[Tensor]]:
        seen: list[Tensor] = []

        def hook(_: nn.Module, __: Any, output: Tensor) -> Tensor:
            nudged = output + nudges[len(seen)] if nudges else output
            seen.append(nudged)
            return nudged

        handles = [point.register_forward_hook(hook) for point in points]
        try:
            outputs = functional_call(module, (parameters, buffers), (batch[0],))
        finally:
            for handle in handles:
                handle.remove()
        return task.loss(outputs, *batch), seen

    return program.network.over_runs(one)(parameters, buffers, nudges or [], *batch)


def evaluation_batch(program: Any, split: str, num_examples: int) -> tuple[Tensor, ...]:
    """Return the first examples of a split, each tensor [R, B, ...]."""
    tensors = program.task.evaluation(split, program.seeds)
    return program.spread(tuple(tensor[:, :num_examples] for tensor in tensors))
