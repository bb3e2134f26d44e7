"""The floor: the multiply-adds that a workload cannot do without, and the measured rate of large matrix products."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from seven_terms.spec import Cnn, Mlp, Recurrent, Training

PRODUCT_SIZE = {"cpu": 1024, "gpu": 8192}


def flops_per_run_step(training: Training) -> float:
    """Return the operations of the products of one update of one run, forward and backward; nothing else is counted.

    Every product has two of its size in the backward pass, but for the first layer, whose input needs no gradient.
    """
    task = training.task
    inputs, outputs = math.prod(task.input_shape) // task.sequence_length, task.num_outputs
    model = training.model
    if isinstance(model, Mlp):
        widths = [inputs] + [model.width] * model.depth + [outputs]
        sizes = [before * after for before, after in zip(widths, widths[1:], strict=False)]
    elif isinstance(model, Cnn):
        sizes = [*_convolutions(model, training.task.resolution), model.channels[-1] * outputs]
    else:
        assert isinstance(model, Recurrent)
        assert model.cell == "tanh"
        length = training.task.length
        sizes = [length * inputs * model.width, length * model.width**2, model.width * outputs]
    return 2.0 * training.batch_size * (3 * sum(sizes) - sizes[0])


def _convolutions(model: Cnn, resolution: int) -> list[int]:
    sizes, before = [], 1
    for channels, stride in zip(model.channels, model.strides, strict=True):
        resolution = math.ceil(resolution / stride)
        sizes.append(9 * before * channels * resolution**2)
        before = channels
    return sizes


def product_rate(
    *, accelerator: str, num_threads: int, seconds: float = 0.5, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Return the operations a second of a large product in float32, the fastest of those that `seconds` allow."""
    import torch

    torch.set_num_threads(num_threads)
    size, device = PRODUCT_SIZE[accelerator], {"cpu": "cpu", "gpu": "cuda"}[accelerator]
    a, b = torch.randn(size, size, device=device), torch.randn(size, size, device=device)
    wait = torch.cuda.synchronize if accelerator == "gpu" else lambda: None
    fastest, end = math.inf, clock() + seconds
    while clock() < end or fastest == math.inf:
        wait()
        start = clock()
        torch.mm(a, b)
        wait()
        fastest = min(fastest, clock() - start)
    return 2.0 * size**3 / fastest


def device_name(accelerator: str) -> str:
    import torch

    return torch.cuda.get_device_name() if accelerator == "gpu" else "cpu"
