"""Tasks: data and loss of each, one file per task. A batch is a function of (seed, position, size) alone."""

from .build import build_task as build_task
from .data import TaskData as TaskData
