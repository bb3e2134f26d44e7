"""The stacked program: R runs that share one tensor program, advanced as one.

Every parameter, buffer and optimizer state carries the run axis R first. Padding, a copy of the last run, sits at the end:
vectorised kernels treat the tail of a tensor differently from its body, and with a stack of one they choose other kernels; the
padding takes both, so that a run's numbers are the same bits alone and in any stack (tests/training/test_stack_invariance.py).
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor, nn

from ..models import InitialParameters, build_model, trained_names
from ..optimizers import State, Tensors
from ..planning.cost import facts, num_rows
from ..records.runs import Run, Stack
from ..spec import Training
from ..tasks import build_task
from .advance import WAYS, StackParts, StackState
from .batches import Batches
from .network import StackedNetwork
from .run_rules import RunRules
from .shares import tell_batch_norms

DIVERGENCE_FACTOR = 1e4  # a run has diverged when its batch loss is not finite or grew by this factor


class StackedProgram:
    """The state of R runs, the way it advances, and what probes may ask of it."""

    def __init__(self, stack: Stack, *, device: str = "cpu", rank: int | None = None) -> None:
        way = WAYS[stack.runs[0].mode]
        self.rank, self.num_runs, self.device = rank, len(stack.runs), torch.device(device)
        self.training: Training = stack.runs[0].training
        self.dtype = {"float32": torch.float32, "float64": torch.float64}[self.training.precision]
        self.runs = _padded(stack.runs, rows=num_rows(self.training, self.num_runs, is_compiled=way.is_compiled))
        task = build_task(self.training.task, dtype=self.dtype, device=self.device)
        self.task = task.drawn_with(way.normals) if way.normals and task.drawn_with else task
        self.batches = Batches(self.task, self.runs, device=self.device, copied=way.is_compiled)
        self.updates, self.seeds = self.batches.updates, self.batches.seeds
        steps = [step for step, _ in self.updates]
        self.step_U = torch.tensor(steps, device=self.device)
        self.rules = RunRules(self.runs, steps, device=self.device)
        self.held = self._build_model()
        self.way = way(
            StackParts(
                runs=self.runs,
                num_runs=self.num_runs,
                device=self.device,
                dtype=self.dtype,
                network=self.network,
                batches=self.batches,
                rules=self.rules,
                state=self.held,
                rank=rank,
            )
        )
        self.diverged_at_R = torch.full((len(self.runs),), -1, dtype=torch.int64, device=self.device)
        self.initial_loss_R: Tensor | None = None
        self.probe_state: dict[str, Any] = {}

    def _build_model(self) -> StackState:
        """Build the network and return the state before the first update."""
        shapes = {"input_shape": self.task.input_shape, "num_outputs": self.task.num_outputs}

        def build() -> nn.Module:
            return build_model(self.training.model, **shapes).to(self.dtype)

        module = build()
        start = functools.cache(InitialParameters(module, again=build))  # equal runs share it
        initial = [start(run.training.initialization, run.seed) for run in self.runs]
        parameters = {
            name: torch.stack([parameters[name] for parameters in initial]).to(self.device, self.dtype)
            for name in initial[0]
        }
        buffers = {
            name: buffer.to(self.device).expand(len(self.runs), *buffer.shape).clone()
            for name, buffer in module.named_buffers()
        }
        self.rules.trained = trained_names(module, self.training.trained)
        self.module = module.to("meta")
        tell_batch_norms(self.module, num_devices=self.training.num_devices)
        self.network = StackedNetwork(self.module, self.task, stacks=facts(self.training).stacks)
        return StackState(parameters, buffers, self.rules.initial_state(parameters))

    # ---- the state ----

    @property
    def parameters(self) -> Tensors:
        return self.held.parameters

    @property
    def buffers(self) -> Tensors:
        return self.held.buffers

    @property
    def state(self) -> State:
        return self.held.of_rule

    def load_state(self, parameters: Tensors, buffers: Tensors, state: State) -> None:
        """Take the numbers of a checkpoint in place of the present ones."""
        self.held.parameters, self.held.buffers, self.held.of_rule = parameters, buffers, state

    def frozen_buffers(self) -> Tensors:
        """Return a copy of the buffers, for passes that must not move the running statistics."""
        return {name: buffer.clone() for name, buffer in self.buffers.items()}

    # ---- what probes ask ----

    def spread(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return tensors [S, ...] as [R, ...] by each run's seed, and [1, ...] as [R, ...]."""
        return self.batches.spread(tensors)

    def batch_of_step(self, step: int) -> tuple[Tensor, ...]:
        """Return the batch that the update at `step` uses; after the last update, the batch that would come next."""
        return self.batches.of_step(step)

    def metrics(self, parameters: Tensors, examples: tuple[Tensor, ...]) -> Tensors:
        """Return the task's metrics, each [R] in float64, on examples [1 or S, N, ...], in the mode that the module is in."""
        return self.way.metrics(parameters, examples)

    def losses(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the loss [R] of every run on its own batch; running statistics in `buffers` move in training mode."""
        return self.network.losses(parameters, buffers, batch)

    def gradients(self, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensors]:
        """Return (loss [R], gradients) of every run."""
        return self.network.gradients(parameters, buffers, batch)

    def curvatures(self) -> Any:
        """Return what knows the Hessian of every run's loss without PyTorch; None where PyTorch must differentiate."""
        return self.way.curvatures()

    # ---- updates ----

    def update(self, number: int) -> Tensors:
        """Make update `number`; return loss, gradient_norm and clipped_gradient_norm, each [R]."""
        return {name: told_UR[0] for name, told_UR in self.advance(number, number + 1).items()}

    def advance(self, first: int, stop: int) -> Tensors:
        """Make updates first ... stop - 1 and mark the runs that diverge; return what `Advance.advance` does."""
        told_UR = self.way.advance(first, stop)
        self._mark_diverged(told_UR["batch_loss"], first)
        return told_UR

    def _mark_diverged(self, loss_UR: Tensor, first: int) -> None:
        if self.initial_loss_R is None:
            self.initial_loss_R = loss_UR[0].abs()
        bound_R = DIVERGENCE_FACTOR * torch.clamp(self.initial_loss_R, min=1e-3)
        good_UR = loss_UR.abs() <= bound_R  # written so that NaN counts as bad
        if self.device.type == "cpu" and good_UR.all():  # a GPU would have to wait for the answer
            return
        bad_UR = ~good_UR
        step_R = self.step_U[first + bad_UR.int().argmax(0)]
        self.diverged_at_R = torch.where(bad_UR.any(0) & (self.diverged_at_R < 0), step_R, self.diverged_at_R)


def _padded(runs: tuple[Run, ...], *, rows: int) -> tuple[Run, ...]:
    return (*runs, *[runs[-1]] * (rows - len(runs)))
