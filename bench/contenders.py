"""The ways to run a grid: each takes a stack and returns the final batch losses of its runs, over the same batches."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable

import pytorch_lightning as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from seven_terms.canonical import canonical_json, decode
from seven_terms.models import build_model, initial_parameters
from seven_terms.plan import Run, Stack
from seven_terms.tasks import build_task
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import fit, make_trainer

MOST_TIMED = 4  # one-at-a-time contenders are timed on this many runs: their cost is linear


def ours(stack: Stack) -> list[float]:
    """The stacked trainer, with Lightning driving it, as the pipeline calls it."""
    program: StackedProgram = fit(stack).program
    loss_R = program.losses(program.parameters, program.frozen_buffers(), program.batch_of_step(0))
    return loss_R[: len(stack.runs)].tolist()


def plain_loop(stack: Stack) -> list[float]:
    """One run after the other in a PyTorch loop as one would write it."""
    return [_plain(run) for run in stack.runs]


def lightning_in_process(stack: Stack) -> list[float]:
    """One `Trainer.fit` after the other in one process."""
    return [_lightning(run) for run in stack.runs]


def lightning_processes(stack: Stack) -> list[float]:
    """A process a run, as a workflow of single runs does it."""
    return [_in_process_of_its_own(run) for run in stack.runs]


def _setup(run: Run) -> tuple[nn.Module, torch.optim.Optimizer, Callable]:
    training = run.training
    task = build_task(training.task, dtype=torch.float32, device="cpu")
    module = build_model(training.model, input_shape=task.input_shape, num_outputs=task.num_outputs)
    initial = initial_parameters(module, training.model, training.initialization, run.seed)
    module.load_state_dict({name: value.float() for name, value in initial.items()}, strict=False)
    rule = training.optimizer
    optimizer = torch.optim.SGD(module.parameters(), lr=rule.learning_rate, momentum=rule.momentum)

    def batch(step: int) -> tuple[torch.Tensor, ...]:
        return tuple(t[0] for t in task.batches([run.seed], step * training.batch_size, training.batch_size))

    return module, optimizer, batch


def _loss(module: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return nn.functional.cross_entropy(module(batch[0]), batch[1])


def _plain(run: Run) -> float:
    module, optimizer, batch = _setup(run)
    for step in range(run.training.num_steps):
        loss = _loss(module, batch(step))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), run.training.clipping.norm)
        optimizer.step()
    return _loss(module, batch(0)).item()


class _Batches(Dataset):
    def __init__(self, batch: Callable, num_steps: int) -> None:
        self.batch, self.num_steps = batch, num_steps

    def __len__(self) -> int:
        return self.num_steps

    def __getitem__(self, step: int) -> tuple[torch.Tensor, ...]:
        return self.batch(step)


class _Module(pl.LightningModule):
    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        super().__init__()
        self.module, self.rule = module, optimizer

    def training_step(self, batch: tuple[torch.Tensor, ...], index: int) -> torch.Tensor:
        return _loss(self.module, batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.rule


def _lightning(run: Run) -> float:
    module, optimizer, batch = _setup(run)
    clip = run.training.clipping.norm
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, gradient_clip_val=None if clip == float("inf") else clip,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(_Module(module, optimizer), DataLoader(_Batches(batch, run.training.num_steps), batch_size=None))
    return _loss(module, batch(0)).item()


def _in_process_of_its_own(run: Run) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.contenders"],
        input=canonical_json(run),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Run the one run on standard input with Lightning: the process of `lightning_processes`."""
    torch.set_num_threads(1)
    make_trainer()  # quiets Lightning's loggers
    record = {key: decode(value) for key, value in json.loads(sys.stdin.read()).items() if key != "is"}
    print(_lightning(Run(**record)))


CONTENDERS: dict[str, Callable[[Stack], list[float]]] = {
    "stacked (ours)": ours,
    "plain PyTorch loop": plain_loop,
    "Lightning, one process": lightning_in_process,
    "Lightning, a process a run": lightning_processes,
}

if __name__ == "__main__":
    main()
