"""Exact results against tables, closed forms and simulations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from experiments.lr_schedule.noisy_quadratic import INVERSE_SQRT_RATES, RATES, SCHEDULES, training
from seven_terms.spec import (
    Adam,
    Constant,
    Digits,
    Initialization,
    InverseTime,
    Linear,
    LinearMemory,
    Mlp,
    Point,
    Quadratic,
    Sgd,
    Step,
    Training,
    replace_path,
)
from seven_terms.statistics.quadratics import eigenvalues
from seven_terms.statistics.theory import curve, predict


def quadratic(
    *, rate: float = 0.1, momentum: float = 0.0, nesterov: bool = False, steps: int = 100, **task: object
) -> Training:
    made = Quadratic(**{"dimension": 10, **task})  # type: ignore[arg-type]
    return Training(
        task=made,
        model=Point(dimension=made.dimension),
        optimizer=Sgd(learning_rate=rate, momentum=momentum, nesterov=nesterov),
        num_steps=steps,
    )


@pytest.mark.parametrize(("k", "plain", "heavy"), [(10, 0.8182, 0.5195), (100, 0.9802, 0.8182), (1000, 0.9980, 0.9387)])
def test_the_best_contractions_are_those_of_polyak(k: float, plain: float, heavy: float) -> None:
    run = quadratic(condition_number=k)
    assert predict("best_contraction", run) == pytest.approx(plain, abs=5e-5)
    assert predict("heavy_ball_best_contraction", run) == pytest.approx(heavy, abs=5e-5)
    best = quadratic(condition_number=k, rate=predict("best_learning_rate", run))
    assert predict("contraction", best) == pytest.approx(plain, abs=5e-5)
    rate, momentum = predict("heavy_ball_best_learning_rate", run), predict("heavy_ball_best_momentum", run)
    assert predict("contraction", quadratic(condition_number=k, rate=rate, momentum=momentum)) == pytest.approx(
        heavy, abs=5e-5
    )


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_the_contraction_is_one_at_the_stability_limit(momentum: float, nesterov: bool) -> None:
    limit = predict("stability_limit", quadratic(momentum=momentum, nesterov=nesterov, largest=4.0))
    contractions = [
        predict("contraction", quadratic(rate=rate, momentum=momentum, nesterov=nesterov, largest=4.0))
        for rate in (0.99 * limit, limit, 1.01 * limit)
    ]
    assert contractions[0] < 1.0 + 1e-9 < contractions[2]
    assert contractions[1] == pytest.approx(1.0, abs=1e-6)


def test_the_limits_of_rate_and_curvature_are_the_known_ones() -> None:
    assert predict("stability_limit", quadratic(largest=4.0)) == pytest.approx(0.5)
    assert predict("stability_limit", quadratic(largest=4.0, momentum=0.5)) == pytest.approx(0.75)
    assert predict("curvature_limit", quadratic(rate=0.01)) == pytest.approx(200.0)


@pytest.mark.parametrize(
    ("rate", "largest", "momentum", "expected"),
    [(0.1, 1.0, 0.9, 0.5135), (0.01, 2.0, 0.9, 0.02513), (0.5, 1.0, 0.5, 0.6), (1.0, 2.0, 0.0, math.inf)],
)
def test_the_stationary_variance_solves_the_lyapunov_equation(
    rate: float, largest: float, momentum: float, expected: float
) -> None:
    run = quadratic(rate=rate, momentum=momentum, spectrum="equal", largest=largest, noise_scale=1.0)
    assert predict("stationary_variance", run) == pytest.approx(expected, rel=2e-4)
    assert predict("stationary_loss", run) == pytest.approx(10 * largest / 2 * predict("stationary_variance", run))


def test_the_recursion_reaches_the_stationary_variance_and_averages_noise_over_a_batch() -> None:
    run = quadratic(rate=0.3, spectrum="equal", noise_scale=2.0, steps=200)
    assert predict("expected_squared_distance", run) == pytest.approx(predict("stationary_variance", run))
    batch = replace_path(run, "batch_size", 4)
    assert predict("stationary_variance", batch) == pytest.approx(predict("stationary_variance", run) / 4)


def test_after_a_step_the_stationary_variance_is_that_of_the_new_rate_or_batch() -> None:
    run = quadratic(rate=0.2, spectrum="equal", noise_scale=1.0, steps=400)
    dropped = replace_path(run, "schedule", Step(drop=0.25, fractions=(0.5,)))
    assert predict("stationary_variance", dropped) == pytest.approx(0.05 / (2 - 0.05))
    assert predict("expected_squared_distance", dropped) == pytest.approx(0.05 / (2 - 0.05))
    grown = run.but(batch_size=1, batch_growth=((0.5, 4),))
    assert predict("stationary_variance", grown) == pytest.approx(0.2 / 4 / (2 - 0.2))
    with pytest.raises(ValueError, match="without momentum, weight decay and growing batches"):
        predict("expected_squared_distance", grown)


def test_rates_that_fall_as_one_over_t_reach_the_law_of_robbins_and_monro() -> None:
    run = quadratic(rate=0.5, spectrum="equal", largest=2.0, noise_scale=1.0)
    run = replace_path(run, "schedule", InverseTime(rate=1.0, per_step=True))
    assert predict("expected_squared_distance", run) == pytest.approx(predict("inverse_time_variance", run))
    steps = [1, 10, 100]
    exact = curve("expected_squared_distance", steps, run, over="step")
    assert exact == pytest.approx(curve("inverse_time_variance", steps, run, over="step"))


PUBLISHED = {
    "constant": ((0.214, 1.1248), (0.110, 0.3991)),
    "step": ((0.518, 1.0921), (0.333, 0.3037)),
    "inverse_sqrt": ((2.714, 1.0095), (4.231, 0.3097)),
    "inverse_time": ((1.563, 0.9535), (0.806, 0.2682)),
    "wsd": ((0.415, 0.9548), (0.214, 0.2582)),
    "wsd_sqrt": ((0.415, 0.9486), (0.267, 0.2511)),
    "exponential": ((1.950, 1.1320), (1.950, 0.2763)),
    "cosine": ((0.806, 0.9210), (0.518, 0.2186)),
    "linear": ((1.005, 0.8895), (0.518, 0.2118)),
}


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_the_noisy_quadratic_reproduces_the_published_optimum_of_each_schedule(name: str) -> None:
    """All 28 rates in 300 steps; in 3,000 steps the best rate beats its neighbours on the grid."""
    grid = INVERSE_SQRT_RATES if name == "inverse_sqrt" else RATES
    for budget, (rate, loss) in zip((300, 3000), PUBLISHED[name], strict=True):
        run = training(SCHEDULES[name][1], budget)
        near = int(np.argmin(abs(np.log(np.array(grid) / rate))))
        tried = grid if budget == 300 else grid[max(near - 1, 0) : near + 2]
        losses = curve("noisy_quadratic_loss", tried, run, over="optimizer.learning_rate")
        assert tried[int(np.argmin(losses))] == pytest.approx(rate, rel=3e-3)
        assert losses.min() == pytest.approx(loss, abs=1e-4)


def test_the_noisy_quadratic_starts_at_half_the_sum_of_its_eigenvalues() -> None:
    assert predict("noisy_quadratic_loss", training(Constant(), 0)) == pytest.approx(3.7427, abs=5e-5)


def network(kind: str, activation: str, *, scale: float = 1.0, bias_scale: float = 0.0) -> Training:
    return Training(
        task=Digits(),
        model=Mlp(activation=activation),  # type: ignore[arg-type]
        initialization=Initialization(kind=kind, scale=scale, bias_scale=bias_scale),  # type: ignore[arg-type]
        num_steps=1,
    )


@pytest.mark.parametrize(
    ("kind", "activation", "gain"),
    [
        ("uniform_fan_in", "tanh", 1 / 3),
        ("default", "tanh", 1 / 3),
        ("glorot", "tanh", 1.0),
        ("xavier_fan_in", "relu", 0.5),
        ("he", "relu", 1.0),
        ("lecun", "sigmoid", 1 / 16),
        ("orthogonal", "identity", 1.0),
    ],
)
def test_gradients_gain_per_layer_what_the_initialization_says(kind: str, activation: str, gain: float) -> None:
    run = network(kind, activation)
    assert predict("gradient_variance_gain", run) == pytest.approx(gain)
    assert predict("log_gradient_norm_slope", run) == pytest.approx(-0.5 * math.log(gain))
    assert predict("gradient_variance_gain", network(kind, activation, scale=3.0)) == pytest.approx(9 * gain)


@pytest.mark.parametrize(
    ("variance", "depth", "slope", "q"),
    [
        (1.0, 3.6, 0.759, 0.194),
        (1.25, 6.8, 0.863, 0.292),
        (1.5, 15.8, 0.939, 0.418),
        (1.7, 74.9, 0.987, 0.533),
        (2.0, 25.2, 1.048, 0.722),
        (2.5, 11.8, 1.134, 1.064),
        (3.0, 9.1, 1.209, 1.428),
        (4.0, 7.0, 1.342, 2.196),
    ],
)
def test_the_depth_scale_agrees_with_the_table(variance: float, depth: float, slope: float, q: float) -> None:
    run = network("lecun", "tanh", scale=math.sqrt(variance), bias_scale=math.sqrt(0.05))
    assert predict("depth_scale", run) == pytest.approx(depth, abs=0.051)
    assert predict("chi_1", run) == pytest.approx(slope, abs=5.1e-4)
    assert predict("q_star", run) == pytest.approx(q, abs=1e-3)


def test_the_slope_is_one_at_the_critical_variance() -> None:
    run = network("lecun", "tanh", scale=math.sqrt(1.7610), bias_scale=math.sqrt(0.05))
    assert predict("chi_1", run) == pytest.approx(1.0, abs=1e-4)


def test_batch_normalization_makes_gradients_grow_by_pi_over_pi_minus_one() -> None:
    assert predict("batch_norm_gradient_gain", network("he", "relu")) == pytest.approx(1.4669, abs=1e-4)


def test_a_curve_replaces_the_field_of_the_panel() -> None:
    run = quadratic(largest=4.0)
    values = curve("curvature_limit", [0.1, 0.2], run, over="optimizer.learning_rate")
    assert values.tolist() == pytest.approx([20.0, 10.0])
    assert curve("curvature_limit", [0, 50], run, over="step").tolist() == pytest.approx([20.0, 20.0])


def test_the_spectrum_is_that_of_the_task() -> None:
    assert eigenvalues(quadratic(dimension=3, largest=2.0, condition_number=4.0)) == pytest.approx([0.5, 1.0, 2.0])
    assert eigenvalues(quadratic(dimension=3, spectrum="inverse")) == pytest.approx([1.0, 1 / 2, 1 / 3])


def test_an_unknown_name_and_a_wrong_task_are_refused() -> None:
    with pytest.raises(ValueError, match="theory: the name must be one of"):
        predict("magic", quadratic())
    with pytest.raises(ValueError, match="the task must be a Quadratic"):
        predict("contraction", network("he", "relu"))


@pytest.mark.parametrize(("beta1", "times"), [(0.0, 2.0), (0.5, 6.0), (0.9, 38.0)])
def test_adam_with_a_fixed_preconditioner_is_stable_up_to_its_curvature_limit(beta1, times):
    training = replace_path(quadratic(), "optimizer", Adam(learning_rate=0.1, beta1=beta1))
    limit = predict("curvature_limit", training)
    assert limit == pytest.approx(times / 0.1)
    for factor, stable in ((0.99, True), (1.01, False)):  # x <- x - rate m, m <- b m + (1 - b) curvature x
        x, m = 1.0, 0.0
        for _ in range(5000):
            m = beta1 * m + (1.0 - beta1) * factor * limit * x
            x -= 0.1 * m
        assert (abs(x) < 1.0) == stable


def test_the_bound_on_the_last_iterate_has_its_logarithm_at_a_constant_rate_and_loses_it_by_linear_decay() -> None:
    bounds = {schedule: predict("last_iterate_bound", training(schedule, 400)) for schedule in (Constant(), Linear())}
    harmonic = sum(1.0 / k for k in range(1, 400))
    assert bounds[Constant()] == pytest.approx(math.sqrt((1.0 + harmonic) / 400), rel=1e-12)
    assert bounds[Linear()] == pytest.approx(2.0 / math.sqrt(400), rel=0.02)


def test_the_bound_on_the_last_iterate_is_the_sum_written_out() -> None:
    factors = [Step().factor(step, 12) for step in range(12)]
    first = 1.0 / (2.0 * sum(factors))
    second = sum(f**2 for f in factors) / (2.0 * sum(factors))
    for k in range(11):
        rest = sum(factors[k:])
        second += 0.5 * factors[k] / sum(factors[k + 1 :]) * sum(f**2 for f in factors[k:]) / rest
    assert predict("last_iterate_bound", training(Step(), 12)) == pytest.approx(2.0 * math.sqrt(first * second))


def test_curvature_at_a_memorys_teacher_is_the_variance_of_the_gradient_of_its_state():
    a = torch.tensor(0.9, dtype=torch.float64)
    impulses_TK = torch.eye(200, dtype=torch.float64)  # the state's answer to an impulse k steps ago, for each k

    def state(a):
        h_K = torch.zeros(200, dtype=torch.float64)
        for x_K in impulses_TK:
            h_K = a * h_K + x_K
        return h_K

    gradient_K = torch.autograd.functional.jacobian(state, a)
    variance = gradient_K.square().sum().item()  # of white inputs: impulses of all lags add up
    assert predict("memory_curvature", memory(decay=0.9)) == pytest.approx(variance, rel=1e-12)
    assert variance == pytest.approx(263.89, abs=0.005)


@pytest.mark.parametrize(
    "cures", [{"exponential": True}, {"normalized": True}, {"exponential": True, "normalized": True}]
)
def test_curvature_with_cures_is_the_second_difference_of_the_loss(cures):
    training, step = memory(decay=0.9, **cures), 1e-4
    lags = np.arange(1000)

    def loss(x):
        a = math.exp(math.log(0.9) * math.exp(x)) if "exponential" in cures else 0.9 + x
        scale = [math.sqrt(1 - b * b) if "normalized" in cures else 1.0 for b in (a, 0.9)]
        return float(np.square(scale[0] * a**lags - scale[1] * 0.9**lags).sum() / 2)

    found = (loss(step) + loss(-step)) / step**2
    assert predict("memory_curvature", training) == pytest.approx(found, rel=1e-4)


def test_both_cures_leave_a_curvature_of_a_quarter_however_long_the_memory():
    training = memory(decay=1 - 1e-9, exponential=True, normalized=True)
    assert predict("memory_curvature", training) == pytest.approx(0.25, rel=1e-6)


def memory(**task):
    return Training(task=LinearMemory(**task), model=Point(dimension=1, start=0.0), num_steps=0, precision="float64")


def test_a_settled_weight_turns_by_the_angle_whose_cosine_is_what_decay_leaves():
    run = Training(
        task=Digits(), model=Mlp(), optimizer=Sgd(learning_rate=0.2, weight_decay=0.05), num_steps=1, batch_size=8
    )
    rate, decay, w = 0.2, 0.05, np.array([1.0, 0.0])
    for _ in range(3000):  # a gradient of one size over |w|, at a right angle to w
        g = np.array([-w[1], w[0]]) / np.square(w).sum()
        before, w = w, (1 - rate * decay) * w - rate * g
    cosine = before @ w / (np.linalg.norm(before) * np.linalg.norm(w))
    assert cosine == pytest.approx(1 - rate * decay, rel=1e-12)
    assert predict("equilibrium_rotation", run) == pytest.approx(math.acos(cosine), rel=1e-2)
    assert np.linalg.norm(w) ** 4 == pytest.approx(predict("rate_over_decay", run) / 2, rel=1e-2)
