"""What JAX needs of a job, as one file of arrays: initial parameters by seed, and the examples of every step.

Written by a process with PyTorch, read by one without, so that neither pays for the other's library.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from seven_terms.models import build_model, initial_parameters
from seven_terms.spec import Digits
from seven_terms.tasks import build_task
from seven_terms.tasks.data import ExampleOrder, TaskData

from .job import Job


def write_data(job: Job) -> None:
    """Write `parameters/<name>` [S, ...] and the examples.

    Stored ones are `inputs` [N, ...], `labels` [N] and `order` [steps, S, B]; fresh sequences are `inputs`, symbols
    [steps, S, B, T], and `labels` [steps, S, B].
    """
    training = job.training
    seeds = sorted({run.seed for run in job.stack.runs})
    task = build_task(training.task, dtype=torch.float32, device="cpu")
    module = build_model(training.model, input_shape=task.input_shape, num_outputs=task.num_outputs)
    drawn = [initial_parameters(module, training.initialization, seed) for seed in seeds]
    arrays = {f"parameters/{name}": torch.stack([values[name] for values in drawn]) for name in drawn[0]}
    examples = _stored if isinstance(training.task, Digits) else _fresh
    arrays |= examples(task, seeds, size=training.batch_size, num_steps=job.num_steps)
    path = Path(job.data_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{name: tensor.numpy() for name, tensor in arrays.items()})


def _stored(task: TaskData, seeds: list[int], *, size: int, num_steps: int) -> dict[str, torch.Tensor]:
    inputs, labels = (tensor[0] for tensor in task.evaluation("train", seeds))
    order = ExampleOrder(len(labels), device=torch.device("cpu"))
    steps = [order.indices(seeds, step * size, size) for step in range(num_steps)]
    return {"inputs": inputs, "labels": labels.int(), "order": torch.stack(steps).int()}


def _fresh(task: TaskData, seeds: list[int], *, size: int, num_steps: int) -> dict[str, torch.Tensor]:
    batches = [task.batches(seeds, step * size, size) for step in range(num_steps)]
    symbols = torch.stack([one_hot.argmax(-1) for one_hot, _ in batches])
    return {"inputs": symbols.to(torch.uint8), "labels": torch.stack([labels for _, labels in batches]).int()}
