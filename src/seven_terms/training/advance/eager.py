"""Updates of the whole stack, operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...optimizers import State, Tensors
from ...seeds import subseed
from ...tasks.data import Normals
from ..shares import shared_gradients
from .graphed import Graphed
from .measured import metrics_of_outputs
from .protocol import StackParts

Updated = tuple[Tensors, Tensors, State, Tensor, Tensor, Tensor]


class Eager:
    """PyTorch's operations on [R, ...] tensors; every update makes new ones."""

    is_compiled: ClassVar[bool] = False
    tells_update_norms: ClassVar[bool] = False
    normals: ClassVar[Normals | None] = None
    updates_per_call: int = 50
    updates_per_step: int = 50

    def __init__(self, parts: StackParts) -> None:
        self.parts = parts
        self.next: Callable[..., Updated] = self.updated
        self.is_graphed = parts.device.type == "cuda" and parts.network.stacks and parts.rank is None
        if self.is_graphed:
            self.next = Graphed(self.updated)
            self.number_U = torch.arange(len(parts.batches.updates), device=parts.device)

    def advance(self, first: int, stop: int) -> Tensors:
        each = [self._update(number) for number in range(first, stop)]
        return {name: torch.stack([told[name] for told in each]) for name in each[0]}

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        buffers = {name: buffer.clone() for name, buffer in self.parts.state.buffers.items()}
        return self.parts.network.outputs(parameters, buffers, inputs, shared=shared)

    def metrics(self, parameters: Tensors, examples: tuple[Tensor, ...]) -> Tensors:
        return metrics_of_outputs(self.parts, self.outputs, parameters, examples)

    def curvatures(self) -> None:
        """Return nothing: PyTorch differentiates twice."""

    def provenance(self) -> Mapping[str, str]:
        return {}

    def position(self, number: int) -> int | Tensor:
        """Return an update's number in the form that the rule takes it."""
        return self.number_U[number] if self.is_graphed else number

    def updated(
        self,
        parameters: Tensors,
        buffers: Tensors,
        of_rule: State,
        rate_R: Tensor,
        number: int | Tensor,
        batch: tuple[Tensor, ...],
    ) -> Updated:
        """Return what an update leaves behind: (parameters, buffers, rule's state, loss, norms before, after clipping [R])."""
        network, rules, rank = self.parts.network, self.parts.rules, self.parts.rank
        if rank is None:
            loss_R, gradients = network.gradients(parameters, buffers, batch)
        else:
            num_devices = self.parts.training.num_devices
            loss_R, gradients = shared_gradients(
                network, parameters, buffers, batch, rank=rank, num_devices=num_devices
            )
        gradients, before_R, after_R = rules.clipped(parameters, gradients)
        parameters, of_rule = rules.updated(rate_R, parameters, gradients, of_rule, number)
        return parameters, buffers, of_rule, loss_R, before_R, after_R

    def _update(self, number: int) -> Tensors:
        parts, state = self.parts, self.parts.state
        self._refill_noise(parts.batches.updates[number][0])
        rate_R, batch = parts.rules.rate_UR[number], parts.batches.of_update(number)
        before: Any = (state.parameters, state.buffers, state.of_rule)
        state.parameters, state.buffers, state.of_rule, loss_R, before_R, after_R = self.next(
            *before, rate_R, self.position(number), batch
        )
        return {"batch_loss": loss_R, "gradient_norm": before_R, "clipped_gradient_norm": after_R}

    def _refill_noise(self, step: int) -> None:
        if not self.parts.network.stacks:  # a single run, whose module may draw for itself
            torch.manual_seed(subseed(self.parts.batches.seeds[0], "noise", step))
        buffers, batches = self.parts.state.buffers, self.parts.batches
        for position, (name, buffer) in enumerate(buffers.items()):
            if name.rsplit(".", 1)[-1] == "noise":
                drawn_S = noise(batches.seeds, buffer.shape[1:], step * len(buffers) + position)
                buffers[name] = batches.spread((drawn_S.to(self.parts.device, self.parts.dtype),))[0]


def noise(seeds: list[int], shape: torch.Size, index: int) -> Tensor:
    """Return standard normals [S, *shape] in float64, by each seed and the index of the buffer that they fill."""
    generators = [torch.Generator().manual_seed(subseed(seed, "noise", index)) for seed in seeds]
    return torch.stack([torch.randn(shape, generator=one, dtype=torch.float64) for one in generators])
