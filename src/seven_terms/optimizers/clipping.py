"""Gradient clipping, each run by its own thresholds; infinity is off and leaves a gradient as it is, bit for bit."""

from __future__ import annotations

import torch
from torch import Tensor

Tensors = dict[str, Tensor]
NORM_EPS = 1e-6  # torch.nn.utils.clip_grad_norm_: coefficient = min(1, norm_R / (norm + 1e-6))
SMALLEST_UNIT = 1e-3  # Brock et al. 2021, section 4.1: max(||W_i||, eps)
READOUT = "readout."  # Brock et al. 2021 do not clip the final linear layer


def clip(
    norm_R: Tensor | None,
    value_R: Tensor | None,
    adaptive_R: Tensor | None,
    params: Tensors,
    grads: Tensors,
) -> tuple[Tensors, Tensor, Tensor]:
    """Return (clipped gradients, norm before [R], norm after [R]); adaptive, then by value, then by norm.

    None stands for a threshold that is infinite in every run. Norms run over all parameters of a run. Equal to
    `torch.nn.utils.clip_grad_value_` and `clip_grad_norm_`, the 1e-6 in the latter included.
    """
    before_R = after_R = gradient_norm(grads)
    if adaptive_R is not None:
        grads = {name: _clip_units(adaptive_R, params[name], g, name) for name, g in grads.items()}
    if value_R is not None:
        grads = {name: _clip_entries(value_R, g) for name, g in grads.items()}
    if adaptive_R is not None or value_R is not None:
        after_R = gradient_norm(grads)
    if norm_R is None:
        return grads, before_R, after_R
    coefficient_R = (norm_R.to(after_R.dtype) / (after_R + NORM_EPS)).clamp(max=1.0)
    coefficient_R = torch.where(torch.isinf(norm_R), 1.0, coefficient_R)  # inf / inf must not turn into NaN
    grads = {name: g * _per_run(coefficient_R.to(g.dtype), g) for name, g in grads.items()}
    return grads, before_R, coefficient_R * after_R


def gradient_norm(grads: Tensors) -> Tensor:
    """Return the Euclidean norm over all entries of each run, [R]; infinite above 1.8e19 in float32, whose square is."""
    squares_R = [torch.linalg.vector_norm(g.flatten(1), dim=1) ** 2 for g in grads.values()]
    return torch.sqrt(sum(squares_R[1:], squares_R[0]))


def _clip_entries(value_R: Tensor, g: Tensor) -> Tensor:
    bound = _per_run(value_R.to(g.dtype), g)
    return torch.clamp(g, min=-bound, max=bound)


def _clip_units(adaptive_R: Tensor, w: Tensor, g: Tensor, name: str) -> Tensor:
    """Return G_i * lambda max(||W_i||, 1e-3) / ||G_i|| where ||G_i|| is larger; a bias is one unit."""
    if name.startswith(READOUT):
        return g
    limit = _per_run(adaptive_R.to(g.dtype), g) * _unit_norm(w).clamp(min=SMALLEST_UNIT)
    size = _unit_norm(g)
    return torch.where(size > limit, g * (limit / size), g)


def _unit_norm(w: Tensor) -> Tensor:
    """Return the norm of each unit's incoming weights, shaped to multiply [R, units, ...]; of a vector [R, n] as a whole."""
    first = 2 if w.dim() > 2 else 1
    flat = torch.linalg.vector_norm(w.flatten(first) if w.dim() > first else w.unsqueeze(-1), dim=-1)
    return flat.reshape(flat.shape + (1,) * (w.dim() - flat.dim()))


def _per_run(values_R: Tensor, like: Tensor) -> Tensor:
    return values_R.reshape(-1, *[1] * (like.dim() - 1))
