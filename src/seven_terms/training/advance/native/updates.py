"""Many updates of every run of a stack through the kernels, one run after the other.

A run's parameters, velocity and statistics stay inside the caches of one core while it makes all its updates up to the next
probe; a stack only shares batches. So a run's numbers cannot depend on its neighbours.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from ....planning.modes import ACTIVATIONS
from ....spec import BatchNorm, Mlp, Recurrent, Training, require
from ....tasks.losses import cross_entropy, half_squared_error, squared_error
from ..protocol import StackParts, Tensors
from .library import compiled_by, kernels

VALUES_OF_BATCHES = 1 << 22  # held at once: 16 MB
LOSSES = (cross_entropy, half_squared_error, squared_error)  # in the order of layout.h, as are kinds and ACTIVATIONS
TOLD = ("batch_loss", "gradient_norm", "clipped_gradient_norm", "update_norm")
STATISTICS = ("running_mean", "running_var")
INTEGERS = (
    *("kind", "depth", "num_inputs", "width", "num_outputs", "batch", "length", "activation", "loss"),
    *("bias", "residual", "normalized", "normalized_after", "center", "scale", "affine", "nesterov"),
)
Pointers = ctypes.Array[ctypes.c_void_p]


class Program(ctypes.Structure):
    """`Program` of layout.h."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in INTEGERS),
        ("eps", ctypes.c_float),
        ("statistics_momentum", ctypes.c_float),
        ("regularization", ctypes.c_float),
    )


class Rule(ctypes.Structure):
    """`Rule` of kernels.cpp."""

    _fields_ = tuple((name, ctypes.c_float) for name in ("momentum", "weight_decay", "clip_value", "clip_norm"))


class Native:
    """The kernels at work on the tensors of a stack, which change in place."""

    is_compiled: ClassVar[bool] = False
    updates_per_call: ClassVar[int] = 200
    updates_per_step: ClassVar[int] = 200

    def __init__(self, parts: StackParts) -> None:
        require(
            parts.device.type == "cpu",
            what="training",
            must="a stack that is planned for our kernels must train on the processor, because its kernels run on a processor",
            got=parts.device.type,
            do="plan for GPUs with `--compiling torch`, in the workflow `--config compiling=torch`",
        )
        self.parts = parts
        self.library = kernels()
        batch = parts.training.batch_size or parts.batches.task.num_examples
        assert batch is not None  # examples that never end need the size of a batch
        self.batch: int = batch
        self.kernel_program = _program(parts, batch=self.batch)
        self.rules = [_rule(run.training) for run in parts.runs[: parts.num_runs]]

    def advance(self, first: int, stop: int) -> dict[str, Tensor]:
        """Make updates first ... stop - 1; return each name of TOLD as [U, R], zero for the run that pads the stack."""
        assert 0 <= first < stop <= len(self.parts.batches.updates), (
            first,
            stop,
        )  # the kernels would read on behind the rates
        values = self.batch * math.prod(self.parts.batches.task.input_shape) * len(self.parts.batches.seeds)
        most = max(VALUES_OF_BATCHES // values, 1)
        parts = [self._some(number, min(number + most, stop)) for number in range(first, stop, most)]
        told_RUN = torch.cat(parts, dim=1)
        return {name: told_RUN[..., index].T.contiguous() for index, name in enumerate(TOLD)}

    def _some(self, first: int, stop: int) -> Tensor:
        parts, state, batches = self.parts, self.parts.state, self.parts.batches
        size = batches.base_size
        number = stop - first
        # Batches follow each other in the stream of examples, so those of several updates are one long batch.
        taken = batches.task.batches(batches.seeds, first * (size or 1), size and size * number)
        inputs, labels = (tensor.contiguous() for tensor in taken)
        rate_RU = parts.rules.rate_UR[first:stop].T.to(torch.float32).contiguous()
        told_RUN = torch.zeros(len(parts.runs), number, len(TOLD))
        seed_of_run = batches.seed_index_R.tolist()
        for run, rule in enumerate(self.rules):
            place = seed_of_run[run] if len(inputs) > 1 else 0
            self.library.seven_terms_advance(
                ctypes.byref(self.kernel_program),
                ctypes.byref(rule),
                number,
                self._pointers(state.parameters, run),
                self._pointers(state.of_rule["velocity"], run) if "velocity" in state.of_rule else None,
                self._pointers(state.buffers, run),
                ctypes.c_void_p(inputs[place].data_ptr()),
                ctypes.c_void_p(labels[place].data_ptr()),
                int(size is not None),
                ctypes.c_void_p(rate_RU[run].data_ptr()),
                ctypes.c_void_p(told_RUN[run].data_ptr()),
            )
        return told_RUN

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        """Kernels evaluate the present parameters in evaluation mode; what else is asked for is left to PyTorch."""
        parts, state = self.parts, self.parts.state
        if parameters is not state.parameters or parts.network.module.training:
            buffers = {name: buffer.clone() for name, buffer in state.buffers.items()}
            return parts.network.outputs(parameters, buffers, inputs, shared=shared)
        inputs = inputs.contiguous()
        number = inputs.shape[0 if shared else 1]
        outputs_RBC = torch.zeros(len(parts.runs), number, parts.batches.task.num_outputs)
        for run in range(parts.num_runs):
            self.library.seven_terms_evaluate(
                ctypes.byref(self.kernel_program),
                number,
                self._pointers(state.parameters, run),
                self._pointers(state.buffers, run),
                ctypes.c_void_p((inputs if shared else inputs[run]).data_ptr()),
                ctypes.c_void_p(outputs_RBC[run].data_ptr()),
            )
        return outputs_RBC

    def provenance(self) -> Mapping[str, str]:
        return {"kernels": compiled_by()}

    def _pointers(self, tensors: dict[str, Tensor], run: int) -> Pointers:
        rows = [tensor[run] for tensor in tensors.values()]
        assert all(row.is_contiguous() and row.dtype == torch.float32 for row in rows)
        return (ctypes.c_void_p * len(rows))(*[row.data_ptr() for row in rows])


def _program(parts: StackParts, *, batch: int) -> Program:
    training, model, task = parts.training, parts.training.model, parts.batches.task
    state = parts.state
    is_dense = isinstance(model, Mlp)
    shape = task.input_shape
    norm = model.normalization if is_dense else None
    assert norm is None or isinstance(norm, BatchNorm)
    assert list(state.parameters) == _parameter_names(model), list(state.parameters)
    assert [name.rsplit(".", 1)[-1] for name in state.buffers] == list(STATISTICS) * (len(state.buffers) // 2)
    norm_fields = {name: getattr(norm, name) for name in ("center", "scale", "affine", "eps")} if norm else {}
    return Program(
        kind=0 if is_dense else 1,
        depth=model.depth if is_dense else 1,
        num_inputs=math.prod(shape) if is_dense else shape[-1],
        width=model.width,
        num_outputs=task.num_outputs,
        batch=batch,
        length=1 if is_dense else shape[0],
        activation=ACTIVATIONS.index(model.activation if is_dense else model.cell),
        loss=LOSSES.index(task.loss),
        bias=model.bias if is_dense else True,
        residual=is_dense and model.residual,
        normalized=norm is not None,
        normalized_after=is_dense and model.placement == "after",
        nesterov=training.optimizer.nesterov,
        statistics_momentum=norm.momentum if norm else 0.0,
        regularization=0.0 if is_dense else model.regularization,
        **norm_fields,
    )


def _parameter_names(model: Mlp | Recurrent) -> list[str]:
    """Return the order in which layout.h supposes the parameters."""
    if isinstance(model, Recurrent):
        return ["input.weight", "input.bias", "recurrent.weight", "readout.weight", "readout.bias"]
    ends = ("weight", "bias") if model.bias else ("weight",)
    linear = [f"linear.{end}" for end in ends]
    norm = ["normalization.weight", "normalization.bias"] if getattr(model.normalization, "affine", False) else []
    hidden = [f"layers.{layer}.{name}" for layer in range(model.depth) for name in (*linear, *norm)]
    return hidden + [f"readout.{end}" for end in ends]


def _rule(training: Training) -> Rule:
    clipping, rule = training.clipping, training.optimizer
    return Rule(
        momentum=rule.momentum, weight_decay=rule.weight_decay, clip_value=clipping.value, clip_norm=clipping.norm
    )
