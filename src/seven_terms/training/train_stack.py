"""Train one stack of a plan and write its metrics file: the entry point of every training job."""

from __future__ import annotations

import logging
import os
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from torch.utils.data import DataLoader

from ..records.plans import read_stack
from ..records.provenance import provenance
from ..records.runs import Stack
from ..records.tables import write_metrics
from ..running.devices import held_devices
from ..spec import require
from .checkpoints import Checkpoints
from .lightning import fit_runs
from .lightning.runs import forget
from .program import StackedProgram
from .ranks import joined, own_rank, rank_device, run_ranks, trainer_options
from .reproducible import use_strict_products
from .stacked_runs import StackedRuns


def train_stack(
    *,
    plan_path: Path,
    stack_id: str,
    output_path: Path,
    state_dir: Path | None = None,
    accelerator: str = "cpu",
    callbacks: Sequence[pl.Callback] = (),
) -> Stack:
    """Train a stack, write its metrics and return it; with `state_dir`, an interrupted call resumes.

    Diverged runs are marked in the file and are no error. ValueError when the plan has no such stack. `callbacks` watch
    the fit.
    """
    _, stack = read_stack(plan_path, stack_id)
    rank = own_rank()
    if stack.num_devices > 1 and rank is None:
        paths = {"plan": plan_path, "output": output_path, "state": state_dir}
        options = {"stack": stack_id, "accelerator": accelerator} | paths
        arguments = [f"--{name}={value}" for name, value in options.items() if value is not None]
        with held_devices(stack.num_devices, accelerator=accelerator):
            run_ranks(stack.num_devices, ["train", *arguments])
        return stack
    with held_devices(1, accelerator=accelerator) if rank is None else nullcontext():
        started, cpu_started = time.perf_counter(), time.process_time()
        trained = trained_stack(stack, state_dir=state_dir, accelerator=accelerator, callbacks=callbacks)
    if rank:  # the first of several processes writes for all
        return stack
    record = stack_record(
        stack,
        trained,
        duration_seconds=time.perf_counter() - started,
        processor_seconds=(time.process_time() - cpu_started) * stack.num_devices,
    )
    write_metrics(trained.table, output_path, stack=record)
    if state_dir is not None:
        Checkpoints(state_dir, stack_id).remove()
        forget(stack, state_dir)
    return stack


@dataclass(frozen=True, kw_only=True, slots=True)
class Trained:
    """What training a stack leaves, whoever trained it: its metrics, how each run ended, on what, by what code."""

    table: pd.DataFrame
    ends: Mapping[str, Mapping[str, Any]]
    device: str
    provenance: Mapping[str, Any]


def trained_stack(
    stack: Stack, *, state_dir: Path | None = None, accelerator: str = "cpu", callbacks: Sequence[pl.Callback] = ()
) -> Trained:
    """Return what training a stack leaves, by whichever way its mode says; `callbacks` watch the fit of a stacked program."""
    if stack.runs[0].mode == "lightning":
        require_accelerator(accelerator)
        configure_torch()
        found = fit_runs(stack, state_dir=state_dir, accelerator=accelerator)
        device = str(rank_device(own_rank(), accelerator=accelerator))
        return Trained(table=found.table(), ends=found.ends, device=device_name(torch.device(device)), provenance={})
    runs = fit(stack, state_dir=state_dir, accelerator=accelerator, callbacks=callbacks)
    return Trained(
        table=runs.recorder.table(),
        ends=ends_of(stack, runs),
        device=device_name(runs.program.device),
        provenance=runs.program.way.provenance(),
    )


def fit(
    stack: Stack, *, state_dir: Path | None = None, accelerator: str = "cpu", callbacks: Sequence[pl.Callback] = ()
) -> StackedRuns:
    """Return the trained stack with its recorder filled; of several processes, the first one's records everything.

    `callbacks` watch the fit.
    """
    require_accelerator(accelerator)
    configure_torch()
    rank = own_rank()
    program = StackedProgram(stack, device=str(rank_device(rank, accelerator=accelerator)), rank=rank)
    runs = StackedRuns(program, stack.runs[0].probes, [run.id for run in stack.runs])
    checkpoints = Checkpoints(state_dir, stack.id) if state_dir is not None else None
    if checkpoints is not None:
        checkpoints.restore(runs)
    with joined(rank, stack.num_devices, accelerator=accelerator), warnings.catch_warnings():
        # No optimizer of Lightning's, ranges of updates in place of a DataLoader, Slurm's srun unused: all is meant.
        warnings.filterwarnings("ignore", module=r"pytorch_lightning\..*|lightning_fabric\..*")
        all_callbacks = [*([checkpoints] if checkpoints else []), *callbacks]
        trainer = make_trainer(accelerator=accelerator, num_devices=stack.num_devices, callbacks=all_callbacks)
        trainer.fit(runs, train_dataloaders=DataLoader(runs.ranges(), batch_size=None))
    if trainer.interrupted:
        raise KeyboardInterrupt
    return runs


def require_accelerator(accelerator: str) -> None:
    """Raise ValueError where PyTorch does not see what is to be trained on."""
    require(
        accelerator == "cpu" or torch.cuda.is_available(),
        what="accelerator 'gpu'",
        must="PyTorch must see a GPU",
        got=f"none with torch {torch.__version__}",
        do="train on the processor (`--accelerator cpu`, in the workflow `--resources gpu=0`) or install its build for GPUs",
    )


def make_trainer(*, accelerator: str = "cpu", num_devices: int = 1, **options: Any) -> pl.Trainer:
    """Return the Trainer of all stacks; ValueError for Lightning's own clipping, which would couple the runs."""
    require(
        not options.get("gradient_clip_val"),
        what="Trainer",
        must="gradient_clip_val must be unset (its norm would run over all runs of the stack)",
        got=options.get("gradient_clip_val"),
        do="set `clipping` in the arm's Training",
    )
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    return pl.Trainer(
        accelerator=accelerator,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        plugins=[LightningEnvironment()],  # inside a Slurm job step Lightning would wait for ranks that never come
        default_root_dir=tempfile.gettempdir(),
        **trainer_options(num_devices, accelerator=accelerator),
        **options,
    )


def ends_of(stack: Stack, runs: StackedRuns) -> dict[str, dict[str, Any]]:
    """Return how each run of a stack ended."""
    diverged_at = runs.program.diverged_at_R.tolist()
    return {
        run.id: {
            "status": "completed" if step < 0 else "diverged",
            "diverged_at_step": None if step < 0 else step,
            "steps": run.training.num_steps,
        }
        for run, step in zip(stack.runs, diverged_at, strict=False)
    }


def stack_record(
    stack: Stack, trained: Trained, *, duration_seconds: float, processor_seconds: float
) -> dict[str, Any]:
    """Return what is known of a trained stack besides its metrics: each run's status, duration, provenance."""
    return {
        "stack": stack.id,
        "experiment": stack.experiment,
        "runs": trained.ends,
        "duration_seconds": duration_seconds,
        "processor_seconds": processor_seconds,
        "provenance": {**provenance(device=trained.device), **trained.provenance},
    }


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def configure_torch() -> None:
    """Make this process compute as every stack is computed: one thread, strict products, no denormal numbers.

    A GPU multiplies float32 in float32: PyTorch lets cuDNN's convolutions round their factors to ten bits (TF32) unless told.
    """
    use_strict_products()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.set_flush_denormal(True)
