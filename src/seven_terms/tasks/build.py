"""From a task's record to its data and loss."""

from __future__ import annotations

import torch

from ..spec import Task, require
from .data import TaskData


def build_task(task: Task, *, dtype: torch.dtype, device: torch.device | str) -> TaskData:
    """Return the task's data on a device, in float32 or float64; downloads what is missing.

    ValueError where the data have another shape than the task says.
    """
    data = task.build(dtype=dtype, device=torch.device(device))
    said, found = (task.input_shape, task.num_outputs), (tuple(data.input_shape), data.num_outputs)
    must = f"(input_shape, num_outputs) must be {said}, as the task says"
    require(said == found, what=f"data of task {type(task).__name__}", must=must, got=found)
    return data
