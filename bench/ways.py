"""The ways that could train a kind of program in PyTorch: ours as planned, loops over one module, an ensemble, Lightning."""

from __future__ import annotations

import dataclasses
import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from seven_terms.models import build_model, initial_parameters
from seven_terms.models.trained import trained_names
from seven_terms.optimizers import clip, hyper_parameters, initial_state, update
from seven_terms.records.runs import Mode, Run, Stack
from seven_terms.spec import Adam, Sgd, Training
from seven_terms.tasks import build_task
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import make_trainer

NUM_SEEDS = 5


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """A way at work: `go(n)` makes the next n updates of `num_runs` runs; `losses()` are those of the last batch, by run."""

    go: Callable[[int], None]
    num_runs: int
    losses: Callable[[], list[float]] | None = None


def ours(training: Training, size: int, *, mode: Mode) -> Timed:
    runs = tuple(
        Run(
            experiment="bench/bench",
            arm="a",
            settings={},
            seed=index % NUM_SEEDS,
            training=training,
            probes=(),
            mode=mode,
        )
        for index in range(size)
    )
    program = StackedProgram(Stack(experiment="bench/bench", runs=runs))
    done, told = [0], [torch.zeros(size)]

    def go(number: int) -> None:
        first = done[0] if done[0] + number <= len(program.updates) else 0
        for begin in range(first, first + number, program.way.updates_per_call):
            told[0] = program.advance(begin, min(begin + program.way.updates_per_call, first + number))["batch_loss"][
                -1
            ]
        done[0] = first + number

    return Timed(go=go, num_runs=size, losses=lambda: told[0][:size].tolist())


class Parts:
    """One run's module, rule and batches, as one would write them for it alone."""

    def __init__(self, training: Training) -> None:
        self.training = training
        dtype = {"float32": torch.float32, "float64": torch.float64}[training.precision]
        self.task = build_task(training.task, dtype=dtype, device=torch.device("cpu"))
        shapes = {"input_shape": self.task.input_shape, "num_outputs": self.task.num_outputs}

        def build() -> nn.Module:
            return build_model(training.model, **shapes).to(dtype)

        self.module, self.updates = build(), list(training.updates())
        self.initial = initial_parameters(self.module, training.initialization, 0, again=build)
        self.trained = trained_names(self.module, training.trained) or tuple(self.initial)
        with torch.no_grad():
            for name, parameter in self.module.named_parameters():
                parameter.copy_(self.initial[name])
                parameter.requires_grad_(name in self.trained)

    def batch(self, number: int, seeds: list[int]) -> tuple[Tensor, ...]:
        step, size = self.updates[number % len(self.updates)]
        return self.task.batches(seeds, step * (self.training.batch_size or 1), size)

    def optimizer(self, parameters: list[Tensor]) -> torch.optim.Optimizer | None:
        rule = self.training.optimizer
        if isinstance(rule, Sgd):
            options = {name: getattr(rule, name) for name in ("momentum", "weight_decay", "nesterov")}
            return torch.optim.SGD(parameters, lr=rule.learning_rate, **options)
        if isinstance(rule, Adam):
            kind = torch.optim.AdamW if rule.decoupled else torch.optim.Adam
            options = {"betas": (rule.beta1, rule.beta2), "eps": rule.eps, "weight_decay": rule.weight_decay}
            return kind(parameters, lr=rule.learning_rate, **options)
        return None


def plain(training: Training, *, is_compiled: bool = False) -> Timed:
    """A loop over one module with `torch.optim`; a rule that torch lacks is written with tensors."""
    parts = Parts(training)
    parameters = [parameter for name, parameter in parts.module.named_parameters() if name in parts.trained]
    optimizer, clipping, done = parts.optimizer(parameters), training.clipping, [0]
    rule = _own_rule(training, parts)

    def loss_of(*batch: Tensor) -> Tensor:
        return parts.task.loss(parts.module(batch[0]), *batch)

    loss_of = torch.compile(loss_of, dynamic=False) if is_compiled else loss_of

    def step() -> None:
        loss = loss_of(*(tensor[0] for tensor in parts.batch(done[0], [0])))
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        if clipping.adaptive < math.inf:
            _clip_adaptively(parts, clipping.adaptive)
        if clipping.value < math.inf:
            nn.utils.clip_grad_value_(parameters, clipping.value)
        if clipping.norm < math.inf:
            nn.utils.clip_grad_norm_(parameters, clipping.norm)
        optimizer.step() if optimizer else rule(done[0])
        done[0] += 1

    return Timed(go=_repeated(step), num_runs=1)


def _repeated(step: Callable[[], None]) -> Callable[[int], None]:
    def go(number: int) -> None:
        for _ in range(number):
            step()

    return go


def _own_rule(training: Training, parts: Parts) -> Callable[[int], None]:
    hyper = hyper_parameters([training.optimizer])
    rate = torch.tensor([getattr(training.optimizer, "learning_rate", 0.1)], dtype=torch.float64)
    held = {"state": initial_state(training.optimizer, {k: w[None] for k, w in parts.initial.items()}, hyper)}

    def apply(number: int) -> None:
        named = dict(parts.module.named_parameters())
        now = {name: w.detach()[None] for name, w in named.items()}
        grads = {name: w.grad[None] for name, w in named.items() if w.grad is not None}
        after, held["state"] = update(training.optimizer, hyper, rate, now, grads, held["state"], number)
        with torch.no_grad():
            for name, w in named.items():
                w.copy_(after[name][0])

    return apply


def _clip_adaptively(parts: Parts, bound: float) -> None:
    named = dict(parts.module.named_parameters())
    grads = {name: w.grad[None] for name, w in named.items() if w.grad is not None}
    now = {name: w.detach()[None] for name, w in named.items()}
    clipped, _, _ = clip(None, None, torch.tensor([bound], dtype=torch.float64), now, grads)
    for name, w in named.items():
        w.grad = clipped[name][0]


def ensemble(training: Training, size: int) -> Timed:
    """`torch.vmap` over `torch.func.grad` of stacked parameters, with one `torch.optim` for all, as the tutorial has it."""
    parts = Parts(training)
    stacked = {name: w.expand(size, *w.shape).clone() for name, w in parts.initial.items()}
    buffers = {name: b.expand(size, *b.shape).clone() for name, b in parts.module.named_buffers()}
    optimizer, seeds, done = parts.optimizer(list(stacked.values())), [index % 5 for index in range(size)], [0]
    if optimizer is None:
        raise ValueError("torch.optim has no such rule")
    clipping = training.clipping
    bounds = [
        torch.full((size,), bound, dtype=torch.float64) if bound < math.inf else None
        for bound in (clipping.norm, clipping.value, clipping.adaptive)
    ]

    def loss_of(parameters: dict[str, Tensor], buffers: dict[str, Tensor], *batch: Tensor) -> Tensor:
        outputs = torch.func.functional_call(parts.module, (parameters, buffers), (batch[0],))
        return parts.task.loss(outputs, *batch)

    of_all = torch.vmap(torch.func.grad(loss_of))

    def step() -> None:
        batch = tuple(t.expand(size, *t.shape[1:]) if len(t) == 1 else t for t in parts.batch(done[0], seeds))
        grads = of_all(stacked, buffers, *batch)
        if any(bound is not None for bound in bounds):
            grads, _, _ = clip(*bounds, stacked, grads)
        for name, w in stacked.items():
            w.grad = grads[name]
        optimizer.step()
        done[0] += 1

    return Timed(go=_repeated(step), num_runs=size)


class Fit(pl.LightningModule):
    """One run in Lightning; the time between its second and its last batch counts."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts, self.module, self.seconds, self.automatic_optimization = parts, parts.module, [0.0], True

    def training_step(self, number: int, index: int) -> Tensor:
        batch = tuple(tensor[0] for tensor in self.parts.batch(number, [0]))
        return self.parts.task.loss(self.module(batch[0]), *batch)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.seconds.append(time.process_time())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        found = self.parts.optimizer(list(self.module.parameters()))
        return found or torch.optim.SGD(self.module.parameters(), lr=1e-3)


def lightning(training: Training, *, num_steps: int = 30) -> float:
    """Return the seconds of an update in one fit."""
    fit = Fit(Parts(training))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = make_trainer()
        trainer.fit(fit, DataLoader(list(range(num_steps)), batch_size=None))
    return (fit.seconds[-1] - fit.seconds[2]) / (len(fit.seconds) - 3)
