"""Updates whose passes go run by run through PyTorch: on a processor a stack of large convolutions is slower than its runs."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.func import functional_call

from ...optimizers import State, Tensors
from .eager import Eager, Updated
from .protocol import StackParts


class Serial(Eager):
    """Eager updates with one forward and backward pass a run; clipping and the rule take the whole stack, padding included."""

    is_compiled: ClassVar[bool] = False

    def __init__(self, parts: StackParts) -> None:
        super().__init__(parts)
        num_runs = parts.num_runs
        self.run_of_row = [min(row, num_runs - 1) for row in range(len(parts.runs))]

    def updated(
        self,
        parameters: Tensors,
        buffers: Tensors,
        of_rule: State,
        rate_R: Tensor,
        number: int | Tensor,
        batch: tuple[Tensor, ...],
    ) -> Updated:
        rules = self.parts.rules
        passed = [self._pass(parameters, buffers, batch, run) for run in range(self.parts.num_runs)]
        loss_R = torch.stack([passed[run][0] for run in self.run_of_row])
        found = {name: torch.stack([passed[run][1][name] for run in self.run_of_row]) for name in parameters}
        found, before_R, after_R = rules.clipped(parameters, found)
        parameters, of_rule = rules.updated(rate_R, parameters, found, of_rule, number)
        return parameters, buffers, of_rule, loss_R, before_R, after_R

    def _pass(
        self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...], run: int
    ) -> tuple[Tensor, Tensors]:
        """Return one run's loss and gradients; its running statistics move, in place."""
        network = self.parts.network
        leaves = {name: parameter[run].detach().requires_grad_() for name, parameter in parameters.items()}
        own = {name: buffer[run] for name, buffer in buffers.items()}
        inputs, *others = (tensor[run] for tensor in batch)
        outputs = functional_call(network.module, (leaves, own), (inputs,))
        loss = network.task.loss(outputs, inputs, *others)
        found = torch.autograd.grad(loss, list(leaves.values()))
        return loss.detach(), dict(zip(leaves, found, strict=True))
