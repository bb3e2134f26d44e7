"""One plain module over R runs: outputs, losses and gradients of every run at once.

A forward pass is `torch.vmap` of `functional_call`; the loss of the stack is the *sum* over runs, so that no run's rate depends
on how many neighbours it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_map

from ..models import fast_attention
from ..optimizers import Tensors
from ..tasks.data import TaskData


class StackedNetwork:
    """Pure functions of parameters and buffers [R, ...]; the module itself holds no numbers.

    `stacks`: whether `torch.vmap` can take the module; if not there is one run, and its axis is taken off and put on again.
    """

    def __init__(self, module: nn.Module, task: TaskData, *, stacks: bool = True) -> None:
        self.module, self.task, self.stacks = module, task, stacks
        fast_attention(not stacks)
        self.over_runs: Callable[..., Any] = torch.vmap if stacks else of_one_run

    def outputs(self, parameters: Tensors, buffers: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        """Return outputs [R, B, ...] for inputs [R, B, ...] or `shared` ones [B, ...], in the mode that the module is in."""

        def one(parameters: Tensors, buffers: Tensors, inputs: Tensor) -> Tensor:
            return functional_call(self.module, (parameters, buffers), (inputs,))

        return self.over_runs(one, in_dims=(0, 0, None if shared else 0))(parameters, buffers, inputs)

    def losses(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the loss [R] of every run on its own batch; running statistics in `buffers` move in training mode."""
        return self.over_runs(self._loss)(parameters, buffers, *batch)

    def gradients(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensors]:
        """Return (loss [R], gradients) of every run."""
        if torch.compiler.is_compiling():
            found, loss_R = torch.vmap(torch.func.grad_and_value(self._loss))(parameters, buffers, *batch)
            return loss_R, found
        leaves = {name: parameter.detach().requires_grad_() for name, parameter in parameters.items()}
        loss_R = self.losses(leaves, buffers, batch)
        found = torch.autograd.grad(loss_R.sum(), list(leaves.values()))
        return loss_R.detach(), dict(zip(leaves, found, strict=True))

    def _loss(self, parameters: Tensors, buffers: Tensors, *batch: Tensor) -> Tensor:
        outputs = functional_call(self.module, (parameters, buffers), (batch[0],))
        return self.task.loss(outputs, *batch)


def of_one_run(function: Callable[..., Any], in_dims: int | tuple[int | None, ...] = 0) -> Callable[..., Any]:
    """Return what `torch.vmap` returns, for tensors of a single run: buffers change through views of them."""

    def called(*arguments: Any) -> Any:
        dims = in_dims if isinstance(in_dims, tuple) else (in_dims,) * len(arguments)
        single = [
            tree_map(lambda tensor: tensor[0], one) if dim == 0 else one
            for one, dim in zip(arguments, dims, strict=True)
        ]
        return tree_map(lambda tensor: tensor.unsqueeze(0), function(*single))

    return called
