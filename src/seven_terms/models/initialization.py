"""Initial parameters of one run, from its seed alone.

Every weight and bias takes its own standard normals z, in the order of the modules, whatever the kind: runs of equal seed
and different kind or scale are paired. Uniform numbers are Phi(z).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.seeds import subseed

from .linear import Linear

SPARSE_INPUTS, SPARSE_RADIUS = (
    15,
    0.95,
)  # Pascanu et al. 2013: 15 non-zero incoming connections per unit, as in the text
Drawn = dict[str, Tensor]


def initial_parameters(module: nn.Module, model: spec.Model, initialization: spec.Initialization, seed: int) -> Drawn:
    """Return {name: tensor} for every parameter, in the module's dtype; drawn in float64.

    Normalization starts at gain 1 and shift 0, a `Point` at its start times `scale`. Same seed, same numbers.
    """
    generator = torch.Generator().manual_seed(subseed(seed, "initialization"))
    drawn: Drawn = {}
    for prefix, child in module.named_modules():
        for name, parameter in child.named_parameters(recurse=False):
            value = _draw(child, name, initialization, generator=generator, seed=seed)
            drawn[f"{prefix}.{name}" if prefix else name] = value.to(parameter.dtype)
    _set_gates(drawn, model, initialization)
    _set_point(drawn, model, initialization, generator)
    return drawn


def _draw(
    child: nn.Module, name: str, initialization: spec.Initialization, *, generator: torch.Generator, seed: int
) -> Tensor:
    parameter = child.get_parameter(name).detach()
    if not isinstance(child, (Linear, nn.Conv2d)):
        return parameter.clone()
    z = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    if name == "bias":
        return _bias(child, z, initialization)
    blocks = z.chunk(getattr(child, "num_blocks", 1))
    weight = torch.cat([_weight(child, block, initialization, seed=seed) for block in blocks])
    return weight.mul_(initialization.scale * getattr(child, "initial_factor", 1.0))


def _bias(child: nn.Module, z: Tensor, initialization: spec.Initialization) -> Tensor:
    if initialization.kind == "default" and initialization.bias_scale == 0.0:
        return _uniform(z, 1.0 / math.sqrt(_default_fan(child)))
    return z * (initialization.bias_scale / getattr(child, "bias_multiplier", 1.0))


def _weight(child: nn.Module, z: Tensor, initialization: spec.Initialization, *, seed: int) -> Tensor:
    """Return one matrix [out, in, ...] of the given kind, before `scale`."""
    recurrent = getattr(child, "role", "") == "recurrent"
    factor = initialization.recurrent_scale if recurrent else 1.0
    if initialization.kind == "smart_tanh" and recurrent:
        return _sparse(z, seed) * factor
    if initialization.kind == "default":
        return _uniform(z, factor / math.sqrt(_default_fan(child)))
    return _dense(z, initialization.kind, factor)


def _dense(z: Tensor, kind: str, factor: float) -> Tensor:
    fan_in, fan_out = z[0].numel(), z[:, 0].numel()
    match kind:
        case "uniform_fan_in":
            return _uniform(z, factor / math.sqrt(fan_in))
        case "glorot":
            return _uniform(z, factor * math.sqrt(6.0 / (fan_in + fan_out)))
        case "orthogonal":
            return _orthogonal(z) * factor
        case "constant":
            return torch.full_like(z, factor)
    return z.mul_(factor * _standard_deviation(kind, fan_in))


def _standard_deviation(kind: str, fan_in: int) -> float:
    fixed = {"gaussian": 1.0, "basic_tanh": 0.1, "sigmoid": 0.01, "smart_tanh": 0.01}
    return fixed[kind] if kind in fixed else math.sqrt((2.0 if kind == "he" else 1.0) / fan_in)


def _uniform(z: Tensor, bound: float) -> Tensor:
    return torch.special.ndtr(z).mul_(2.0 * bound).sub_(bound)


def _orthogonal(z: Tensor) -> Tensor:
    """Return a Haar-distributed semi-orthogonal matrix: QR with the signs of R's diagonal taken out (Mezzadri 2007)."""
    flat = z.flatten(1)
    tall = flat if flat.shape[0] >= flat.shape[1] else flat.t()
    q, r = torch.linalg.qr(tall)
    q = q * r.diagonal().sign()
    return (q if flat.shape[0] >= flat.shape[1] else q.t()).reshape(z.shape)


def _sparse(z: Tensor, seed: int) -> Tensor:
    """Return a square matrix of 15 normal entries a row, rescaled to spectral radius 0.95."""
    generator = torch.Generator().manual_seed(subseed(seed, "initialization", 1))
    order = torch.rand(z.shape, generator=generator, dtype=torch.float64).argsort(1)
    sparse = torch.where(order < SPARSE_INPUTS, z, 0.0)
    return sparse * (SPARSE_RADIUS / torch.linalg.eigvals(sparse).abs().max())


def _default_fan(child: nn.Module) -> int:
    return child.default_fan if isinstance(child, Linear) else child.get_parameter("weight")[0].numel()


def _set_gates(drawn: Drawn, model: spec.Model, initialization: spec.Initialization) -> None:
    if not isinstance(model, spec.Recurrent):
        return
    forget, enter = initialization.forget_bias, initialization.input_gate_bias
    added = {"lstm": {0: enter, 1: forget}, "gru": {1: -forget}}.get(model.cell, {})
    for gate, amount in added.items():
        drawn["input.bias"][gate * model.width : (gate + 1) * model.width] += amount


def _set_point(
    drawn: Drawn, model: spec.Model, initialization: spec.Initialization, generator: torch.Generator
) -> None:
    if isinstance(model, spec.Point):
        z = torch.randn(model.dimension, generator=generator, dtype=torch.float64)
        start = torch.tensor(model.start, dtype=torch.float64).expand(model.dimension) * initialization.scale
        drawn["x"] = (z * start if model.random else start).to(drawn["x"].dtype)
