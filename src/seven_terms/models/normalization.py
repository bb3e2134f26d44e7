"""Batch, group and layer normalization in plain tensor operations, so that they work under vmap.

Inputs are [B, F] or [B, F, height, width]. Running statistics are buffers updated in place in training mode.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.spec import require

from .shares import MeanOverShares

# Santurkar et al. 2018, noisy batch norm: mean in U(-0.5, 0.5) and standard deviation in U(1, 1.25), per unit and step.
NOISE_SHIFT, NOISE_GAIN = 0.5, 0.25


class BatchNorm(nn.Module):
    """Ioffe and Szegedy 2015, algorithms 1 and 2; equal to `torch.nn.BatchNorm1d/2d` with the default fields.

    Statistics are the mean and the biased variance over examples (and places); the running variance takes m / (m - 1)
    times the variance. `center=False` divides by the root mean square, `scale=False` only subtracts the mean. With
    `ghost`, each group of that many examples has its own statistics and the running ones take their average.
    With `noisy`, each unit's output is stretched and shifted at random, anew at every step, in training mode only: the
    buffer `noise` [2, F] holds standard normals, refilled by the trainer. The paper's further jitter for every example
    is left out.
    With `num_devices` each share of the batch has its own statistics too, or the common ones of `synchronized`; then
    `holds_share` says whether x is this process's share of the batch or, as in a probe, the whole of it.
    """

    running_mean: Tensor
    running_var: Tensor
    noise: Tensor

    def __init__(self, features: int, norm: spec.BatchNorm) -> None:
        super().__init__()
        self.norm, self.num_devices, self.holds_share = norm, 1, False
        self.weight = nn.Parameter(torch.ones(features)) if norm.affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if norm.affine else None
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))
        if norm.noisy:
            self.register_buffer("noise", torch.zeros(2, features))

    def forward(self, x: Tensor) -> Tensor:
        y = self._by_batch(x) if self.training else self._by_running(x)
        if self.norm.noisy and self.training:
            shift, gain = torch.special.ndtr(self.noise)  # uniform on (0, 1)
            y = y * _column(1.0 + NOISE_GAIN * gain, x) + _column(NOISE_SHIFT * (2.0 * shift - 1.0), x)
        return _affine(self, y)

    def _by_batch(self, x: Tensor) -> Tensor:
        groups = self._groups(x)
        dims = (1, *range(3, groups.dim()))
        mean = self._mean(groups, dims)
        centered = groups - mean if self.norm.center else groups
        var = self._mean(centered * centered, dims)
        self._update_running(mean, var, self._num_shares() * groups.numel() // (groups.shape[0] * groups.shape[2]))
        scaled = centered * torch.rsqrt(var + self.norm.eps) if self.norm.scale else centered
        return scaled.reshape(x.shape)

    def _mean(self, groups: Tensor, dims: tuple[int, ...]) -> Tensor:
        mean = groups.mean(dims, keepdim=True)
        return MeanOverShares.apply(mean) if self._num_shares() > 1 else mean

    def _num_shares(self) -> int:
        """Return how many processes' examples make up the statistics."""
        return self.num_devices if self.norm.synchronized and self.holds_share else 1

    def _groups(self, x: Tensor) -> Tensor:
        """Return x as [groups, examples, F, ...]."""
        parts = 1 if self.norm.synchronized or self.holds_share else self.num_devices
        of, divisor = ("ghost", self.norm.ghost) if self.norm.ghost else ("num_devices", parts)
        must = f"batch size must be a multiple of {of}={divisor}"
        require(x.shape[0] % divisor == 0, what="BatchNorm", must=must, got=x.shape[0])
        size = self.norm.ghost or x.shape[0] // parts
        num_values = self._num_shares() * x[:size, 0].numel()
        must = "statistics need more than one value per feature"
        require(num_values > 1, what="BatchNorm", must=must, got=num_values)
        return x.reshape(x.shape[0] // size, size, *x.shape[1:])

    @torch.no_grad()
    def _update_running(self, mean: Tensor, var: Tensor, count: int) -> None:
        unbiased = count / (count - 1) if self.norm.center else 1.0
        for running, batch, factor in ((self.running_mean, mean, 1.0), (self.running_var, var, unbiased)):
            target = batch.detach().mean(0).reshape(running.shape) * factor
            running.copy_(running + self.norm.momentum * (target - running))

    def _by_running(self, x: Tensor) -> Tensor:
        y = x - _column(self.running_mean, x) if self.norm.center else x
        return y * _column(torch.rsqrt(self.running_var + self.norm.eps), x) if self.norm.scale else y


class GroupNorm(nn.Module):
    """Wu and He 2018; equal to `torch.nn.GroupNorm`. One group is layer norm, with one gain and shift per feature."""

    def __init__(self, features: int, *, num_groups: int, eps: float) -> None:
        super().__init__()
        must = f"features must be a multiple of num_groups={num_groups}"
        require(features % num_groups == 0, what="GroupNorm", must=must, got=features)
        self.num_groups, self.eps = num_groups, eps
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))

    def forward(self, x: Tensor) -> Tensor:
        groups = x.reshape(x.shape[0], self.num_groups, math.prod(x.shape[1:]) // self.num_groups)
        centered = groups - groups.mean(-1, keepdim=True)
        var = (centered * centered).mean(-1, keepdim=True)
        return _affine(self, (centered * torch.rsqrt(var + self.eps)).reshape(x.shape))


def batch_norm(norm: spec.BatchNorm, features: int) -> nn.Module:
    return BatchNorm(features, norm)


def layer_norm(norm: spec.LayerNorm, features: int) -> nn.Module:
    return GroupNorm(features, num_groups=1, eps=norm.eps)


def group_norm(norm: spec.GroupNorm, features: int) -> nn.Module:
    return GroupNorm(features, num_groups=norm.num_groups, eps=norm.eps)


def build_normalization(norm: spec.Normalization | None, features: int) -> nn.Module:
    """Return the module of a normalization spec; the identity for None."""
    return nn.Identity() if norm is None else norm.build(features)


def _affine(module: BatchNorm | GroupNorm, y: Tensor) -> Tensor:
    if module.weight is None or module.bias is None:
        return y
    return y * _column(module.weight, y) + _column(module.bias, y)


def _column(values: Tensor, x: Tensor) -> Tensor:
    """Return [F] shaped to multiply [B, F, ...]."""
    return values.reshape(-1, *[1] * (x.dim() - 2))
