"""The loop of a simple recurrent cell, h_t = f(d_t + W h_{t-1}), with its own backward pass.

Autograd would form the gradient of W step by step and add up T matrices. Here the backward loop only carries dL/dh_t
back; the gradient of W is one product over all steps afterwards. Inside, a state is [R, H, B], so that every step's
matrices lie together in memory and the stacked products write where their result is read.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

SMALLEST_SQUARE = 1e-20  # of the norm of a gradient that has not vanished, as in the authors' code
SIMPLE_CELLS = ("tanh", "relu", "sigmoid", "identity")


def simple_states(
    driven: Tensor, weight: Tensor, *, cell: str, last_only: bool = False, regularization: float = 0.0
) -> Tensor:
    """Return the hidden states [T, B, H], or the last one [B, H], for inputs [T, B, H] and a recurrent matrix [H, H].

    The state before the first input is zero. Works under vmap and has first derivatives only. `regularization` times the
    immediate derivative of Omega (Pascanu et al. 2013, section 3.3; see `_regularizer`) is added to the matrix's gradient.
    """
    options = (cell, last_only, regularization)
    return _Loop.apply(driven.unsqueeze(0), weight.unsqueeze(0), *options)[0].squeeze(0)


class _Loop(Function):
    """driven [R, T, B, H], weight [R, H, H] -> (wanted [R, T, B, H] or [R, B, H], all states [T, R, H, B]).

    vmap is one more factor in R.
    """

    @staticmethod
    def forward(
        driven: Tensor, weight: Tensor, cell: str, last_only: bool, regularization: float
    ) -> tuple[Tensor, Tensor]:
        states = driven.permute(1, 0, 3, 2).clone(memory_format=torch.contiguous_format)
        before = None
        for state in states.unbind(0):
            if before is not None:
                _add_product(state, weight, before)
            _activate(cell, state)
            before = state
        wanted = states[-1].transpose(1, 2) if last_only else states.permute(1, 0, 3, 2)
        return wanted.clone(memory_format=torch.preserve_format), states

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        _, weight, *context.options = inputs
        context.save_for_backward(weight, output[1])
        context.mark_non_differentiable(output[1])
        context.set_materialize_grads(False)

    @staticmethod
    @once_differentiable
    def backward(context: Any, *gradients: Tensor | None) -> tuple[Tensor | None, Tensor | None, None, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        weight, states = context.saved_tensors
        if gradients[0] is None:
            return None, None, None, None, None
        return *_Back.apply(gradients[0], weight, states, *context.options), None, None, None

    @staticmethod
    def vmap(  # pyright: ignore[reportIncompatibleMethodOverride]
        info: Any, in_dims: tuple[int | None, ...], driven: Tensor, weight: Tensor, *options: Any
    ) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        driven, weight = _run_first(info, in_dims, driven, weight)
        wanted, states = _Loop.apply(driven.flatten(0, 1), weight.flatten(0, 1), *options)
        return (wanted.unflatten(0, driven.shape[:2]), states.unflatten(1, driven.shape[:2])), (0, 1)


class _Back(Function):
    """The backward pass as a function of its own, for gradients that are taken inside a vmap."""

    @staticmethod
    def forward(
        gradient: Tensor, weight: Tensor, states: Tensor, cell: str, last_only: bool, regularization: float
    ) -> tuple[Tensor, Tensor]:
        return _backward(gradient, weight, states, cell, last_only, regularization)

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        context.mark_non_differentiable(*output)

    @staticmethod
    def vmap(  # pyright: ignore[reportIncompatibleMethodOverride]
        info: Any,
        in_dims: tuple[int | None, ...],
        gradient: Tensor,
        weight: Tensor,
        states: Tensor,
        *options: Any,
    ) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
        gradient, weight, states = _run_first(info, in_dims, gradient, weight, states)
        sizes = weight.shape[:2]
        by_time = states.transpose(0, 1).flatten(1, 2)  # [V, T, R, H, B] -> [T, V R, H, B]
        found = _Back.apply(gradient.flatten(0, 1), weight.flatten(0, 1), by_time, *options)
        return (found[0].unflatten(0, sizes), found[1].unflatten(0, sizes)), (0, 0)


def _run_first(info: Any, in_dims: tuple[int | None, ...], *tensors: Tensor) -> list[Tensor]:
    """Return the tensors with the axis of vmap in front."""
    return [
        tensor.expand(info.batch_size, *tensor.shape) if dim is None else tensor.movedim(dim, 0)
        for tensor, dim in zip(tensors, in_dims, strict=False)
    ]


def _backward(
    gradient: Tensor, weight: Tensor, states: Tensor, cell: str, last_only: bool, regularization: float
) -> tuple[Tensor, Tensor]:
    """Return the gradients of driven [R, T, B, H] and of weight [R, H, H]."""
    across, carried = weight.transpose(1, 2), torch.empty_like(states[0])
    from_sums = torch.empty_like(states)
    at_states = None if last_only else gradient.permute(1, 0, 3, 2)
    carried.copy_(gradient.transpose(1, 2) if at_states is None else at_states[-1])
    of_states = torch.empty_like(states) if regularization else None
    for t in range(len(states) - 1, -1, -1):
        if of_states is not None:
            of_states[t] = carried
        _slope_times(cell, carried, states[t], out=from_sums[t])
        if t > 0:
            _product(across, from_sums[t], out=carried)
            if at_states is not None:
                carried += at_states[t - 1]
    side_by_side = from_sums.permute(1, 2, 0, 3).contiguous()  # [R, H, T, B], for the products over all steps
    earlier = states[:-1].permute(1, 2, 0, 3).flatten(2)
    of_weight = torch.bmm(side_by_side[:, :, 1:].flatten(2), earlier.transpose(1, 2))
    if of_states is not None:
        before = torch.bmm(across, from_sums[0]).unsqueeze(0)  # dL/dh_0
        of_weight += regularization * _regularizer(torch.cat([before, of_states]), from_sums)
    return side_by_side.permute(0, 2, 3, 1), of_weight


def _add_product(sums: Tensor, matrix: Tensor, columns: Tensor) -> None:
    """Add matrix columns [R, H, H] [R, H, B] to sums."""
    if columns.shape[2] == 1:  # as a row: libraries take five times as long for a matrix and one column
        sums.transpose(1, 2).baddbmm_(columns.transpose(1, 2), matrix.transpose(1, 2))
    else:
        sums.baddbmm_(matrix, columns)


def _product(matrix: Tensor, columns: Tensor, *, out: Tensor) -> None:
    """Write matrix columns [R, H, H] [R, H, B]."""
    if columns.shape[2] == 1:
        torch.bmm(columns.transpose(1, 2), matrix.transpose(1, 2), out=out.transpose(1, 2))
    else:
        torch.bmm(matrix, columns, out=out)


def _regularizer(of_states: Tensor, from_sums: Tensor) -> Tensor:
    """Return the immediate derivative [R, H, H] of Omega in the recurrent matrix W, from dL/dh_t and dL/d(sum), [T, R, H, B].

    `of_states` begins with dL/dh_0. Omega is the mean over examples and steps t of (|d_{t-1}|^2 / |d_t|^2 - 1)^2 with d_t =
    dL/dh_t, where d_{t-1} = W' s_t for the gradient s_t of the sum before f: all but this W counts as constant. As in the
    authors' code: squared norms, where the paper's equation 9 has norms, and only terms with |d_t|^2 >= 1e-20 count.
    """
    squares = of_states.square().sum(2, keepdim=True)
    earlier, later = squares[:-1], squares[1:]
    counts = later >= SMALLEST_SQUARE
    number = counts.sum((0, 3), keepdim=True).clamp(min=1)
    factor = 4.0 * (earlier / later - 1.0) / (later * number)
    scaled = torch.where(counts, factor, 0.0) * of_states[:-1]
    return torch.einsum("trob,trkb->rok", from_sums, scaled)


def _activate(cell: str, state: Tensor) -> None:
    match cell:
        case "tanh":
            state.tanh_()
        case "relu":
            state.relu_()
        case "sigmoid":
            state.sigmoid_()


def _slope_times(cell: str, gradient: Tensor, state: Tensor, *, out: Tensor) -> None:
    """Write f'(a) * gradient for the state f(a)."""
    match cell:
        case "tanh":
            torch.ops.aten.tanh_backward(gradient, state, grad_input=out)
        case "relu":
            torch.ops.aten.threshold_backward(gradient, state, 0, grad_input=out)
        case "sigmoid":
            torch.ops.aten.sigmoid_backward(gradient, state, grad_input=out)
        case _:
            out.copy_(gradient)
