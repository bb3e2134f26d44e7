"""Every model in a stack: same bits whatever the neighbours, same numbers as alone, one graph under torch.compile."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from seven_terms import spec
from seven_terms.models import build_model, initial_parameters

MODELS: dict[str, tuple[spec.Model, tuple[int, ...]]] = {
    "mlp": (spec.Mlp(width=33, activation="tanh", residual=True), (49,)),
    "mup": (spec.Mlp(width=33, parametrization="mup"), (49,)),
    "batch norm": (spec.Mlp(width=24, activation="sigmoid", normalization=spec.BatchNorm(ghost=10, noisy=True)), (49,)),
    "group norm": (spec.Mlp(width=24, normalization=spec.GroupNorm(), placement="after"), (49,)),
    "tanh": (spec.Recurrent(width=20), (8, 6)),
    "lstm": (spec.Recurrent(cell="lstm", width=20), (8, 6)),
    "gru": (spec.Recurrent(cell="gru", width=20, read_all=True), (8, 6)),
    "cnn": (spec.Cnn(channels=(8, 16), strides=(2, 2), normalization=spec.BatchNorm()), (1, 14, 14)),
    "resnet": (spec.Resnet(n=1, width=8), (3, 8, 8)),
}
# Grouped convolutions take another kernel for one or two groups; from three on, the bits do not depend on their number.
SMALLEST = {"cnn": 3, "resnet": 3}
NAMES = pytest.mark.parametrize("name", MODELS)
Tensors = dict[str, Tensor]


def build(name: str, *, dtype: torch.dtype = torch.float32) -> nn.Module:
    model, shape = MODELS[name]
    return build_model(model, input_shape=shape, num_outputs=4).to(dtype)


def stack(name: str, module: nn.Module, num_runs: int) -> tuple[Tensors, Tensors, Tensor]:
    """Return the parameters, buffers and inputs of runs with seeds 0, 1, ..."""
    _, shape = MODELS[name]
    dtype = next(module.parameters()).dtype
    drawn = [initial_parameters(module, spec.Initialization(kind="glorot"), seed) for seed in range(num_runs)]
    parameters = {key: torch.stack([run[key] for run in drawn]) for key in drawn[0]}
    buffers = {key: value.expand(num_runs, *value.shape).clone() for key, value in module.named_buffers()}
    draws = [torch.randn(20, *shape, generator=torch.Generator().manual_seed(s), dtype=dtype) for s in range(num_runs)]
    return parameters, buffers, torch.stack(draws)


def loss(module: nn.Module, parameters: Tensors, buffers: Tensors, x: Tensor) -> Tensor:
    return functional_call(module, (parameters, buffers), (x,)).square().mean()


def run_zero(name: str, num_runs: int) -> list[Tensor]:
    """Return loss, gradients and buffers of the first run in a stack of so many."""
    module = build(name)
    parameters, buffers, x = stack(name, module, num_runs)
    gradients, losses = vmap(grad_and_value(lambda *rest: loss(module, *rest)))(parameters, buffers, x)
    return [value[0] for value in (losses, *gradients.values(), *buffers.values())]


@NAMES
def test_a_run_has_the_same_bits_in_every_stack(name: str) -> None:
    sizes = [size for size in (2, 3, 8, 33) if size >= SMALLEST.get(name, 2)]
    first, *others = [run_zero(name, size) for size in sizes]
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@NAMES
def test_a_stacked_run_equals_the_module_alone(name: str) -> None:
    module = build(name, dtype=torch.float64)
    parameters, buffers, x = stack(name, module, 3)
    outputs = vmap(lambda *rest: functional_call(module, rest[:2], rest[2:]))(parameters, buffers, x)
    for run in range(3):
        alone = build(name, dtype=torch.float64)
        alone.load_state_dict({key: value[run] for key, value in parameters.items()}, strict=False)
        torch.testing.assert_close(outputs[run], alone(x[run]), rtol=1e-9, atol=1e-11)
        for key, value in alone.named_buffers():
            torch.testing.assert_close(buffers[key][run], value, rtol=1e-9, atol=1e-11)


@NAMES
def test_a_nan_run_touches_no_neighbour(name: str) -> None:
    module = build(name)
    parameters, buffers, x = stack(name, module, 3)
    broken = {key: value.clone() for key, value in parameters.items()}
    for value in broken.values():
        value[1] = float("nan")
    both = [
        vmap(lambda *rest: functional_call(module, rest[:2], rest[2:]))(
            p, {key: value.clone() for key, value in buffers.items()}, x
        )
        for p in (parameters, broken)
    ]
    assert both[1][1].isnan().all()
    assert torch.equal(both[0][[0, 2]], both[1][[0, 2]])


@pytest.mark.parametrize("name", ["mlp", "batch norm", "group norm", "gru", "resnet"])
def test_forward_and_backward_are_one_compiled_graph(name: str) -> None:
    module = build(name)
    parameters, buffers, x = stack(name, module, 3)

    def step(parameters: Tensors, buffers: Tensors, x: Tensor) -> Tensor:
        return vmap(lambda *rest: loss(module, *rest))(parameters, buffers, x)

    eager = step(parameters, {key: value.clone() for key, value in buffers.items()}, x)
    leaves = {key: value.requires_grad_() for key, value in parameters.items()}
    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")(leaves, buffers, x)
    torch.testing.assert_close(compiled.detach(), eager, rtol=1e-5, atol=1e-6)
    gradients = torch.autograd.grad(compiled.sum(), list(leaves.values()))
    assert all(gradient.isfinite().all() for gradient in gradients)
