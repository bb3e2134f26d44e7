import math

import pytest
import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.models import build_model, initial_parameters

MLP = spec.Mlp(depth=2, width=300)
RNN = spec.Recurrent(width=50)


def drawn(model: spec.Model, *, seed: int = 0, shape: tuple[int, ...] = (200,), **fields: object) -> dict[str, Tensor]:
    module = build_model(model, input_shape=shape, num_outputs=10).double()
    return initial_parameters(module, spec.Initialization(**fields), seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "deviation"),
    [
        ("gaussian", 1.0),
        ("lecun", 1 / math.sqrt(200)),
        ("xavier_fan_in", 1 / math.sqrt(200)),
        ("he", math.sqrt(2 / 200)),
        ("uniform_fan_in", 1 / math.sqrt(3 * 200)),
        ("default", 1 / math.sqrt(3 * 200)),
        ("glorot", math.sqrt(2 / 500)),
        ("basic_tanh", 0.1),
        ("sigmoid", 0.01),
        ("smart_tanh", 0.01),
    ],
)
def test_weights_have_the_standard_deviation_of_their_kind(kind: str, deviation: float) -> None:
    weight = drawn(MLP, kind=kind)["layers.0.linear.weight"]
    standard_error = 1 / math.sqrt(2 * weight.numel())  # relative, of a normal sample; smaller for uniform
    assert float(weight.std()) == pytest.approx(deviation, rel=4 * standard_error)
    assert abs(float(weight.mean())) < 4 * deviation / math.sqrt(weight.numel())


@pytest.mark.parametrize(("kind", "bound"), [("uniform_fan_in", 200), ("default", 200), ("glorot", 500 / 6)])
def test_uniform_kinds_fill_their_interval(kind: str, bound: float) -> None:
    largest = drawn(MLP, kind=kind)["layers.0.linear.weight"].abs().max() * math.sqrt(bound)
    assert 0.999 < largest <= 1.0


def test_default_matches_the_spread_of_torch_for_linear_and_convolution_with_biases() -> None:
    torch.manual_seed(0)
    pairs = (
        (drawn(MLP, kind="default"), "layers.0.linear", nn.Linear(200, 300)),
        (drawn(spec.Cnn(channels=(64,), strides=(1,)), shape=(3, 8, 8), kind="default"), "layers.0.linear.convolution",
         nn.Conv2d(3, 64, 3)),
    )  # fmt: skip
    for ours, prefix, theirs in pairs:
        for name, parameter in theirs.named_parameters():
            assert float(ours[f"{prefix}.{name}"].std()) == pytest.approx(float(parameter.detach().std()), rel=0.2)
            assert float(ours[f"{prefix}.{name}"].abs().max()) == pytest.approx(
                float(parameter.detach().abs().max()), rel=0.1
            )


def test_default_recurrent_layers_use_the_width_as_torch_does() -> None:
    ours, theirs = drawn(spec.Recurrent(cell="lstm"), shape=(9, 6), kind="default"), nn.LSTM(6, 50)
    for name, parameter in (("input.weight", theirs.weight_ih_l0), ("recurrent.weight", theirs.weight_hh_l0)):
        assert float(ours[name].abs().max()) == pytest.approx(1 / math.sqrt(50), rel=0.02)
        assert float(parameter.detach().abs().max()) == pytest.approx(1 / math.sqrt(50), rel=0.02)


@pytest.mark.parametrize("name", ["layers.0.linear.weight", "layers.1.linear.weight", "readout.weight"])
def test_orthogonal_matrices_are_orthogonal(name: str) -> None:
    w = drawn(MLP, kind="orthogonal", scale=1.5)[name] / 1.5
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    torch.testing.assert_close(gram, torch.eye(len(gram), dtype=torch.float64))


def test_orthogonal_signs_are_not_fixed_by_the_factorization() -> None:
    """Without the sign correction the diagonal of Q has one sign only (Mezzadri 2007)."""
    diagonals = [drawn(spec.Mlp(depth=2, width=4), seed=s, kind="orthogonal")["layers.1.linear.weight"][0, 0]
                 for s in range(60)]  # fmt: skip
    assert 0.25 < float((torch.stack(diagonals) > 0).double().mean()) < 0.75


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_each_gate_has_its_own_orthogonal_matrix(cell: str) -> None:
    weight = drawn(spec.Recurrent(cell=cell), shape=(9, 6), kind="orthogonal", recurrent_scale=2.0)["recurrent.weight"]
    for w in weight.split(50):
        torch.testing.assert_close(w @ w.T, 4.0 * torch.eye(50, dtype=torch.float64))


def test_smart_tanh_has_fifteen_inputs_a_unit_and_spectral_radius_095() -> None:
    weight = drawn(RNN, shape=(9, 6), kind="smart_tanh")["recurrent.weight"]
    assert set((weight != 0).sum(1).tolist()) == {15}
    assert len(set((weight != 0).sum(0).tolist())) > 1
    assert float(torch.linalg.eigvals(weight).abs().max()) == pytest.approx(0.95)


def test_scales_multiply_the_same_numbers() -> None:
    one, three = drawn(RNN, shape=(9, 6), kind="gaussian"), drawn(RNN, shape=(9, 6), kind="gaussian", scale=3.0)
    torch.testing.assert_close(three["input.weight"], 3.0 * one["input.weight"])
    both = drawn(RNN, shape=(9, 6), kind="gaussian", scale=3.0, recurrent_scale=0.5)
    torch.testing.assert_close(both["recurrent.weight"], 1.5 * one["recurrent.weight"])
    assert torch.equal(both["readout.weight"], three["readout.weight"])


def test_kinds_of_one_seed_come_from_the_same_normals() -> None:
    normal, he = drawn(MLP, kind="gaussian"), drawn(MLP, kind="he")
    uniform = drawn(MLP, kind="uniform_fan_in", bias_scale=2.0)
    for name, fan in (("layers.0.linear.weight", 200), ("readout.weight", 300)):
        torch.testing.assert_close(he[name], normal[name] * math.sqrt(2 / fan))
        assert torch.equal(uniform[name] > 0, normal[name] > 0)


def test_equal_seeds_repeat_and_other_seeds_do_not() -> None:
    first, again, other = drawn(MLP, seed=3), drawn(MLP, seed=3), drawn(MLP, seed=4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_biases_are_zero_unless_they_are_given_a_scale() -> None:
    assert not drawn(MLP, kind="he")["layers.0.linear.bias"].any()
    assert float(drawn(MLP, kind="he", bias_scale=0.5)["layers.0.linear.bias"].std()) == pytest.approx(0.5, rel=0.2)


@pytest.mark.parametrize(
    ("cell", "expected"), [("lstm", (2.0, 3.0, 0.0, 0.0)), ("gru", (0.0, -3.0, 0.0)), ("tanh", (0.0,))]
)
def test_gate_biases_are_set_where_the_cell_has_the_gate(cell: str, expected: tuple[float, ...]) -> None:
    bias = drawn(spec.Recurrent(cell=cell), shape=(9, 6), kind="he", forget_bias=3.0, input_gate_bias=2.0)["input.bias"]
    assert [gate.unique().tolist() for gate in bias.split(50)] == [[amount] for amount in expected]


def test_normalization_starts_at_gain_one_and_shift_zero() -> None:
    p = drawn(spec.Mlp(normalization=spec.BatchNorm()), kind="gaussian", scale=7.0, bias_scale=1.0)
    assert p["layers.0.normalization.weight"].unique().tolist() == [1.0]
    assert p["layers.0.normalization.bias"].unique().tolist() == [0.0]


def test_points_start_where_they_are_put() -> None:
    assert drawn(spec.Point(dimension=3, start=2.0), scale=1.5)["x"].tolist() == [3.0] * 3
    assert drawn(spec.Point(dimension=2, start=(1.0, -0.5)), scale=4.0)["x"].tolist() == [4.0, -2.0]
    x = drawn(spec.Point(dimension=10_000, start=2.0, random=True))["x"]
    assert float(x.std()) == pytest.approx(2.0, rel=0.03)


def test_constant_weights_are_the_scale() -> None:
    assert drawn(MLP, kind="constant", scale=0.3)["readout.weight"].unique().tolist() == [0.3]


@pytest.mark.parametrize("model", [MLP, RNN, spec.Point()], ids=lambda model: type(model).__name__)
def test_every_parameter_is_drawn_in_the_modules_type(model: spec.Model) -> None:
    module = build_model(model, input_shape=(9, 6), num_outputs=10)
    parameters = initial_parameters(module, spec.Initialization(), 0)
    shapes = {name: p.shape for name, p in module.named_parameters()}
    assert {name: p.shape for name, p in parameters.items()} == shapes
    assert {p.dtype for p in parameters.values()} == {torch.float32}
