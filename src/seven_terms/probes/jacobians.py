"""The product of layer Jacobians: that the gradient is this product, and how large each factor is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call, jacrev

from ..models import taps
from ..spec import LayerJacobians
from .observation import tapped_gradients


def observe_layer_jacobians(probe: LayerJacobians, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """Compare dL/d(pre-activation 0) with dL/d(last pre-activation) times every layer Jacobian in between.

    Examples are taken one at a time (no batch norm), the first `num_examples` of the step's batch.
    """
    batch = tuple(tensor[:, : probe.num_examples] for tensor in program.batch_of_step(step))
    points = [tap for _, tap in taps(program.module)]
    signals = tapped_gradients(program, program.parameters, program.buffers, batch, points)
    jacobians = _layer_jacobians(program, batch, points)
    product = signals[-1]
    for jacobian in reversed(jacobians):
        product = torch.einsum("rbo,rboi->rbi", product, jacobian)
    error_R = (product - signals[0]).flatten(1).norm(dim=1) / signals[0].flatten(1).norm(dim=1)
    singular = [torch.linalg.svdvals(jacobian.double()) for jacobian in jacobians]
    yield "jacobian_product_error", error_R, None
    yield "layer_jacobian_gain", torch.stack([s.square().mean((1, 2)).sqrt() for s in singular], dim=1), None
    yield "layer_jacobian_mean_singular_value", torch.stack([s.mean((1, 2)) for s in singular], dim=1), None
    yield "layer_jacobian_largest_singular_value", torch.stack([s.amax((1, 2)) for s in singular], dim=1), None


def _layer_jacobians(program: Any, batch: tuple[Tensor, ...], points: list[Any]) -> list[Tensor]:
    """Return d(pre-activation l+1)/d(pre-activation l) for each l, [R, B, out, in]."""

    def between(parameters: dict, inputs: Tensor, layer: int) -> Tensor:
        def next_from(nudge: Tensor) -> Tensor:
            seen: list[Tensor] = []

            def hook(_: Any, __: Any, output: Tensor) -> Tensor:
                seen.append(output + nudge if len(seen) == layer else output)
                return seen[-1]

            handles = [point.register_forward_hook(hook) for point in points]
            try:
                functional_call(program.module, parameters, (inputs[None],))
            finally:
                for handle in handles:
                    handle.remove()
            return seen[layer + 1][0]

        return jacrev(next_from)(torch.zeros(program.training.model.width, dtype=inputs.dtype, device=inputs.device))

    over_batch = torch.vmap(between, in_dims=(None, 0, None))
    over_runs = torch.vmap(over_batch, in_dims=(0, 0, None))
    return [over_runs(program.parameters, batch[0], layer) for layer in range(len(points) - 1)]
