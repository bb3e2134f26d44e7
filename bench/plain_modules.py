"""The workloads' networks in PyTorch's own modules, as one would write them for a single run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from seven_terms.models import build_model, initial_parameters
from seven_terms.records.runs import Run
from seven_terms.spec import Cnn, Mlp
from seven_terms.tasks import build_task

Batch = Callable[[int], tuple[Tensor, Tensor]]
DEVICES = {"cpu": "cpu", "gpu": "cuda"}


class LastState(nn.Module):
    """x [B, T, D] -> outputs [B, C] of a tanh network's last state, one bias where `nn.RNN` has two that add up."""

    def __init__(self, num_inputs: int, width: int, num_outputs: int) -> None:
        super().__init__()
        self.recurrent = nn.RNN(num_inputs, width, batch_first=True)
        self.recurrent.bias_hh_l0.requires_grad_(False).zero_()
        self.readout = nn.Linear(width, num_outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.recurrent(x)[0][:, -1])


def run_parts(run: Run, accelerator: str = "cpu") -> tuple[nn.Module, torch.optim.Optimizer, Batch]:
    """Return a run's network with its initial parameters, its optimizer, and step -> (inputs, labels)."""
    training, device = run.training, DEVICES[accelerator]
    task = build_task(training.task, dtype=torch.float32, device=device)
    ours = build_model(training.model, input_shape=task.input_shape, num_outputs=task.num_outputs)
    initial = initial_parameters(ours, training.initialization, run.seed)
    module = _module(run, task.input_shape, task.num_outputs)
    with torch.no_grad():
        for parameter, value in zip(_in_our_order(module), initial.values(), strict=True):
            parameter.copy_(value)
    module.to(device)
    rule = training.optimizer
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=rule.learning_rate, momentum=rule.momentum)

    def batch(step: int) -> tuple[Tensor, Tensor]:
        inputs, labels = task.batches([run.seed], step * training.batch_size, training.batch_size)
        return inputs[0], labels[0]

    return module, optimizer, batch


def loss_of(module: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    return nn.functional.cross_entropy(module(batch[0]), batch[1])


def trained_parameters(module: nn.Module) -> list[Tensor]:
    """Return copies of the parameters that are trained."""
    return [parameter.detach().clone() for parameter in module.parameters() if parameter.requires_grad]


def distance(module: nn.Module, start: list[Tensor]) -> float:
    """Return how far the trained parameters have moved, as one vector."""
    moved = [(now - then).flatten() for now, then in zip(trained_parameters(module), start, strict=True)]
    return torch.cat(moved).norm().item()


def _module(run: Run, input_shape: tuple[int, ...], num_outputs: int) -> nn.Module:
    model = run.training.model
    if isinstance(model, Mlp):
        widths = [input_shape[0]] + [model.width] * model.depth
        layers = [part for sizes in pairwise(widths) for part in _hidden(*sizes, normalized=bool(model.normalization))]
        return nn.Sequential(*layers, nn.Linear(widths[-1], num_outputs))
    if isinstance(model, Cnn):
        channels = (input_shape[0], *model.channels)
        convolutions = [
            part
            for sizes, stride in zip(pairwise(channels), model.strides, strict=True)
            for part in (nn.Conv2d(*sizes, 3, stride=stride, padding=1), nn.ReLU())
        ]
        pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return nn.Sequential(*convolutions, *pooled, nn.Linear(channels[-1], num_outputs))
    return LastState(input_shape[-1], model.width, num_outputs)


def _hidden(before: int, after: int, *, normalized: bool) -> Iterator[nn.Module]:
    yield nn.Linear(before, after)
    if normalized:
        yield nn.BatchNorm1d(after)
    yield nn.ReLU()


def _in_our_order(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters in the order of our module, whose recurrent network lists its bias before its matrix."""
    if not isinstance(module, LastState):
        return list(module.parameters())
    recurrent, readout = module.recurrent, module.readout
    return [
        recurrent.weight_ih_l0,
        recurrent.bias_ih_l0,
        recurrent.weight_hh_l0,
        readout.weight,
        readout.bias,
    ]
