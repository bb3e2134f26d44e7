"""What a run of a LightningModule costs, found by making it once and taking one step on its first batch."""

from __future__ import annotations

import dataclasses
import tempfile
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from ...spec import Cost, Instance, require
from .making import library_of, made, silence


def measure(module: Instance, datamodule: Instance | None, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a `Cost`; ValueError where the module cannot be made or takes no step."""
    silence()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        one = made(module)
        data = {} if datamodule is None else {"datamodule": made(datamodule)}
        library = library_of(one, *data.values())
        counter = _Counter(library)
        options = {"max_steps": 2, "limit_val_batches": 0, "num_sanity_val_steps": 0, "logger": False, **sizes}
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
        trainer = library.Trainer(
            accelerator="cpu", devices=1, default_root_dir=tempfile.gettempdir(), callbacks=[counter.callback], **quiet,
            **options,
        )  # fmt: skip
        saved: list[int] = []
        own = {parameter.data_ptr() for parameter in one.parameters()}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            saved.append(0 if tensor.data_ptr() in own else tensor.numel())
            return tensor

        with FlopCounterMode(display=False) as flops, torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept):
            trainer.fit(one, **data)
    steps = max(trainer.global_step, 1)
    must = "an epoch must have a number of batches"
    finite = counter.num_batches not in (None, float("inf"))
    require(finite, what=f"LightningTraining of {module.cls!r}", must=must, got=counter.num_batches,
            do="set limit_train_batches, or max_steps and cost")  # fmt: skip
    return dataclasses.asdict(
        Cost(
            num_parameters=sum(parameter.numel() for parameter in one.parameters()),
            flops_per_step=float(flops.get_total_flops()) / steps,
            num_batches=int(counter.num_batches or 0),
            num_layers=sum(1 for child in one.modules() if not list(child.children())),
            values_saved=sum(saved) / steps,
        )
    )


class _Counter:
    """How many batches an epoch has, as Lightning counts them."""

    def __init__(self, library: Any) -> None:
        self.num_batches: float | None = None
        counter = self

        class Counting(library.Callback):
            def on_train_start(self, trainer: Any, pl_module: Any) -> None:
                counter.num_batches = trainer.num_training_batches

        self.callback = Counting()
