import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from seven_terms import spec
from seven_terms.models import build_model, initial_parameters, output_taps, taps

HE = spec.Initialization(kind="he")


def drawn(model: spec.Cnn | spec.Resnet) -> torch.nn.Module:
    module = build_model(model, input_shape=(3, 16, 16), num_outputs=10).double()
    module.load_state_dict(initial_parameters(module, HE, 0), strict=False)
    return module


def images() -> Tensor:
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(
    ("n", "count", "millions"),
    [(3, 269_722, 0.27), (5, 464_154, 0.46), (7, 658_586, 0.66), (9, 853_018, 0.85), (18, 1_727_962, 1.7)],
)
@pytest.mark.parametrize("residual", [True, False])
def test_resnets_have_the_papers_parameter_counts(n: int, count: int, millions: float, residual: bool) -> None:
    """He et al. 2015, table 6. The shortcuts have no parameters, so the plain nets have as many."""
    module = build_model(spec.Resnet(n=n, residual=residual), input_shape=(3, 32, 32), num_outputs=10)
    assert sum(parameter.numel() for parameter in module.parameters()) == count
    assert round(count / 1e6, 1 if millions > 1 else 2) == millions


@pytest.mark.parametrize("n", [1, 3])
def test_a_resnet_has_6n_plus_2_weighted_layers_and_a_tap_before_every_relu(n: int) -> None:
    module = drawn(spec.Resnet(n=n, width=4))
    weighted = [p for name, p in module.named_parameters() if name.endswith("weight") and p.dim() > 1]
    assert len(weighted) == 6 * n + 2
    assert len(taps(module)) == len(output_taps(module)) == 6 * n + 1
    assert taps(module)[0][0] == "stem.tap"
    assert [name for name, _ in taps(module)][1:3] == ["blocks.0.first.tap", "blocks.0.tap"]


def test_a_narrowing_block_takes_every_second_place_and_pads_channels_with_zeros() -> None:
    model = spec.Resnet(n=1, width=4, normalization=None)
    block, x = drawn(model).blocks[1], images().repeat(1, 2, 1, 1)[:, :4]
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.zero_()
    y = block(x)
    torch.testing.assert_close(y[:, 2:6], torch.relu(x[:, :, ::2, ::2]))
    assert y.shape == (4, 8, 8, 8)
    assert y[:, :2].abs().sum() + y[:, 6:].abs().sum() == 0


def test_a_plain_net_is_a_resnet_without_its_skips() -> None:
    residual, plain = drawn(spec.Resnet(n=1, width=4)), drawn(spec.Resnet(n=1, width=4, residual=False))
    x = images().repeat(1, 2, 1, 1)[:, :4]
    ours, other = residual.blocks[0], plain.blocks[0]
    torch.testing.assert_close(other(x), torch.relu(other.second(other.first(x))))
    torch.testing.assert_close(ours(x), torch.relu(ours.second(ours.first(x)) + x))


def test_a_cnn_is_its_formula() -> None:
    module, h = drawn(spec.Cnn(channels=(4, 6), strides=(2, 1), activation="tanh")), images()
    p = dict(module.named_parameters())
    for layer, stride in ((0, 2), (1, 1)):
        prefix = f"layers.{layer}.linear.convolution"
        h = torch.tanh(F.conv2d(h, p[f"{prefix}.weight"], p[f"{prefix}.bias"], stride=stride, padding=1))
    torch.testing.assert_close(module(images()), h.mean((2, 3)) @ p["readout.weight"].T + p["readout.bias"])
    assert [name for name, _ in taps(module)] == ["layers.0.tap", "layers.1.tap"]


def test_normalization_takes_the_place_of_biases_in_convolutions() -> None:
    names = dict(drawn(spec.Cnn(normalization=spec.BatchNorm())).named_parameters())
    assert "layers.0.linear.normalization.bias" in names
    assert "layers.0.linear.convolution.bias" not in names


def test_flat_inputs_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^Cnn: inputs must be images .*, got \(784,\); set image=True on the task\.$"
    ):
        build_model(spec.Cnn(), input_shape=(784,), num_outputs=10)
