"""Updates run by run through PyTorch: on a processor a stack of large convolutions is slower than its runs."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ...optimizers import State, Tensors, clip
from ...optimizers.rules import Coefficients
from ...spec import Adam, Module, Sgd
from .eager import Eager
from .protocol import StackParts

ALIGNED = 64  # bytes: every parameter of every run begins at a multiple, so that libraries choose the same code for it
ENTRY_BY_ENTRY = (Sgd, Adam)  # rules that may take all parameters of a run as one vector; anybody's may look at layers
WHOLE = "whole"


@dataclass(frozen=True, kw_only=True, slots=True)
class Alone:
    """One run: its module as a function of inputs, and where its numbers lie, in one vector or by name."""

    leaves: list[Tensor]
    call: Callable[[Tensor], Tensor]
    targets: list[Tensor]  # a gradient's place for each leaf
    parameters: Tensors
    gradients: Tensors
    state: State
    hyper: Tensors  # of the rule, [1]
    bounds: tuple[Tensor | None, Tensor | None, Tensor | None]  # norm, value, adaptive: [1]


class Layout:
    """Where each parameter lies in a run's row."""

    def __init__(self, like: Tensors) -> None:
        self.places: dict[str, tuple[int, torch.Size]] = {}
        first = 0
        for name, tensor in like.items():
            self.places[name] = first, tensor.shape[1:]
            step = ALIGNED // tensor.element_size()
            first += math.ceil(tensor[0].numel() / step) * step
        self.length = first

    def rows_of(self, tensors: Tensors) -> tuple[Tensor, Tensors]:
        """Return rows [R, length] that hold the tensors [R, ...], zero between them, and the views of each."""
        one = next(iter(tensors.values()))
        rows = one.new_zeros(one.shape[0], self.length)
        views = self.views(rows, names=tensors)
        for name, tensor in tensors.items():
            views[name].copy_(tensor)
        return rows, views

    def views(self, rows: Tensor, *, names: Iterable[str]) -> Tensors:
        places = {name: self.places[name] for name in names}
        return {
            name: rows[:, first : first + math.prod(shape)].view(rows.shape[0], *shape)
            for name, (first, shape) in places.items()
        }


class Serial(Eager):
    """One run after the other, as a loop over modules would: all that a run is made of lies in one row.

    Forward and backward pass, clipping and rule see a single run, so a run's bits do not depend on its neighbours; the rows
    that pad the stack for probes are copies of the last run's.
    """

    is_compiled: ClassVar[bool] = False

    def __init__(self, parts: StackParts) -> None:
        super().__init__(parts)
        self.is_own = isinstance(parts.training.model, Module)  # may put other tensors in place of its buffers
        looks_at_layers = parts.rules.clip_adaptive_R is not None or parts.rules.trained is not None
        self.is_whole = type(parts.training.optimizer) in ENTRY_BY_ENTRY and not looks_at_layers
        self.taken: list[Tensor] = []

    def advance(self, first: int, stop: int) -> Tensors:
        self._take_state()
        told = [self._all_runs(number) for number in range(first, stop)]
        for rows in (self.weights, *self.memory.values(), *self.parts.state.buffers.values()):
            rows[self.parts.num_runs :] = rows[self.parts.num_runs - 1]
        names = ("batch_loss", "gradient_norm", "clipped_gradient_norm")
        return {name: torch.stack([one[place] for one in told]) for place, name in enumerate(names)}

    def _take_state(self) -> None:
        """Move parameters, buffers and the rule's memory into rows of this class's own, unless they are there."""
        state = self.parts.state
        held = [*state.parameters.values(), *[one for kept in state.of_rule.values() for one in kept.values()]]
        if len(held) == len(self.taken) and all(one is other for one, other in zip(held, self.taken, strict=True)):
            return
        self.layout = Layout(state.parameters)
        self.weights, state.parameters = self.layout.rows_of(state.parameters)
        found = {kept: self.layout.rows_of(values) for kept, values in state.of_rule.items()}
        self.memory: Tensors = {kept: rows for kept, (rows, _) in found.items()}
        state.of_rule = {kept: views for kept, (_, views) in found.items()}
        state.buffers = {name: buffer.clone() for name, buffer in state.buffers.items()}
        self.taken = [
            *state.parameters.values(),
            *[one for kept in state.of_rule.values() for one in kept.values()],
        ]
        self.alone = [self._run(row) for row in range(self.parts.num_runs)]

    def _run(self, row: int) -> Alone:
        part, rules, state = slice(row, row + 1), self.parts.rules, self.parts.state
        trained = rules.trained or tuple(state.parameters)
        own = {name: one[row] for name, one in state.parameters.items()}
        buffers = {name: buffer[row] for name, buffer in state.buffers.items()}
        make = _functional if self.is_own else _module
        leaves, call = make(self.parts.network.module, own, buffers, trained)
        gradients = torch.zeros_like(self.weights[part])
        bounds = (rules.clip_norm_R, rules.clip_value_R, rules.clip_adaptive_R)
        norm, value, adaptive = (None if bound_R is None else bound_R[part] for bound_R in bounds)

        def named(rows: Tensor) -> Tensors:
            return {WHOLE: rows} if self.is_whole else self.layout.views(rows, names=trained)

        return Alone(
            leaves=leaves,
            call=call,
            targets=[one[0] for one in self.layout.views(gradients, names=trained).values()],
            parameters=named(self.weights[part]),
            gradients=named(gradients),
            state={kept: named(rows[part]) for kept, rows in self.memory.items()},
            hyper={name: values_R[part] for name, values_R in rules.hyper.items()},
            bounds=(norm, value, adaptive),
        )

    def _all_runs(self, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Make update `number` of every run; return loss, norm before and norm after clipping, each [R]."""
        parts = self.parts
        self._refill_noise(parts.batches.updates[number][0])
        batch_of, rates = parts.batches.of_run(number), parts.rules.rate_UR[number].split(1)
        told = [self._one_run(run, batch_of(row), rates[row], number) for row, run in enumerate(self.alone)]
        told += [told[-1]] * (len(parts.runs) - parts.num_runs)
        loss, before, after = zip(*told, strict=True)
        return torch.stack(loss), torch.cat(before), torch.cat(after)

    def _one_run(self, run: Alone, batch: tuple[Tensor, ...], rate: Tensor, number: int) -> tuple[Tensor, ...]:
        rule = self.parts.rules.optimizer
        loss = self.parts.network.task.loss(run.call(batch[0]), *batch)
        torch._foreach_copy_(run.targets, torch.autograd.grad(loss, run.leaves))
        with torch.no_grad():
            norm, value, adaptive = run.bounds
            gradients, before, after = clip(norm, value, adaptive, run.parameters, run.gradients)
            coefficients = rule.coefficients(run.hyper, rate, number)
            for name, w in run.parameters.items():
                memory = {kept: values[name] for kept, values in run.state.items()}
                new, changed = rule.update(w, gradients[name], memory, Coefficients(coefficients, w), number=number)
                w.copy_(new)
                for kept, value in changed.items():
                    memory[kept].copy_(value)
        return loss.detach(), before, after

    def _refill_noise(self, step: int) -> None:
        buffers = self.parts.state.buffers
        held = dict(buffers)
        super()._refill_noise(step)
        for name, buffer in held.items():
            if buffers[name] is not buffer:  # the runs' modules look at the old one
                buffers[name] = buffer.copy_(buffers[name])


Made = tuple[list[Tensor], Callable[[Tensor], Tensor]]  # leaves, and the module as a function of inputs


def _module(module: nn.Module, parameters: Tensors, buffers: Tensors, trained: Iterable[str]) -> Made:
    """Return a copy of the module that is made of these tensors, so that a call costs no more than it."""
    made = copy.deepcopy(module).train()
    own = {name: nn.Parameter(value, requires_grad=name in set(trained)) for name, value in parameters.items()}
    of_old = {id(one): own[name] for name, one in made.named_parameters()}
    for name, part in made.named_modules():
        part._parameters.update({key: of_old[id(one)] for key, one in part._parameters.items() if one is not None})
        prefix = f"{name}." if name else ""
        part._buffers.update({key: buffers[prefix + key] for key in part._buffers if prefix + key in buffers})
    return [own[name] for name in trained], made


def _functional(module: nn.Module, parameters: Tensors, buffers: Tensors, trained: Iterable[str]) -> Made:
    """Return the module as a function, which keeps no tensor that a forward pass puts in place of another."""
    own = {name: value.detach().requires_grad_(name in set(trained)) for name, value in parameters.items()}
    return [own[name] for name in trained], lambda inputs: functional_call(module, (own, buffers), (inputs,))
