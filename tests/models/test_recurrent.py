import pytest
import torch
from torch import Tensor, nn

from seven_terms import spec
from seven_terms.models import Recurrent, build_model, initial_parameters

SHAPE = (7, 9, 6)  # batch, time, features


def inputs() -> Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def drawn(cell: str, *, read_all: bool = False, regularization: float = 0.0) -> Recurrent:
    model = spec.Recurrent(cell=cell, width=8, read_all=read_all, regularization=regularization)
    module = build_model(model, input_shape=SHAPE[1:], num_outputs=4).double()
    module.load_state_dict(initial_parameters(module, spec.Initialization(kind="lecun", bias_scale=0.5), 0))
    assert isinstance(module, Recurrent)
    return module


def oracle_states(module: Recurrent, cell: str) -> Tensor:
    """Return the hidden states [B, T, H] of PyTorch's own layer with the module's parameters."""
    oracle = {"lstm": nn.LSTM, "gru": nn.GRU}.get(cell, nn.RNN)(6, 8, batch_first=True).double()
    if cell == "relu":
        oracle = nn.RNN(6, 8, batch_first=True, nonlinearity="relu").double()
    # PyTorch's update gate keeps the old state, ours lets the candidate in: sigmoid(-a) = 1 - sigmoid(a)
    sign = torch.ones(module.input.weight.shape[0], dtype=torch.float64)
    if cell == "gru":
        sign[8:16] = -1.0
    with torch.no_grad():
        oracle.weight_ih_l0.copy_(module.input.weight * sign[:, None])
        oracle.weight_hh_l0.copy_(module.recurrent.weight * sign[:, None])
        oracle.bias_ih_l0.copy_(module.input.bias * sign)
        oracle.bias_hh_l0.zero_()
    return oracle(inputs())[0]


@pytest.mark.parametrize("cell", ["tanh", "relu", "lstm", "gru"])
def test_hidden_states_and_outputs_equal_torch(cell: str) -> None:
    module, reader = drawn(cell), drawn(cell, read_all=True)
    states = oracle_states(module, cell)
    torch.testing.assert_close(torch.stack(module.states(inputs()), 1), states, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(module(inputs()), module.readout(states[:, -1]), rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(reader(inputs())[:, 3], reader.readout(states[:, 3]), rtol=1e-10, atol=1e-12)
    assert reader(inputs()).shape == (7, 9, 4)


@pytest.mark.parametrize(("cell", "function"), [("identity", lambda a: a), ("sigmoid", torch.sigmoid)])
def test_simple_cells_follow_their_formula(cell: str, function) -> None:
    module, h = drawn(cell), torch.zeros(7, 8, dtype=torch.float64)
    for x_t in inputs().unbind(1):
        h = function(x_t @ module.input.weight.T + module.input.bias + h @ module.recurrent.weight.T)
    torch.testing.assert_close(module(inputs()), module.readout(h))


def test_the_gradient_of_a_perturbation_is_the_gradient_of_its_hidden_state() -> None:
    module = drawn("identity")
    nudge = torch.zeros(9, 7, 8, dtype=torch.float64, requires_grad=True)
    (from_nudge,) = torch.autograd.grad(module(inputs(), nudge).sum(), nudge)
    d = module.readout.weight.sum(0).expand(7, 8)
    for t in reversed(range(9)):  # dL/dh_{t-1} = W^T dL/dh_t for a linear recurrence
        torch.testing.assert_close(from_nudge[t], d)
        d = d @ module.recurrent.weight


def test_a_perturbation_moves_what_follows_it() -> None:
    module, nudge = drawn("tanh"), torch.zeros(9, 7, 8, dtype=torch.float64)
    nudge[4] = 0.1
    plain, moved = module.states(inputs()), module.states(inputs(), nudge)
    for before, after in zip(plain[:4], moved[:4], strict=True):  # one loop has its own way back: sums in another order
        torch.testing.assert_close(after, before, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(moved[4], plain[4] + 0.1)
    assert not torch.allclose(moved[5], plain[5])


@pytest.mark.parametrize("read_all", [False, True])
@pytest.mark.parametrize("cell", ["tanh", "relu", "sigmoid", "identity"])
def test_the_loop_with_its_own_backward_equals_autograd(cell: str, read_all: bool) -> None:
    module, x = drawn(cell, read_all=read_all), inputs().requires_grad_()
    leaves = [x, *module.parameters()]
    weights = torch.arange(1.0, 1.0 + module(x).numel(), dtype=torch.float64).reshape(module(x).shape)
    ours = torch.autograd.grad((module(x) * weights).sum(), leaves)
    nudge = torch.zeros(9, 7, 8, dtype=torch.float64)  # with one, every step is autograd's own
    theirs = torch.autograd.grad((module(x, nudge) * weights).sum(), leaves)
    for a, b in zip(ours, theirs, strict=True):
        assert b.abs().max() > 0.0
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)


def test_a_loop_of_one_step_has_no_gradient_of_the_recurrent_matrix() -> None:
    module = drawn("tanh")
    module(inputs()[:, :1]).sum().backward()
    assert module.recurrent.weight.grad is not None
    assert not module.recurrent.weight.grad.any()
    assert module.input.weight.grad is not None
    assert module.input.weight.grad.any()


@pytest.mark.parametrize("cell", ["tanh", "relu", "sigmoid", "identity"])
def test_the_regularizer_adds_the_immediate_derivative_of_omega(cell: str) -> None:
    """Omega written down as a function of W alone, everything else held fixed, and differentiated by autograd."""
    module, x = drawn(cell), inputs()
    regularized = drawn(cell, regularization=0.7)
    regularized.load_state_dict(module.state_dict())
    plain, ours = (torch.autograd.grad(one(x).square().sum(), list(one.parameters())) for one in (module, regularized))
    nudge = torch.zeros(9, 7, 8, dtype=torch.float64, requires_grad=True)
    (d,) = torch.autograd.grad(module(x, nudge).square().sum(), nudge)  # dL/dh_t, [T, B, H]
    h = torch.stack(module.states(x)).detach()
    slope = {"tanh": 1 - h**2, "relu": (h > 0).double(), "sigmoid": h * (1 - h), "identity": torch.ones_like(h)}[cell]
    weight = module.recurrent.weight.detach().requires_grad_()
    carried = (d * slope) @ weight  # dL/dh_{t-1}, from t = 1 on
    torch.testing.assert_close(carried[1:], d[:-1])  # as it must, for only the last state is read
    omega = (carried.square().sum(-1) / d.square().sum(-1) - 1).square().mean()
    (expected,) = torch.autograd.grad(omega, weight)
    assert expected.abs().max() > 0
    for name, a, b in zip(dict(module.named_parameters()), plain, ours, strict=True):
        added = 0.7 * expected if name == "recurrent.weight" else torch.zeros_like(a)
        torch.testing.assert_close(b - a, added, rtol=1e-9, atol=1e-12)


def test_a_gradient_that_has_vanished_is_left_out_of_the_regularizer() -> None:
    module = drawn("relu", regularization=1.0)
    torch.nn.init.constant_(module.input.bias, -100.0)  # every unit is off
    module(inputs()).square().sum().backward()
    assert module.recurrent.weight.grad is not None
    assert not module.recurrent.weight.grad.any()


def test_terms_of_the_regularizer_that_have_vanished_do_not_thin_out_the_mean() -> None:
    """Only the last steps' gradients are above the bound: Omega is the mean over those alone."""
    module = drawn("identity", regularization=1.0)
    with torch.no_grad():
        module.recurrent.weight.mul_(1e-3 / torch.linalg.matrix_norm(module.recurrent.weight, 2))
    plain = drawn("identity")
    plain.load_state_dict(module.state_dict())
    nudge = torch.zeros(9, 7, 8, dtype=torch.float64, requires_grad=True)
    (d,) = torch.autograd.grad(plain(inputs(), nudge).sum(), nudge)
    counted = d.square().sum(-1) >= 1e-20
    assert 0 < counted.sum() < counted.numel()
    weight = plain.recurrent.weight.detach().requires_grad_()
    ratio = (d @ weight).square().sum(-1) / d.square().sum(-1)
    (expected,) = torch.autograd.grad((ratio - 1)[counted].square().mean(), weight)
    (without,) = torch.autograd.grad(plain(inputs()).sum(), plain.recurrent.weight)
    (ours,) = torch.autograd.grad(module(inputs()).sum(), module.recurrent.weight)
    torch.testing.assert_close(ours - without, expected, rtol=1e-8, atol=1e-12)


def test_a_recurrent_network_wants_sequences() -> None:
    with pytest.raises(ValueError, match=r"inputs must be sequences \(time, features\), got \(49,\)"):
        build_model(spec.Recurrent(), input_shape=(49,), num_outputs=10)


@pytest.mark.parametrize("changes", [{"cell": "lstm"}, {"read_all": True}])
def test_the_regularizer_is_refused_where_it_is_not_defined(changes: dict) -> None:
    with pytest.raises(ValueError, match="regularization needs a simple cell whose last state is read"):
        spec.Recurrent(regularization=1.0, **changes)
