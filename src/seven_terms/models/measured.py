"""What a module costs and whether it can be stacked, found by running it once on two random examples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from ..spec import Model, ModelFacts, Speed, require
from .attention import fast_attention
from .dropout import with_own_dropout
from .initialization import require_drawn

NUM_EXAMPLES = 2


def measure(model: Model, input_shape: tuple[int, ...], num_outputs: int) -> dict[str, Any]:
    """Return the facts of a model; ValueError where it does not take such inputs or holds no parameters."""
    what = f"model {type(model).__name__}"

    def build() -> nn.Module:
        return with_own_dropout(model.build(input_shape=input_shape, num_outputs=num_outputs))

    require_drawn(build, what=what)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = build()
        require(any(True for _ in module.parameters()), what=what, must="it must have parameters", got=module)
        inputs = _inputs(module, input_shape, what=what)
        saved: list[int] = []
        own = {parameter.data_ptr() for parameter in module.parameters()}

        def pack(tensor: Tensor) -> Tensor:
            saved.append(0 if tensor.data_ptr() in own else tensor.numel())
            return tensor

        with FlopCounterMode(display=False) as flops, torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept):
            module(inputs)
        because = why_not_stacked(module, inputs)
    values = sum(saved) / NUM_EXAMPLES
    steps = input_shape[0] if _speed(module) == "recurrent" else 1
    return dataclasses.asdict(
        ModelFacts(
            num_parameters=sum(parameter.numel() for parameter in module.parameters()),
            multiply_adds=flops.get_total_flops() / 2 / NUM_EXAMPLES,
            values_saved=values,
            values_alive=values,
            num_layers=steps * sum(1 for child in module.modules() if not list(child.children())),
            speed=_speed(module),
            stacks=not because,
            because=because,
        )
    )


def _inputs(module: nn.Module, input_shape: tuple[int, ...], *, what: str) -> Tensor:
    """Return examples that the module takes: numbers, or the token 0 where it wants whole numbers."""
    candidates = (torch.randn(NUM_EXAMPLES, *input_shape), torch.zeros(NUM_EXAMPLES, *input_shape, dtype=torch.int64))
    refusals = []
    for inputs in candidates:
        try:
            module(inputs)
            return inputs
        except Exception as error:
            refusals.append(f"{type(error).__name__}: {str(error).splitlines()[0]}" if str(error) else repr(error))
    must = f"it must take a batch [B, {', '.join(map(str, input_shape))}] of numbers or of tokens"
    raise ValueError(f"{what}: {must}, got {refusals[0]!r}; see the task's input_shape.")


def why_not_stacked(module: nn.Module, inputs: Tensor) -> str:
    """Return what keeps `torch.vmap` from training several of these as one, "" where nothing does."""
    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    stacked = {name: torch.stack([tensor.detach()] * 2) for name, tensor in named.items()}

    def one(state: dict[str, Tensor]) -> Tensor:
        return functional_call(module, state, (inputs,)).float().square().sum()

    fast_attention(False)
    try:
        return _refusal(lambda: _both_modes(module, lambda: _backward(one, stacked)))
    finally:
        fast_attention(True)


def _backward(one: Callable[[dict[str, Tensor]], Tensor], stacked: dict[str, Tensor]) -> None:
    leaves = {name: t.clone().requires_grad_() if t.is_floating_point() else t.clone() for name, t in stacked.items()}
    torch.vmap(one)(leaves).sum().backward()


def _both_modes(module: nn.Module, run: Callable[[], None]) -> None:
    try:
        for training in (True, False):
            module.train(training)
            run()
    finally:
        module.train(True)


def _refusal(attempt: Callable[[], None]) -> str:
    try:
        attempt()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    return ""


def _speed(module: nn.Module) -> Speed:
    kinds = tuple(module.modules())
    if any(isinstance(child, nn.modules.conv._ConvNd) for child in kinds):
        return "convolution"
    return "recurrent" if any(isinstance(child, (nn.RNNBase, nn.RNNCellBase)) for child in kinds) else "dense"
