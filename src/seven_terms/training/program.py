"""The stacked program: R runs that share one tensor program, advanced as one.

Every parameter, buffer and optimizer state carries the run axis R first. A forward pass is `torch.vmap` of
`functional_call` over a plain module; the loss of the stack is the *sum* over runs, so that no run's rate depends on
how many neighbours it has. Padding, a copy of the last run, sits at the end: vectorised kernels treat the tail of
a tensor differently from its body, and with a stack of one they choose other kernels; the padding takes both, so that
a run's numbers are the same bits alone and in any stack (tests/training/test_stack_invariance.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from ..models import build_model, initial_parameters
from ..optimizers import State, clip, hyper_parameters, initial_state, update
from ..planning.cost import num_rows
from ..records.runs import Run, Stack
from ..seeds import subseed
from ..spec import Training, factor
from ..tasks import build_task
from .compiled import compiled
from .native import NativeUpdates
from .shares import shared_gradients, tell_batch_norms

Tensors = dict[str, Tensor]
DIVERGENCE_FACTOR = 1e4  # a run has diverged when its batch loss is not finite or grew by this factor


class StackedProgram:
    """The state of R runs and the functions that move it by one update."""

    def __init__(self, stack: Stack, *, device: str = "cpu", rank: int | None = None) -> None:
        self.rank = rank  # which share of every batch is this process's; None: the whole batch is
        self.num_runs, self.mode = len(stack.runs), stack.runs[0].mode
        self.training: Training = stack.runs[0].training
        rows = num_rows(self.training, self.num_runs, is_compiled=self.mode == "compiled")
        self.runs: tuple[Run, ...] = (*stack.runs, *[stack.runs[-1]] * (rows - self.num_runs))
        self.device = torch.device(device)
        self.dtype = {"float32": torch.float32, "float64": torch.float64}[self.training.precision]
        self.task = build_task(self.training.task, dtype=self.dtype, device=self.device)
        self.seeds = sorted({run.seed for run in self.runs})
        self.seed_index_R = torch.tensor([self.seeds.index(run.seed) for run in self.runs], device=self.device)
        self.updates = list(_updates(self.training))
        self.step_U = torch.tensor([step for step, _ in self.updates], device=self.device)
        self._build_model()
        self._build_rules()
        self._advance = compiled(self._next) if self.mode == "compiled" else self._next
        self.native = NativeUpdates(self) if self.mode == "native" else None
        self.diverged_at_R = torch.full((len(self.runs),), -1, dtype=torch.int64, device=self.device)
        self.initial_loss_R: Tensor | None = None
        self.probe_state: dict[str, Any] = {}

    def _build_model(self) -> None:
        model = self.training.model
        self.module = build_model(model, input_shape=self.task.input_shape, num_outputs=self.task.num_outputs)
        self.module = self.module.to(self.dtype)
        initial = [initial_parameters(self.module, model, run.training.initialization, run.seed) for run in self.runs]
        self.parameters: Tensors = {
            name: torch.stack([parameters[name] for parameters in initial]).to(self.device, self.dtype)
            for name in initial[0]
        }
        self.buffers: Tensors = {
            name: buffer.to(self.device).expand(len(self.runs), *buffer.shape).clone()
            for name, buffer in self.module.named_buffers()
        }
        self.module = self.module.to("meta")
        tell_batch_norms(self.module, num_devices=self.training.num_devices)

    def _build_rules(self) -> None:
        self.optimizer = self.training.optimizer
        self.hyper = hyper_parameters([run.training.optimizer for run in self.runs], device=self.device)
        clippings = [run.training.clipping for run in self.runs]
        self.clip_norm_R = self._threshold([clipping.norm for clipping in clippings])
        self.clip_value_R = self._threshold([clipping.value for clipping in clippings])
        self.clip_adaptive_R = self._threshold([clipping.adaptive for clipping in clippings])
        self.rate_UR = self._per_run([self._rates(run) for run in self.runs]).T.contiguous()
        self.state = initial_state(self.optimizer, self.parameters, self.hyper)

    def _rates(self, run: Run) -> list[float]:
        training = run.training
        rate = training.optimizer.learning_rate
        return [rate * factor(training.schedule, step, training.num_steps) for step, _ in self.updates]

    def _per_run(self, values: list[Any]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)

    def _threshold(self, values: list[float]) -> Tensor | None:
        """Return thresholds [R], or None where all are infinite: infinity gives the same bits as no clipping."""
        return None if all(value == math.inf for value in values) else self._per_run(values)

    # ---- data ----

    def batch(self, step: int, size: int | None) -> tuple[Tensor, ...]:
        """Return the batch of an update, each tensor [R, B, ...]: equal seeds see equal batches."""
        position = step * (self.training.batch_size or 1)
        return self.spread(self.task.batches(self.seeds, position, size))

    def spread(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return tensors [S, ...] as [R, ...] by each run's seed, and [1, ...] as [R, ...] without a copy.

        Compiled code would be another for tensors without a copy, and round otherwise.
        """
        shared = tuple(
            tensor.expand(len(self.runs), *tensor.shape[1:])
            if tensor.shape[0] == 1
            else tensor.index_select(0, self.seed_index_R)
            for tensor in tensors
        )
        return shared if self.mode != "compiled" else tuple(tensor.contiguous() for tensor in shared)

    def batch_of_step(self, step: int) -> tuple[Tensor, ...]:
        """Return the batch that the update at `step` uses; after the last update, the batch that would come next."""
        size = next((size for first, size in reversed(self.updates) if first <= step), self.training.batch_size)
        return self.batch(step, size)

    # ---- forward and backward ----

    def forward(self, parameters: Tensors, buffers: Tensors, inputs: Tensor) -> Tensor:
        """Return outputs [R, B, ...] of every run's module on its own inputs [R, B, ...]."""

        def one(parameters: Tensors, buffers: Tensors, inputs: Tensor) -> Tensor:
            return functional_call(self.module, (parameters, buffers), (inputs,))

        return torch.vmap(one)(parameters, buffers, inputs)

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        """Return outputs [R, B, ...] for inputs [R, B, ...] or `shared` ones [B, ...], in the mode that the module is in.

        No running statistics move.
        """
        if self.native and parameters is self.parameters and not self.module.training:
            return self.native.outputs(inputs, shared=shared)

        def one(parameters: Tensors, buffers: Tensors, inputs: Tensor) -> Tensor:
            return functional_call(self.module, (parameters, buffers), (inputs,))

        buffers = self.frozen_buffers()
        return torch.vmap(one, in_dims=(0, 0, None if shared else 0))(parameters, buffers, inputs)

    def losses(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the loss [R] of every run on its own batch; running statistics in `buffers` move in training mode."""
        return torch.vmap(self._loss)(parameters, buffers, *batch)

    def _loss(self, parameters: Tensors, buffers: Tensors, *batch: Tensor) -> Tensor:
        outputs = functional_call(self.module, (parameters, buffers), (batch[0],))
        return self.task.loss(outputs, *batch)

    def gradients(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensors]:
        """Return (loss [R], gradients) of every run."""
        if torch.compiler.is_compiling():
            found, loss_R = torch.vmap(torch.func.grad_and_value(self._loss))(parameters, buffers, *batch)
            return loss_R, found
        leaves = {name: parameter.detach().requires_grad_() for name, parameter in parameters.items()}
        loss_R = self.losses(leaves, buffers, batch)
        found = torch.autograd.grad(loss_R.sum(), list(leaves.values()))
        return loss_R.detach(), dict(zip(leaves, found, strict=True))

    def frozen_buffers(self) -> Tensors:
        """Return a copy of the buffers, for passes that must not move the running statistics."""
        return {name: buffer.clone() for name, buffer in self.buffers.items()}

    # ---- one update ----

    def update(self, number: int) -> dict[str, Tensor]:
        """Make update `number`; return loss, gradient_norm and clipped_gradient_norm, each [R]."""
        return {name: told_UR[0] for name, told_UR in self.advance(number, number + 1).items()}

    def advance(self, first: int, stop: int) -> dict[str, Tensor]:
        """Make updates first ... stop - 1; return what `update` does for each of them, [U, R].

        Native updates also tell of update_norm, and change parameters, buffers and state in place.
        """
        if self.native is None:
            each = [self._update(number) for number in range(first, stop)]
            told_UR = {name: torch.stack([told[name] for told in each]) for name in each[0]}
        else:
            told_UR = self.native.advance(first, stop)
        self._mark_diverged(told_UR["batch_loss"], first)
        return told_UR

    def _update(self, number: int) -> dict[str, Tensor]:
        step, size = self.updates[number]
        self._refill_noise(step)
        position = torch.tensor(number) if self.mode == "compiled" else number
        self.parameters, self.buffers, self.state, loss_R, before_R, after_R = self._advance(
            self.parameters, self.buffers, self.state, self.rate_UR[number], position, self.batch(step, size)
        )
        return {"batch_loss": loss_R, "gradient_norm": before_R, "clipped_gradient_norm": after_R}

    def _next(
        self,
        parameters: Tensors,
        buffers: Tensors,
        state: State,
        rate_R: Tensor,
        number: int | Tensor,
        batch: tuple[Tensor, ...],
    ) -> tuple[Tensors, Tensors, State, Tensor, Tensor, Tensor]:
        """Return what an update leaves behind: (parameters, buffers, state, loss, norm before and after clipping [R])."""
        if self.rank is None:
            loss_R, gradients = self.gradients(parameters, buffers, batch)
        else:
            loss_R, gradients = shared_gradients(self, batch, rank=self.rank)
        gradients, before_R, after_R = clip(
            self.clip_norm_R, self.clip_value_R, self.clip_adaptive_R, parameters, gradients
        )
        parameters, state = update(self.optimizer, self.hyper, rate_R, parameters, gradients, state, number)
        return parameters, buffers, state, loss_R, before_R, after_R

    def _refill_noise(self, step: int) -> None:
        for name, buffer in self.buffers.items():
            if name.rsplit(".", 1)[-1] == "noise":
                self.buffers[name] = self.spread((self._noise(buffer.shape[1:], step, name),))[0]

    def _noise(self, shape: torch.Size, step: int, name: str) -> Tensor:
        position = list(self.buffers).index(name)
        drawn = []
        for seed in self.seeds:
            generator = torch.Generator().manual_seed(subseed(seed, "noise", step * len(self.buffers) + position))
            drawn.append(torch.randn(shape, generator=generator, dtype=torch.float64))
        return torch.stack(drawn).to(self.device, self.dtype)

    def _mark_diverged(self, loss_UR: Tensor, first: int) -> None:
        if self.initial_loss_R is None:
            self.initial_loss_R = loss_UR[0].abs()
        bound_R = DIVERGENCE_FACTOR * torch.clamp(self.initial_loss_R, min=1e-3)
        bad_UR = ~(loss_UR.abs() <= bound_R)  # written so that NaN counts as bad
        step_R = self.step_U[first + bad_UR.int().argmax(0)]
        self.diverged_at_R = torch.where(bad_UR.any(0) & (self.diverged_at_R < 0), step_R, self.diverged_at_R)


def _updates(training: Training) -> Iterator[tuple[int, int | None]]:
    """Yield (step, batch size) of each update; steps count base batches, so a batch of f times the size makes f steps."""
    step, base = 0, training.batch_size
    while step < training.num_steps:
        growth = 1
        for fraction, times in training.batch_growth:
            if step >= round(fraction * training.num_steps):
                growth = times
        yield step, None if base is None else base * growth
        step += growth
