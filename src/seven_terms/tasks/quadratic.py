"""Quadratics: f(x) = 1/2 sum_i h_i x_i^2, with additive gradient noise if asked; evaluated exactly, without data.

The model is a `Point`. A batch is the noise vector [S, D] that the loss adds to the gradient. With a batch size the noise
is the mean over that many examples, so that its standard deviation falls with the square root of the size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..spec import NoisyQuadraticMoments, Quadratic, Split
from .data import Examples, FreshExamples, Normals, TaskData


def eigenvalues(task: Quadratic) -> Tensor:
    """Return the eigenvalues h [D] in float64, as `spec.Quadratic` defines them."""
    num = task.dimension
    if task.spectrum == "equal":
        return torch.full((num,), task.largest, dtype=torch.float64)
    if task.spectrum == "inverse":
        return inverse_eigenvalues(num)
    fractions = torch.arange(num, dtype=torch.float64) / max(num - 1, 1)
    return task.largest * task.condition_number ** (fractions - 1 if num > 1 else fractions)


def inverse_eigenvalues(dimension: int) -> Tensor:
    """Return h_i = 1/i, [D] in float64 (Zhang et al. 2019)."""
    return 1 / torch.arange(1, dimension + 1, dtype=torch.float64)


def randn(shape: Sequence[int], random: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=random, dtype=torch.float64)


def quadratic(task: Quadratic, *, dtype: torch.dtype, device: torch.device, normals: Normals = randn) -> TaskData:
    """Return the loss 1/2 sum h x^2 + noise.x, whose gradient is h x + noise, and metrics without noise."""
    h = eigenvalues(task)
    deviation = task.noise_scale * (h.sqrt() if task.noise_follows_curvature else torch.ones_like(h))
    h_D = h.to(device, dtype)

    def draw(random: torch.Generator, num: int) -> Examples:
        return (_noise(task.noise, (num, len(h)), random, normals).mul_(deviation).to(dtype),)

    stream = FreshExamples(draw, values_per_example=len(h), purpose="noise", device=device)

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        if task.noise_scale == 0:
            return (torch.zeros(1, len(h), dtype=dtype, device=device).expand(len(seeds), -1),)
        (noise_SBD,) = stream.take(seeds, position, size or 1)
        return (noise_SBD.mean(1),)

    def singles(seeds: Sequence[int], position: int, number: int) -> Tensor:
        return stream.take(seeds, position, number)[0]

    def loss(x_D: Tensor, noise_D: Tensor) -> Tensor:
        along_D = x_D if task.noise == "gaussian" else x_D - x_D.detach()  # of value zero: outliers are no divergence
        return (h_D * x_D * x_D).sum() / 2 + (noise_D * along_D).sum()

    def metrics(x_D: Tensor, noise_D: Tensor) -> dict[str, Tensor]:
        return {"loss": (h_D * x_D * x_D).sum() / 2, "squared_distance": x_D.square().mean()}

    return TaskData(
        input_shape=(len(h),),
        num_outputs=len(h),
        num_examples=None,
        batches=batches,
        evaluation=_no_examples(dtype, device),
        loss=loss,
        metrics=metrics,
        singles=singles if task.noise_scale else None,
        drawn_with=lambda normals: quadratic(task, dtype=dtype, device=device, normals=normals),
    )


def _noise(kind: str, shape: tuple[int, int], random: torch.Generator, normals: Normals) -> Tensor:
    """Return draws of the noise that `spec.Quadratic` names, in float64."""
    if kind == "skewed":
        large = torch.rand(shape, generator=random, dtype=torch.float64) < 0.1
        return (10.0 * large.double() - 1.0) / 3.0
    normal = normals(shape, random)
    if kind == "gaussian":
        return normal
    if kind == "cauchy":
        return normal / normals(shape, random)
    three = normals((3, *shape), random)  # t = normal / sqrt(chi2_3 / 3), of variance 3
    return normal / three.square().sum(0).sqrt()


def noisy_quadratic_moments(task: NoisyQuadraticMoments, *, dtype: torch.dtype, device: torch.device) -> TaskData:
    """Return the expected loss 1/2 sum h v of second moments v (the model), h_i = 1/i (Zhang et al. 2019)."""
    h_D = inverse_eigenvalues(task.dimension).to(device, dtype)

    def loss(v_D: Tensor, nothing: Tensor) -> Tensor:
        return (h_D * v_D).sum() / 2

    return without_data(loss, dimension=task.dimension, dtype=dtype, device=device)


def without_data(
    loss: Callable[[Tensor, Tensor], Tensor], *, dimension: int, dtype: torch.dtype, device: torch.device
) -> TaskData:
    """Return a task whose loss depends on the model's point alone; its batches and evaluations hold one zero."""
    nothing = _no_examples(dtype, device)

    def batches(seeds: Sequence[int], position: int, size: int | None = None) -> Examples:
        return tuple(tensor.expand(len(seeds), -1) for tensor in nothing("train", seeds))

    def metrics(outputs_D: Tensor, batch: Tensor) -> dict[str, Tensor]:
        return {"loss": loss(outputs_D, batch)}

    return TaskData(
        input_shape=(1,),
        num_outputs=dimension,
        num_examples=None,
        batches=batches,
        evaluation=nothing,
        loss=loss,
        metrics=metrics,
    )


def _no_examples(dtype: torch.dtype, device: torch.device) -> Callable[[Split, Sequence[int]], Examples]:
    zero = torch.zeros(
        1, 1, dtype=dtype, device=device
    )  # broadcasts as noise of zero; one "example" for whoever counts
    return lambda split, seeds: (zero,)
