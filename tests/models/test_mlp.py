import pytest
import torch
from torch import Tensor

from seven_terms import spec
from seven_terms.models import Mlp, build_model, initial_parameters, output_taps, taps

LECUN = spec.Initialization(kind="lecun")


def drawn(model: spec.Mlp, *, num_inputs: int = 20, num_outputs: int = 5, seed: int = 0) -> Mlp:
    module = build_model(model, input_shape=(num_inputs,), num_outputs=num_outputs).double()
    module.load_state_dict(initial_parameters(module, LECUN, seed), strict=False)
    assert isinstance(module, Mlp)
    return module


def inputs(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_an_mlp_is_its_formula() -> None:
    module, x = drawn(spec.Mlp(depth=2, width=8, activation="tanh")), inputs(7, 20)
    p = dict(module.named_parameters())
    h = torch.tanh(x @ p["layers.0.linear.weight"].T + p["layers.0.linear.bias"])
    h = torch.tanh(h @ p["layers.1.linear.weight"].T + p["layers.1.linear.bias"])
    torch.testing.assert_close(module(x), h @ p["readout.weight"].T + p["readout.bias"])


def test_parameter_counts_are_those_of_the_papers() -> None:
    for model, count in ((spec.Mlp(), 99_710), (spec.Mlp(bias=False), 99_400), (spec.Mlp(depth=0), 7_850)):
        module = build_model(model, input_shape=(1, 28, 28), num_outputs=10)
        assert sum(parameter.numel() for parameter in module.parameters()) == count


def test_a_residual_layer_adds_its_input_where_widths_are_equal() -> None:
    module, x = drawn(spec.Mlp(depth=2, width=8, activation="relu", residual=True)), inputs(7, 20)
    first, second = module.layers
    h = torch.relu(first.linear(x))
    torch.testing.assert_close(module(x), module.readout(h + torch.relu(second.linear(h))))


@pytest.mark.parametrize("placement", ["before", "after"])
def test_normalization_stands_where_it_is_placed(placement: str) -> None:
    model = spec.Mlp(depth=1, width=8, activation="relu", normalization=spec.BatchNorm(eps=0.0), placement=placement)
    module, seen = drawn(model), {}
    for name, tap in taps(module) + output_taps(module):
        tap.register_forward_hook(lambda _module, _args, value, name=name: seen.update({name: value}))
    module(inputs(50, 20))
    normalized = seen["layers.0.tap" if placement == "before" else "layers.0.output"]
    torch.testing.assert_close(normalized.mean(0), torch.zeros(8, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(normalized.std(0, correction=0), torch.ones(8, dtype=torch.float64))


def test_taps_stand_in_order_from_the_input() -> None:
    module = drawn(spec.Mlp(depth=3, width=8, normalization=spec.BatchNorm()))
    assert [name for name, _ in taps(module)] == ["layers.0.tap", "layers.1.tap", "layers.2.tap"]
    assert [name for name, _ in output_taps(module)] == ["layers.0.output", "layers.1.output", "layers.2.output"]


def test_a_bias_before_batch_norm_gets_no_gradient() -> None:
    module = drawn(spec.Mlp(depth=2, width=8, activation="tanh", normalization=spec.BatchNorm()))
    module(inputs(30, 20)).square().sum().backward()
    for layer in module.layers:
        assert layer.linear.bias.grad.abs().max() < 1e-12 < layer.linear.weight.grad.abs().max()


def output_change(width: int, parametrization: str, *, num_steps: int = 3, rate: float = 0.1) -> float:
    """Return the root mean square change of the outputs after a few steps of SGD, averaged over seeds."""
    x, target = inputs(16, 20, seed=2), inputs(16, 5, seed=3)
    changes = []
    for seed in range(4):
        module = drawn(spec.Mlp(depth=3, width=width, activation="tanh", parametrization=parametrization), seed=seed)
        before = module(x).detach()
        optimizer = torch.optim.SGD(module.parameters(), lr=rate)
        for _ in range(num_steps):
            optimizer.zero_grad()
            (module(x) - target).square().mean().backward()
            optimizer.step()
        changes.append((module(x).detach() - before).square().mean())
    return float(torch.stack(changes).mean().sqrt())


def test_under_mup_a_step_changes_the_outputs_equally_at_every_width() -> None:
    """Coordinate check (Yang et al. 2022, appendix D.1): the standard parametrization fails it, muP passes."""
    widths = (64, 256, 1024)
    mup = [output_change(width, "mup") for width in widths]
    standard = [output_change(width, "standard") for width in widths]
    assert max(mup) / min(mup) < 1.25
    assert standard[2] / standard[0] > 2.0


def test_mup_starts_with_the_same_hidden_layers_and_a_smaller_readout() -> None:
    x, width = inputs(16, 20), 256
    standard, mup = (drawn(spec.Mlp(width=width, parametrization=kind)) for kind in ("standard", "mup"))
    torch.testing.assert_close(mup(x), standard(x) / 2.0)  # sqrt(256 / 64)


def test_mup_at_the_base_width_is_the_standard_parametrization() -> None:
    x = inputs(16, 20)
    standard, mup = (drawn(spec.Mlp(width=64, parametrization=kind)) for kind in ("standard", "mup"))
    assert torch.equal(mup(x), standard(x))


def test_mup_with_normalization_is_refused() -> None:
    with pytest.raises(ValueError, match="Mlp: normalization must be None with muP"):
        drawn(spec.Mlp(parametrization="mup", normalization=spec.LayerNorm()))
