"""From a task's record to its data and loss: one function a task."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ..spec import tasks as spec
from .adding import adding
from .cifar10 import cifar10
from .data import TaskData
from .digits import digits
from .gaussian_inputs import gaussian_inputs
from .linear_regression import linear_regression
from .point_functions import one_unit_recurrence, power_function
from .polyphonic_music import polyphonic_music
from .quadratic import noisy_quadratic_moments, quadratic
from .temporal_order import temporal_order

BUILDERS: dict[type, Callable[..., TaskData]] = {
    spec.Digits: digits,
    spec.Cifar10: cifar10,
    spec.TemporalOrder: temporal_order,
    spec.Adding: adding,
    spec.PolyphonicMusic: polyphonic_music,
    spec.Quadratic: quadratic,
    spec.NoisyQuadraticMoments: noisy_quadratic_moments,
    spec.PowerFunction: power_function,
    spec.OneUnitRecurrence: one_unit_recurrence,
    spec.LinearRegression: linear_regression,
    spec.GaussianInputs: gaussian_inputs,
}


def build_task(task: spec.Task, *, dtype: torch.dtype, device: torch.device | str) -> TaskData:
    """Return the task's data on a device, in float32 or float64; downloads what is missing."""
    return BUILDERS[type(task)](task, dtype=dtype, device=torch.device(device))
