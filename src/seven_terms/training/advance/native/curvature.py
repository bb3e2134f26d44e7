"""Second-order measurements of fully connected networks through the kernels, run by run (`curvature.h`)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ....spec import Mlp, Training
from ..protocol import StackParts
from .border import STRUCTS, succeeded
from .fields import program_fields
from .library import kernels
from .tensors import places, pointers


def has_curvature(training: Training) -> bool:
    """Return whether the kernels know the second derivative of this training's loss."""
    model = training.model
    return isinstance(model, Mlp) and model.normalization is None and not model.residual and training.trained == "all"


class Curvatures:
    """Products with the Hessian of each run's loss, which never meet in one tensor."""

    def __init__(self, parts: StackParts) -> None:
        self.parts = parts
        self.library = kernels(parts.training.precision)

    def lanczos(
        self,
        rows: Sequence[int],
        examples: tuple[Tensor, ...],
        start_KP: Tensor,
        scale_KP: Tensor | None,
        iterations: int,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (basis [iterations, P], tridiagonal matrix [2, iterations], its diagonal first) of each row.

        Of the loss over examples [1 or S, N, ...], of S H S with a diagonal `scale`; start and scale in the order of `rows`.
        A basis is overwritten by the next one.
        """
        basis, found = (
            torch.empty(iterations, start_KP.shape[1], dtype=start_KP.dtype),
            torch.zeros(2, iterations).double(),
        )
        seeds = [self.parts.batches.seed_of_row[row] if len(examples[0]) > 1 else 0 for row in rows]
        for place, of_loss in enumerate(self._losses(rows, examples, seeds)):
            start, scale = start_KP[place].contiguous(), scale_KP[place].contiguous() if scale_KP is not None else None
            given = (start.data_ptr(), scale.data_ptr() if scale is not None else None, iterations)
            succeeded(self.library.seven_terms_lanczos(*of_loss, *given, basis.data_ptr(), found.data_ptr()))
            yield basis, found

    def along_gradient(self, batch: tuple[Tensor, ...]) -> Tensor:
        """Return g^T H g / g^T g [R] of each run's loss on its batch [R, B, ...], NaN for runs that pad the stack."""
        parts = self.parts
        found_R = torch.full((len(parts.runs),), torch.nan, dtype=torch.float64)
        rows = range(parts.num_runs)
        for of_loss, place in zip(self._losses(rows, batch, rows), places(found_R), strict=False):
            succeeded(self.library.seven_terms_curvature_along_gradient(*of_loss, place))
        return found_R

    def _losses(
        self, rows: Sequence[int], examples: tuple[Tensor, ...], groups: Sequence[int]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the first arguments of a kernel: the loss of each row over its group of the examples."""
        parts = self.parts
        inputs, answers = (tensor if tensor[0].is_contiguous() else tensor.contiguous() for tensor in examples)
        assert inputs.dtype == parts.dtype, inputs.dtype
        assert answers.dtype in (parts.dtype, torch.int64), answers.dtype
        number = inputs.shape[1]
        program = STRUCTS[parts.training.precision].program(**program_fields(parts, batch=number))
        parameters = list(parts.state.parameters.values())
        of_inputs, of_answers = places(inputs), places(answers)
        for row, group in zip(rows, groups, strict=True):
            seen, known = of_inputs[group], of_answers[group]
            answer = (known, None) if answers.dtype == torch.int64 else (None, known)
            yield ctypes.byref(program), pointers(parameters, row, parts.dtype), seen, *answer
