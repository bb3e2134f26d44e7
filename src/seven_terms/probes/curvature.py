"""Second-order measurements: sharpness, and how loss and gradient change along the gradient."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from ..optimizers import Tensors, gradient_norm
from ..spec import BatchSharpness, LossAlongGradient, PreconditionedSharpness, Sharpness, require
from .observation import evaluation_batch

SMALLEST_STACK = 3  # rows, see `planning.cost.num_rows`


def observe_sharpness(probe: Sharpness, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """Top Hessian eigenvalue of the training loss: Lanczos with full reorthogonalization, per run, warm-started.

    The start vector is the last probe's top Ritz vector, so a few iterations follow a slowly moving eigenvalue.
    """
    yield "sharpness", _top_eigenvalue(program, probe.num_iterations, "sharpness_start", scale_RP=None), None


def observe_batch_sharpness(probe: BatchSharpness, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """Mean over the coming batches of g^T H g / g^T g, gradient and Hessian of the same batch (Andreyev and Beneventano)."""
    found, kernels = [], program.curvatures()
    for number in range(probe.num_batches if program.training.batch_size else 1):
        batch = program.batch_of_step(step + number)
        if kernels is not None:
            found.append(kernels.along_gradient(batch))
            continue
        _, gradient = program.gradients(program.parameters, program.frozen_buffers(), batch)
        product = _hessian(program, program.parameters, program.frozen_buffers(), batch)(gradient)
        along = [(gradient[name] * product[name]).flatten(1).double().sum(1) for name in gradient]
        found.append(torch.stack(along).sum(0) / gradient_norm(gradient).double().square())
    yield "batch_sharpness", torch.stack(found).mean(0), None


def observe_preconditioned_sharpness(
    probe: PreconditionedSharpness, program: Any, step: int
) -> Iterator[tuple[str, Tensor, None]]:
    """Top eigenvalue of P^-1/2 H P^-1/2, which is that of P^-1 H (Cohen et al. 2022, section 2); nothing before an update.

    P is diagonal: Adam's root of the second moment, corrected for its start at zero, plus eps (Kingma and Ba, alg. 1).
    """
    require("square" in program.state, what="PreconditionedSharpness", must="the optimizer must be Adam",
            got=program.training.optimizer)  # fmt: skip
    if step == 0:
        return
    square_RP, _ = _flattener(program.state["square"])
    beta2_R, eps_R = (program.rules.hyper[name].to(square_RP)[:, None] for name in ("beta2", "eps"))
    scale_RP = (square_RP.sqrt() / (1.0 - beta2_R**step).sqrt() + eps_R).rsqrt()
    value_R = _top_eigenvalue(program, probe.num_iterations, "preconditioned_start", scale_RP=scale_RP)
    yield "preconditioned_sharpness", value_R, None


def _top_eigenvalue(program: Any, num_iterations: int, memory: str, *, scale_RP: Tensor | None) -> Tensor:
    """Return the top eigenvalue [R] of S H S for a diagonal S, the identity without `scale_RP`.

    Runs that have the same numbers, as those of one seed have before their first update, are asked once; runs without finite
    parameters have no eigenvalue.
    """
    flat_RP, unflatten = _flattener(program.parameters)
    start_RP = program.probe_state.get(memory)
    if start_RP is None:
        generator = torch.Generator().manual_seed(0)
        start_RP = (
            torch.randn(flat_RP.shape[1], generator=generator, dtype=torch.float64).to(flat_RP).expand_as(flat_RP)
        )
    buffers = program.frozen_buffers()
    given = [flat_RP, start_RP] if scale_RP is None else [flat_RP, start_RP, scale_RP]
    rows, place_of_run = _asked(program, given, buffers)
    value_R, ritz_RP = torch.full_like(flat_RP[:, 0], torch.nan, dtype=torch.float64), start_RP.clone()
    if rows:
        row_K = torch.tensor(rows, device=flat_RP.device)
        start_KP, *scales = [part.index_select(0, row_K) for part in given[1:]]
        scale_KP = scales[0] if scales else None
        kernels = program.curvatures()
        if kernels is not None:
            rows = rows[: 1 + max(place_of_run.values())]  # nothing is padded
            examples = program.task.evaluation("train", program.seeds)
            found = kernels.lanczos(rows, examples, start_KP, scale_KP, min(num_iterations, flat_RP.shape[1]))
            pairs = [
                _top_ritz_pair(basis.unsqueeze(1), of_row.unsqueeze(1), start_KP[place : place + 1])
                for place, (basis, of_row) in enumerate(found)
            ]
            value_K, ritz_KP = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        else:
            product = _product(program, row_K, buffers, unflatten, scale_KP)
            value_K, ritz_KP = _top_ritz_pair(*_lanczos(product, start_KP, num_iterations), start_KP)
        runs, places = (torch.tensor(list(part), device=row_K.device) for part in (place_of_run, place_of_run.values()))
        value_R.index_copy_(0, runs, value_K.index_select(0, places))
        ritz_RP.index_copy_(0, runs, ritz_KP.index_select(0, places))
    program.probe_state[memory] = ritz_RP
    return value_R


def _product(
    program: Any, row_K: Tensor, buffers: Tensors, unflatten: Any, scale_KP: Tensor | None
) -> Callable[[Tensor], Tensor]:
    """Return v [K, P] -> S H S v for the given rows of the stack."""
    parameters, buffers = [
        {name: tensor.index_select(0, row_K) for name, tensor in tensors.items()}
        for tensors in (program.parameters, buffers)
    ]
    batch = tuple(tensor.index_select(0, row_K) for tensor in evaluation_batch(program, "train", 10**9))
    hessian = _hessian(program, parameters, buffers, batch)

    def product(vector_KP: Tensor) -> Tensor:
        moved = hessian(unflatten(vector_KP if scale_KP is None else scale_KP * vector_KP))
        image_KP = torch.cat([part.flatten(1) for part in moved.values()], dim=1)
        return image_KP if scale_KP is None else scale_KP * image_KP

    return product


def _asked(program: Any, numbers: list[Tensor], buffers: Tensors) -> tuple[list[int], dict[int, int]]:
    """Return the rows to compute, then copies of the last as padding (`StackedProgram`), and each finite run's place there."""
    (seed_R,) = program.spread((torch.arange(len(program.seeds), device=numbers[0].device),))
    is_finite_R = torch.stack([torch.isfinite(part).flatten(1).all(1) for part in numbers]).all(0)
    parts = [part.cpu().contiguous().numpy() for part in (*numbers, *buffers.values())]
    rows: list[int] = []
    places: dict[tuple[int, bytes], int] = {}
    place_of_run: dict[int, int] = {}
    seeds = seed_R.cpu().tolist()
    for run in torch.nonzero(is_finite_R.cpu()).flatten().tolist():
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part[run].tobytes())
        key = (seeds[run], digest.digest())
        if key not in places:
            places[key] = len(rows)
            rows.append(run)
        place_of_run[run] = places[key]
    padding = max(1, SMALLEST_STACK - len(rows)) if len(is_finite_R) > 1 else 0
    return [*rows, *rows[-1:] * padding], place_of_run


def observe_loss_along_gradient(
    probe: LossAlongGradient, program: Any, step: int
) -> Iterator[tuple[str, Tensor, None]]:
    """Move along the batch gradient by each length (a multiple of the gradient) on the same batch."""
    batch = program.batch_of_step(step)
    parameters = program.parameters
    loss_R, gradient = program.gradients(parameters, program.frozen_buffers(), batch)
    norm_R = gradient_norm(gradient)
    losses, changes, slopes = [loss_R], [], []
    for length in probe.lengths:
        moved = {name: parameters[name] - length * gradient[name] for name in parameters}
        moved_loss_R, moved_gradient = program.gradients(moved, program.frozen_buffers(), batch)
        change_R = gradient_norm({name: moved_gradient[name] - gradient[name] for name in gradient})
        losses.append(moved_loss_R)
        changes.append(change_R)
        slopes.append(change_R / (length * norm_R))
    stacked = torch.stack(losses)
    change_R = torch.stack(changes).amax(0)
    yield "loss_range", stacked.amax(0) - stacked.amin(0), None
    yield "gradient_change_max", change_R, None
    yield "relative_gradient_change", change_R / norm_R, None
    yield "effective_smoothness", torch.stack(slopes).amax(0), None


def _hessian(
    program: Any, parameters: Tensors, buffers: Tensors, batch: tuple[Tensor, ...]
) -> Callable[[Tensors], Tensors]:
    """Return v -> H v of every run, by differentiating (gradient . v); runs do not couple because their losses only add."""
    leaves = {name: parameter.detach().requires_grad_() for name, parameter in parameters.items()}
    loss = program.losses(leaves, buffers, batch).sum()
    gradient = torch.autograd.grad(loss, list(leaves.values()), create_graph=True)

    def product(vector: Tensors) -> Tensors:
        products = [(part * vector[name]).sum() for name, part in zip(leaves, gradient, strict=True)]
        found = torch.autograd.grad(sum(products[1:], products[0]), list(leaves.values()), retain_graph=True)
        return dict(zip(leaves, found, strict=True))

    return product


def _flattener(parameters: Tensors) -> tuple[Tensor, Any]:
    shapes = {name: tensor.shape[1:] for name, tensor in parameters.items()}
    sizes = [tensor[0].numel() for tensor in parameters.values()]

    def unflatten(flat_RP: Tensor) -> Tensors:
        return {
            name: part.reshape(-1, *shape)
            for (name, shape), part in zip(shapes.items(), flat_RP.split(sizes, dim=1), strict=True)
        }

    return torch.cat([tensor.flatten(1) for tensor in parameters.values()], dim=1), unflatten


def _lanczos(product: Any, start_RP: Tensor, num_iterations: int) -> tuple[Tensor, Tensor]:
    """Return (basis [K, R, P], the diagonal of the tridiagonal matrix and what stands beside it [2, R, K])."""
    basis = [start_RP / start_RP.norm(dim=1, keepdim=True)]
    diagonal, beside = [], []
    for _ in range(min(num_iterations, start_RP.shape[1])):
        image = product(basis[-1])
        diagonal.append((image * basis[-1]).sum(1))
        for vector in basis:  # full reorthogonalization, twice is enough (Parlett)
            image = image - (image * vector).sum(1, keepdim=True) * vector
        for vector in basis:
            image = image - (image * vector).sum(1, keepdim=True) * vector
        norm_R = image.norm(dim=1)
        beside.append(norm_R)
        basis.append(image / norm_R.clamp_min(torch.finfo(image.dtype).tiny)[:, None])
    return torch.stack(basis[:-1]), torch.stack([torch.stack(part, dim=1).double() for part in (diagonal, beside)])


def _top_ritz_pair(basis_KRP: Tensor, tridiagonal_2RK: Tensor, start_RP: Tensor) -> tuple[Tensor, Tensor]:
    """Return (largest Ritz value [R], its Ritz vector [R, P]); NaN and the start where the matrix is not finite."""
    diagonal_RK, beside_RK = tridiagonal_2RK
    matrix = torch.diag_embed(diagonal_RK)
    if diagonal_RK.shape[1] > 1:
        matrix = matrix + sum(torch.diag_embed(beside_RK[:, :-1], offset=offset) for offset in (1, -1))
    finite_R = torch.isfinite(matrix).flatten(1).all(1)
    values, vectors = torch.linalg.eigh(torch.where(finite_R[:, None, None], matrix, torch.zeros_like(matrix)))
    top = vectors[..., -1].to(start_RP)
    ritz = sum(top[:, number, None] * vector for number, vector in enumerate(basis_KRP))
    ritz = torch.where(finite_R[:, None], ritz, start_RP)
    return torch.where(finite_R, values[:, -1], torch.full_like(values[:, -1], torch.nan)), ritz
