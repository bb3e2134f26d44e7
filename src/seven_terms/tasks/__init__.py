"""Tasks: data and loss of each, one file a task. A batch is a function of (seed, position, size) alone."""

from .build import build_task as build_task
from .data import TaskData as TaskData
