"""Every kind of program of the suite, timed in every way that could train it: results/bench/kinds.csv and a table.

`python -m bench.kinds`; ways take turns, and times are a core's own, so that a busy machine changes ratios little. They are
those of updates alone: ours as planned, a plain PyTorch loop over one module, the same loop compiled, an ensemble by
`torch.func` as users write it, and one Lightning fit. JAX stands in `python -m bench`, for the networks written there in JAX.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from experiments import EXPERIMENTS
from seven_terms.models import build_model, initial_parameters
from seven_terms.optimizers import clip, hyper_parameters, initial_state, update
from seven_terms.planning.cost import facts, flops_per_run_step
from seven_terms.planning.modes import mode_of
from seven_terms.planning.selection import plans_at
from seven_terms.records.runs import Run, Stack
from seven_terms.spec import Adam, Cifar10, Digits, Sgd, Training
from seven_terms.tasks import build_task
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import configure_torch, make_trainer
from tests.training.every_kind import kind_of

from .floor import product_rate

Step = Callable[[], None]
WAYS = ("ours", "plain loop", "compiled loop", "torch.func ensemble", "Lightning fit")
PLANNED = 10_000  # runs of a program that is chosen a mode for; so many steps are planned, too


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """A way at work: `go(n)` makes n updates of `num_runs` runs."""

    go: Callable[[int], None]
    num_runs: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.kinds", description=__doc__)
    parser.add_argument("--scales", nargs="+", default=["laptop", "paper"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="of one turn")
    parser.add_argument("--largest", type=float, default=1.0, help="GFLOP of a run's update; others are left out")
    parser.add_argument("--only", default="", help="a part of a kind's name")
    parser.add_argument("--output", type=Path, default=Path("results/bench/kinds.csv"))
    chosen = parser.parse_args()
    configure_torch()
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    rate = product_rate(accelerator="cpu", num_threads=1)
    rows: list[dict[str, Any]] = []
    for name, training in kinds(chosen.scales).items():
        if chosen.only not in name or flops_per_run_step(training) > 1e9 * chosen.largest:
            continue
        for size in chosen.sizes:
            rows += measured(name, training, size, chosen, rate=rate)
            pd.DataFrame(rows).to_csv(chosen.output, index=False)
            told = ", ".join(f"{row['way']} {row['microseconds']:.0f} ({row['times_ours']:.1f})" for row in _last(rows))
            print(f"{name}, R = {size}, {rows[-1]['mode']}: {told}", flush=True)
    return int(any(row["times_ours"] < 1 for row in rows))


def kinds(scales: Iterable[str]) -> dict[str, Training]:
    """Return the trainings of the suite by kind, the cheapest of each; what makes no update is left out."""
    found: dict[str, Training] = {}
    for scale in scales:
        for plan in plans_at(EXPERIMENTS, scale, compiling="never").values():
            for stack in plan.stacks.values():
                if not isinstance(stack.runs[0].training, Training):
                    continue  # somebody's LightningModule, which Lightning itself trains
                training = _on_bundled_data(stack.runs[0].training)
                name = kind_of(dataclasses.replace(stack.runs[0], probes=())).removesuffix("; ")
                if training.num_steps and (
                    name not in found or flops_per_run_step(training) < flops_per_run_step(found[name])
                ):
                    found[name] = training
    return found


def _on_bundled_data(training: Training) -> Training:
    """CIFAR-10 stands for itself on digits of nearly its size: the files are not on every machine."""
    task, size = training.task, training.batch_size
    if not isinstance(task, Cifar10):
        return training
    return dataclasses.replace(training, task=Digits(image=task.image), batch_size=size and min(size, 128))


def measured(name: str, training: Training, size: int, chosen: argparse.Namespace, *, rate: float) -> list[dict]:
    """Return a row a way; the ways take turns."""
    training = dataclasses.replace(training, num_steps=PLANNED)
    mode = mode_of(training, size, compiling="auto")
    makers: dict[str, Callable[[], Timed]] = {
        "ours": lambda: ours(training, size, mode=mode),
        "plain loop": lambda: plain(training),
        "compiled loop": lambda: plain(training, is_compiled=True),
        "torch.func ensemble": lambda: ensemble(training, size),
    }
    active: dict[str, Timed] = {}
    for way in chosen.ways:
        if way in makers and not (way == "compiled loop" and (size > 1 or facts(training).speed == "recurrent")):
            try:
                active[way] = makers[way]()
                active[way].go(2)
            except Exception as error:
                active.pop(way, None)
                print(f"  {way}: {type(error).__name__}: {str(error)[:100]}", file=sys.stderr, flush=True)
    times = _in_turns(active, rounds=chosen.rounds, seconds=chosen.seconds)
    if "Lightning fit" in chosen.ways and size == 1:
        times["Lightning fit"] = [_lightning(training) for _ in range(2)]
    ours_median = statistics.median(times["ours"])
    floor = flops_per_run_step(training) / rate
    is_point = facts(training).speed == "point"
    return [
        {
            "kind": name,
            "num_runs": size,
            "mode": mode,
            "way": way,
            "microseconds": 1e6 * statistics.median(found),
            "times_ours": statistics.median(found) / ours_median,
            "share_of_floor": math.nan if is_point else floor / statistics.median(found),
        }
        for way, found in times.items()
    ]


def _last(rows: list[dict]) -> list[dict]:
    return [row for row in rows if (row["kind"], row["num_runs"]) == (rows[-1]["kind"], rows[-1]["num_runs"])]


def _in_turns(active: dict[str, Timed], *, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return seconds per run and update of each way, by round."""
    steps = {}
    for way, timed in active.items():
        started = time.process_time()
        timed.go(2)
        steps[way] = max(min(int(seconds / max((time.process_time() - started) / 2, 1e-6)), 200), 1)
    times: dict[str, list[float]] = {way: [] for way in active}
    for number in range(rounds):
        for way in list(active)[:: 1 if number % 2 else -1]:
            started = time.process_time()
            active[way].go(steps[way])
            times[way].append((time.process_time() - started) / (steps[way] * active[way].num_runs))
    return times


def ours(training: Training, size: int, *, mode: Any) -> Timed:
    runs = tuple(
        Run(experiment="bench/bench", arm="a", settings={}, seed=index % 5, training=training, probes=(), mode=mode)
        for index in range(size)
    )
    program = StackedProgram(Stack(experiment="bench/bench", runs=runs))
    done = [0]

    def go(number: int) -> None:
        first = done[0] if done[0] + number <= len(program.updates) else 0
        for begin in range(first, first + number, program.way.updates_per_call):
            program.advance(begin, min(begin + program.way.updates_per_call, first + number))
        done[0] = first + number

    return Timed(go=go, num_runs=size)


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
        with torch.no_grad():
            for name, parameter in self.module.named_parameters():
                parameter.copy_(self.initial[name])

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
    parameters = list(parts.module.parameters())
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


def _repeated(step: Step) -> Callable[[int], None]:
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


def _lightning(training: Training, *, num_steps: int = 30) -> float:
    fit = Fit(Parts(training))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = make_trainer()
        trainer.fit(fit, DataLoader(list(range(num_steps)), batch_size=None))
    return (fit.seconds[-1] - fit.seconds[2]) / (len(fit.seconds) - 3)


if __name__ == "__main__":
    sys.exit(main())
