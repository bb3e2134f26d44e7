"""The recurrent matrix, and gradients against the lag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from ..spec import LagGradients, Recurrence


def observe_recurrence(probe: Recurrence, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """NaN where a run's matrix is not finite."""
    weight = program.parameters["recurrent.weight"].detach().double()
    finite_R = torch.isfinite(weight).flatten(1).all(1)
    safe = torch.where(finite_R[:, None, None], weight, torch.zeros_like(weight))
    radius = torch.stack([torch.linalg.eigvals(one).abs().amax() for one in safe])
    largest = torch.stack([torch.linalg.matrix_norm(one, ord=2) for one in safe])
    missing = torch.full_like(radius, torch.nan)
    yield "spectral_radius", torch.where(finite_R, radius, missing), None
    yield "largest_singular_value", torch.where(finite_R, largest, missing), None


def observe_lag_gradients(probe: LagGradients, program: Any, step: int) -> Iterator[tuple[str, Tensor, list[int]]]:
    """Root mean square of dL/dh_t over batch and units by lag T - 1 - t, relative to lag 0."""
    batch = program.batch_of_step(step)
    num_runs, num_examples, length = batch[0].shape[:3]
    shape = (num_runs, length, num_examples, program.training.model.width)
    nudge = torch.zeros(shape, dtype=batch[0].dtype, device=batch[0].device).requires_grad_()

    def one(parameters: dict, buffers: dict, nudge: Tensor, *batch: Tensor) -> Tensor:
        outputs = functional_call(program.module, (parameters, buffers), (batch[0],), {"perturbation": nudge})
        return program.task.loss(outputs, *batch)

    loss_R = program.network.over_runs(one)(program.parameters, program.frozen_buffers(), nudge, *batch)
    (gradient,) = torch.autograd.grad(loss_R.sum(), nudge)
    rms_RT = gradient.double().square().mean((2, 3)).sqrt()
    lags = list(range(length - 1, -1, -1))
    yield "lag_gradient_norm", rms_RT / rms_RT[:, -1:], lags
