import math

import pytest
import torch
from torch import Tensor

from seven_terms import spec
from seven_terms.optimizers import hyper_parameters, initial_state, update

SHAPES = {"weight": (4, 3), "bias": (4,)}
Tensors = dict[str, Tensor]

SGD = (
    spec.Sgd(learning_rate=0.1),
    spec.Sgd(learning_rate=0.05, momentum=0.9),
    spec.Sgd(learning_rate=0.2, momentum=0.5, weight_decay=0.01),
)
NESTEROV = (
    spec.Sgd(learning_rate=0.1, momentum=0.9, nesterov=True),
    spec.Sgd(learning_rate=0.03, momentum=0.5, weight_decay=0.1, nesterov=True),
)
ADAM = (
    spec.Adam(learning_rate=0.01),
    spec.Adam(learning_rate=0.1, beta1=0.5, beta2=0.9, eps=1e-3),
    spec.Adam(learning_rate=0.03, weight_decay=0.1),
)
ADAMW = (
    spec.Adam(learning_rate=0.01, weight_decay=0.1, decoupled=True),
    spec.Adam(learning_rate=0.1, beta2=0.95, decoupled=True),
)


def oracle(rule: spec.Optimizer, parameters: list[Tensor]) -> torch.optim.Optimizer:
    if isinstance(rule, spec.Sgd):
        return torch.optim.SGD(
            parameters,
            lr=rule.learning_rate,
            momentum=rule.momentum,
            weight_decay=rule.weight_decay,
            nesterov=rule.nesterov,
        )
    assert isinstance(rule, spec.Adam)
    kind = torch.optim.AdamW if rule.decoupled else torch.optim.Adam
    betas = (rule.beta1, rule.beta2)
    return kind(parameters, lr=rule.learning_rate, betas=betas, eps=rule.eps, weight_decay=rule.weight_decay)


def start(num_runs: int, dtype: torch.dtype = torch.float64) -> Tensors:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(num_runs, *shape, generator=generator, dtype=dtype) for name, shape in SHAPES.items()}


def gradient(step: int, run: int, name: str) -> Tensor:
    generator = torch.Generator().manual_seed(1000 * step + 10 * run + len(name))
    return torch.randn(SHAPES[name], generator=generator, dtype=torch.float64)


def train(rules: tuple[spec.Optimizer, ...], *, num_steps: int, factors: Tensor | None = None) -> Tensors:
    params, hyper = start(len(rules)), hyper_parameters(rules)
    state = initial_state(rules[0], params, hyper)
    for step in range(num_steps):
        grads = {name: torch.stack([gradient(step, run, name) for run in range(len(rules))]) for name in SHAPES}
        rate_R = hyper["learning_rate"] * (1.0 if factors is None else factors[step])
        params, state = update(rules[0], hyper, rate_R, params, grads, state, step)
    return params


def train_oracle(rule: spec.Optimizer, *, run: int, num_runs: int, num_steps: int, factors: Tensor | None) -> Tensors:
    parameters = {name: value[run].clone().requires_grad_() for name, value in start(num_runs).items()}
    optimizer = oracle(rule, list(parameters.values()))
    for step in range(num_steps):
        if factors is not None:
            optimizer.param_groups[0]["lr"] = rule.learning_rate * float(factors[step])
        for name, parameter in parameters.items():
            parameter.grad = gradient(step, run, name)
        optimizer.step()
    return parameters


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("rules", [SGD, NESTEROV, ADAM, ADAMW], ids=["sgd", "nesterov", "adam", "adamw"])
def test_each_run_of_a_stack_equals_torch_over_100_steps(rules: tuple[spec.Optimizer, ...], scheduled: bool) -> None:
    factors = torch.linspace(1.0, 0.0, 101, dtype=torch.float64)[:100] if scheduled else None
    stacked = train(rules, num_steps=100, factors=factors)
    for run, rule in enumerate(rules):
        alone = train_oracle(rule, run=run, num_runs=len(rules), num_steps=100, factors=factors)
        for name in SHAPES:
            torch.testing.assert_close(stacked[name][run], alone[name].detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", [*SGD, *NESTEROV, *ADAM, *ADAMW], ids=repr)
def test_a_single_run_equals_torch_over_100_steps(rule: spec.Optimizer) -> None:
    stacked = train((rule,), num_steps=100)
    alone = train_oracle(rule, run=0, num_runs=1, num_steps=100, factors=None)
    for name in SHAPES:
        torch.testing.assert_close(stacked[name][0], alone[name].detach(), rtol=1e-9, atol=1e-12)


def test_three_steps_of_heavy_ball_by_hand() -> None:
    """f(w) = w^2 / 2 from w = 1 with rate 0.5 and momentum 0.5: v = 1, 1, 0.5 and w = 0.5, 0, -0.25."""
    rule = spec.Sgd(learning_rate=0.5, momentum=0.5)
    params, hyper = {"x": torch.ones(1, 1, dtype=torch.float64)}, hyper_parameters([rule])
    state, seen = initial_state(rule, params, hyper), []
    for step in range(3):
        params, state = update(rule, hyper, hyper["learning_rate"], params, params, state, step)
        seen.append(params["x"].item())
    assert seen == pytest.approx([0.5, 0.0, -0.25], abs=1e-12)


def test_averaged_iterates_are_the_mean_of_all_iterates() -> None:
    rule = spec.Sgd(learning_rate=0.3, average_iterates=True)
    params, hyper = start(1), hyper_parameters([rule])
    state, iterates = initial_state(rule, params, hyper), []
    for step in range(20):
        params, state = update(rule, hyper, hyper["learning_rate"], params, params, state, step)
        iterates.append(params["weight"])
    torch.testing.assert_close(state["average"]["weight"], torch.stack(iterates).mean(0), rtol=1e-12, atol=1e-12)


def test_averaging_does_not_change_the_iterates() -> None:
    plain = train((spec.Sgd(momentum=0.9),), num_steps=10)
    averaged = train((spec.Sgd(momentum=0.9, average_iterates=True),), num_steps=10)
    assert all(torch.equal(plain[name], averaged[name]) for name in SHAPES)


def test_expected_sgd_follows_the_moments_of_simulated_sgd() -> None:
    """E[x^2] of x <- (1 - rate h) x - rate sqrt(noise h) xi, against 200,000 chains within 4 standard errors."""
    rate, noise, h, num_chains = 0.4, 2.0, torch.tensor([1.0, 0.5, 0.1], dtype=torch.float64), 200_000
    rule = spec.ExpectedSgd(learning_rate=rate, noise=noise)
    params, hyper = {"x": torch.ones(1, 3, dtype=torch.float64)}, hyper_parameters([rule])
    generator, x = torch.Generator().manual_seed(0), torch.ones(num_chains, 3, dtype=torch.float64)
    for step in range(8):
        xi = torch.randn(x.shape, generator=generator, dtype=torch.float64)
        x = (1 - rate * h) * x - rate * torch.sqrt(noise * h) * xi
        grads = {"x": (h / 2).expand(1, 3)}  # of the loss h v / 2
        params, _ = update(rule, hyper, hyper["learning_rate"], params, grads, {}, step)
    standard_error = x.square().std(0) / math.sqrt(num_chains)
    assert ((x.square().mean(0) - params["x"][0]).abs() < 4 * standard_error).all()


def test_expected_sgd_reaches_the_closed_noise_floor() -> None:
    """The fixed point of v is rate noise / (2 - rate h)."""
    rule, h = spec.ExpectedSgd(learning_rate=0.5, noise=1.0), 0.8
    params, hyper = {"x": torch.ones(1, 1, dtype=torch.float64)}, hyper_parameters([rule])
    for step in range(200):
        grads = {"x": torch.full((1, 1), h / 2, dtype=torch.float64)}
        params, _ = update(rule, hyper, hyper["learning_rate"], params, grads, {}, step)
    assert params["x"].item() == pytest.approx(0.5 / (2 - 0.5 * 0.8), rel=1e-12)


def test_momentum_and_decay_are_left_out_only_where_every_run_has_zero() -> None:
    assert set(hyper_parameters([spec.Sgd(), spec.Sgd()])) == {"learning_rate"}
    assert set(hyper_parameters([spec.Sgd(), spec.Sgd(momentum=0.9)])) == {"learning_rate", "momentum"}
    assert initial_state(spec.Sgd(), start(1), hyper_parameters([spec.Sgd()])) == {}
    assert set(initial_state(spec.Sgd(), start(1))) == {"velocity"}


def test_an_update_leaves_its_arguments_as_they_are() -> None:
    rule, params = ADAMW[0], start(1)
    kept, hyper = {name: value.clone() for name, value in params.items()}, hyper_parameters([rule])
    state = initial_state(rule, params, hyper)
    update(rule, hyper, hyper["learning_rate"], params, params, state, 0)
    assert all(torch.equal(params[name], kept[name]) for name in SHAPES)
    assert not any(value.any() for part in state.values() for value in part.values())


@pytest.mark.parametrize(
    "rule", [NESTEROV[1], ADAMW[0], spec.Sgd(average_iterates=True), spec.ScheduleFree()], ids=repr
)
def test_updates_are_one_compiled_graph_for_every_step(rule: spec.Optimizer) -> None:
    params, hyper = start(2), hyper_parameters([rule, rule])
    state = initial_state(rule, params, hyper)
    torch.compiler.reset()
    fast = torch.compile(update, fullgraph=True, backend="eager")
    for step in range(4):
        number = torch.tensor(float(step), dtype=torch.float64)
        compiled, _ = fast(rule, hyper, hyper["learning_rate"], params, params, state, number)
        params, state = update(rule, hyper, hyper["learning_rate"], params, params, state, step)
        assert all(torch.equal(compiled[name], params[name]) for name in SHAPES)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_schedule_free_sgd_follows_the_three_published_sequences(beta: float, decay: float) -> None:
    """Defazio et al. 2024: y = (1 - b) z + b x; z' = z - rate (g(y) + decay y); x' = (1 - c) x + c z' with c = 1 / t."""
    rule = spec.ScheduleFree(learning_rate=0.2, beta=beta, weight_decay=decay)
    params, hyper = start(1), hyper_parameters([rule])
    state = initial_state(rule, params, hyper)
    z = x = params["weight"].clone()
    for step in range(30):
        y = (1 - beta) * z + beta * x
        torch.testing.assert_close(params["weight"], y, rtol=1e-12, atol=1e-13)
        g = torch.sin(3.0 * y)
        z = z - 0.2 * (g + decay * y)
        c = 1 / (step + 1)
        x = (1 - c) * x + c * z
        grads = {name: torch.sin(3.0 * value) for name, value in params.items()}
        params, state = update(rule, hyper, hyper["learning_rate"], params, grads, state, step)
        torch.testing.assert_close(state["average"]["weight"], x, rtol=1e-12, atol=1e-13)


def test_schedule_free_without_interpolation_is_sgd_and_its_average() -> None:
    sgd = spec.Sgd(learning_rate=0.05, average_iterates=True)
    free = spec.ScheduleFree(learning_rate=0.05, beta=0.0)
    states = {}
    for rule in (sgd, free):
        params, hyper = start(1), hyper_parameters([rule])
        state = initial_state(rule, params, hyper)
        for step in range(20):
            params, state = update(rule, hyper, hyper["learning_rate"], params, params, state, step)
        states[rule] = (params["weight"], state["average"]["weight"])
    for one, other in zip(*states.values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-13)


def test_weights_of_an_average_with_a_power_grow_with_the_step() -> None:
    """With power 2 the weight of iterate t is t (t + 1), up to a factor."""
    rule = spec.ScheduleFree(learning_rate=0.3, beta=0.0, power=2.0)
    params, hyper = start(1), hyper_parameters([rule])
    state, iterates = initial_state(rule, params, hyper), []
    for step in range(12):
        params, state = update(rule, hyper, hyper["learning_rate"], params, params, state, step)
        iterates.append(params["weight"])
    weights = torch.tensor([t * (t + 1) for t in range(1, 13)], dtype=torch.float64)
    weights = (weights / weights.sum()).reshape(-1, *[1] * iterates[0].dim())
    torch.testing.assert_close(
        state["average"]["weight"], (weights * torch.stack(iterates)).sum(0), rtol=1e-12, atol=1e-13
    )
