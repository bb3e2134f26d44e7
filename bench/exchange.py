"""What JAX needs of a training, as arrays: initial numbers by seed, and the examples, rates and noise of every update.

For `python -m bench` a file of them is written by a process with PyTorch and read by one without, so that neither pays for the
other's library.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from seven_terms.models import build_model, initial_parameters
from seven_terms.models.trained import trained_names
from seven_terms.spec import TemporalOrder, Training
from seven_terms.tasks import build_task
from seven_terms.tasks.data import ExampleOrder, TaskData
from seven_terms.training.advance.eager import noise

from .job import Job

Arrays = dict[str, np.ndarray]


def write_data(job: Job) -> None:
    path = Path(job.data_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays_of(job.training, seeds_of(job), num_updates=job.num_steps))


def seeds_of(job: Job) -> list[int]:
    return sorted({run.seed for run in job.stack.runs})


def arrays_of(training: Training, seeds: list[int], *, num_updates: int) -> Arrays:
    """Return the arrays of the first updates, by name.

    `parameters/<name>` and `buffers/<name>` [S, ...]; `trained` lists names where not all are. `factors` [updates] of the
    learning rate. `noise/<name>` [updates, S, ...] fills buffers. Stored examples are `examples/<i>` [S or 1, N, ...], the
    whole split or what `order` [updates, S, B] picks; fresh ones are `stream/<i>` [updates, S, ...].
    """
    updates = list(training.updates())[:num_updates]
    sizes = {size for _, size in updates}
    assert len(sizes) == 1, "batches that grow have arrays of several shapes"
    dtype = {"float32": torch.float32, "float64": torch.float64}[training.precision]
    task = build_task(training.task, dtype=dtype, device="cpu")
    module = build_model(training.model, input_shape=task.input_shape, num_outputs=task.num_outputs).to(dtype)
    drawn = [initial_parameters(module, training.initialization, seed) for seed in seeds]
    tensors = {f"parameters/{name}": torch.stack([values[name] for values in drawn]) for name in drawn[0]}
    buffers = dict(module.named_buffers())
    tensors |= {f"buffers/{name}": buffer.expand(len(seeds), *buffer.shape) for name, buffer in buffers.items()}
    steps = [step for step, _ in updates]
    for position, (name, buffer) in enumerate(buffers.items()):
        if name.rsplit(".", 1)[-1] == "noise":
            each = [noise(seeds, buffer.shape, step * len(buffers) + position) for step in steps]
            tensors[f"noise/{name}"] = torch.stack(each).to(dtype)
    factors = [training.schedule.factor(step, training.num_steps) for step in steps]
    tensors |= {"factors": torch.tensor(factors, dtype=dtype)} | _examples(
        training, task, seeds, steps, size=sizes.pop()
    )
    arrays = {name: _array(tensor) for name, tensor in tensors.items()}
    trained = trained_names(module, training.trained)
    return arrays if trained is None else arrays | {"trained": np.array(trained)}


def _examples(
    training: Training, task: TaskData, seeds: list[int], steps: list[int], *, size: int | None
) -> dict[str, torch.Tensor]:
    if size is None or task.num_examples is not None:
        whole = task.evaluation("train", seeds) if task.num_examples is not None else task.batches(seeds, 0, size)
        examples = {f"examples/{index}": tensor for index, tensor in enumerate(whole)}
        if size is None:
            return examples
        order = ExampleOrder(task.num_examples or 0, device=torch.device("cpu"))
        return examples | {"order": torch.stack([order.indices(seeds, step * size, size) for step in steps])}
    streams = zip(*(task.batches(seeds, step * size, size) for step in steps), strict=True)
    stacked = {f"stream/{index}": torch.stack(tensors) for index, tensors in enumerate(streams)}
    if isinstance(training.task, TemporalOrder):
        stacked["stream/0"] = stacked["stream/0"].argmax(-1).to(torch.uint8)  # symbols, to be looked up
    return stacked


def _array(tensor: torch.Tensor) -> np.ndarray:
    return (tensor.int() if tensor.dtype == torch.int64 else tensor).numpy()
