"""How alike the gradients at two nearby inputs are: in a shattered landscape they point anywhere (Balduzzi et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..seeds import subseed
from ..spec import InputGradients


def observe_input_gradients(probe: InputGradients, program: Any, step: int) -> Iterator[tuple[str, Tensor, None]]:
    """Yield the mean cosine over pairs of inputs [R, 2 P, D], each pair of one length and `angle` apart."""
    like = next(iter(program.parameters.values()))
    shape, outputs = program.task.input_shape, program.task.num_outputs
    drawn = [_draw(seed, probe, math.prod(shape), outputs) for seed in program.seeds]
    pairs_SPD, readout_SC = (torch.stack(tensors).to(like) for tensors in zip(*drawn, strict=True))
    pairs_RPD, readout_RC = program.spread((pairs_SPD.reshape(*pairs_SPD.shape[:2], *shape), readout_SC))
    inputs = pairs_RPD.detach().clone().requires_grad_()
    fixed = {name: parameter.detach() for name, parameter in program.parameters.items()}
    found = program.network.outputs(fixed, program.frozen_buffers(), inputs, shared=False)
    (gradient,) = torch.autograd.grad((found * readout_RC[:, None]).sum(), inputs)
    first_RPD, second_RPD = gradient.flatten(2).double().chunk(2, dim=1)
    yield "input_gradient_cosine", torch.nn.functional.cosine_similarity(first_RPD, second_RPD, dim=2).mean(1), None


def _draw(seed: int, probe: InputGradients, num_features: int, num_outputs: int) -> tuple[Tensor, Tensor]:
    """Return (inputs [2 P, D], all first ones before all second ones; readout [C]) in float64."""
    random = torch.Generator().manual_seed(subseed(seed, "evaluation"))
    first, other = torch.randn(2, probe.num_pairs, num_features, generator=random, dtype=torch.float64)
    first = first / first.norm(dim=1, keepdim=True)
    other = other - (other * first).sum(1, keepdim=True) * first
    second = math.cos(probe.angle) * first + math.sin(probe.angle) * other / other.norm(dim=1, keepdim=True)
    readout = torch.randn(num_outputs, generator=random, dtype=torch.float64)
    return math.sqrt(num_features) * torch.cat([first, second]), readout
