"""Tasks without data: losses, gradients and noise by hand, in float64."""

import math

import pytest
import torch

from seven_terms.spec import LinearMemory, NoisyQuadraticMoments, OneUnitRecurrence, PowerFunction, Quadratic
from seven_terms.tasks import build_task
from seven_terms.tasks.quadratic import eigenvalues

ZERO = torch.zeros(1, dtype=torch.float64)


def built(task):
    return build_task(task, dtype=torch.float64, device="cpu")


def point(*values):
    return torch.tensor(values, dtype=torch.float64)


def test_spectra_by_hand():
    spaced = eigenvalues(Quadratic(dimension=3, largest=2.0, condition_number=100.0))
    torch.testing.assert_close(spaced, point(0.02, 0.2, 2.0), rtol=1e-14, atol=0)
    assert eigenvalues(Quadratic(dimension=1, largest=2.0)).tolist() == [2.0]
    assert eigenvalues(Quadratic(dimension=3, spectrum="inverse")).tolist() == [1.0, 0.5, 1 / 3]
    assert eigenvalues(Quadratic(dimension=2, spectrum="equal", largest=3.0)).tolist() == [3.0, 3.0]


def test_the_gradient_of_the_quadratic_is_hx_plus_noise_for_each_run():
    data = built(Quadratic(dimension=3, spectrum="inverse"))
    x_RD = torch.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 6.0]], dtype=torch.float64)
    noise_RD = torch.tensor([[0.1, 0.0, -0.2], [0.0, 0.3, 0.0]], dtype=torch.float64)
    gradient_RD = torch.vmap(torch.func.grad(data.loss))(x_RD, noise_RD)
    torch.testing.assert_close(gradient_RD, x_RD / point(1, 2, 3) + noise_RD, rtol=1e-14, atol=1e-16)


def test_metrics_of_the_quadratic_leave_the_noise_out():
    data = built(Quadratic(dimension=2, spectrum="equal", largest=3.0))
    found = data.metrics(point(1, 2), point(5, 5))
    assert found["loss"].item() == 7.5
    assert found["squared_distance"].item() == 2.5
    assert data.loss(point(1, 2), point(5, 5)).item() == 7.5 + 15
    assert data.loss(point(1, 2), data.evaluation("test", [0])[0][0]).item() == 7.5


@pytest.mark.parametrize(("follows", "expected"), [(False, (0.25, 0.25)), (True, (0.25, 0.125))])
def test_noise_has_the_announced_variance_and_falls_with_the_batch(follows, expected):
    task = Quadratic(dimension=2, spectrum="inverse", noise_scale=0.5, noise_follows_curvature=follows)
    data = built(task)
    for size, num in ((None, 6000), (4, 1500)):
        drawn = torch.cat([data.batches([1], position, size)[0] for position in range(0, num * (size or 1), size or 1)])
        variance = drawn.square().mean(0) * (size or 1)
        tolerance = 4 * math.sqrt(2 / num)  # four standard errors, relative
        assert drawn.shape == (num, 2)
        torch.testing.assert_close(variance, point(*expected), rtol=tolerance, atol=0)


@pytest.mark.parametrize("noise", ["skewed", "student"])
def test_noise_of_other_kinds_has_mean_zero_and_variance_one(noise):
    data = built(Quadratic(dimension=2, spectrum="equal", noise_scale=1.0, noise=noise))
    drawn = torch.cat([data.batches([1], position, None)[0] for position in range(20_000)]).flatten()
    assert abs(drawn.mean().item()) < 4 / math.sqrt(len(drawn))
    middle = drawn[drawn.abs() < 20]  # the fourth moment of Student's t is infinite
    assert middle.square().mean().item() == pytest.approx(1.0, abs=0.1)


def test_skewed_noise_has_two_values_and_cauchy_noise_the_quartiles_of_cauchy():
    skewed = built(Quadratic(dimension=500, spectrum="equal", noise_scale=3.0, noise="skewed")).batches([1], 0, None)[0]
    assert sorted(set(skewed.flatten().tolist())) == [-1.0, 9.0]
    cauchy = built(Quadratic(dimension=5000, spectrum="equal", noise_scale=1.0, noise="cauchy")).batches([1], 0, None)[
        0
    ]
    inside = (cauchy.abs() < 1.0).double().mean().item()  # half of Cauchy's mass lies within its scale
    assert inside == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(5000))


def test_noise_of_other_kinds_acts_on_the_gradient_alone():
    data = built(Quadratic(dimension=2, spectrum="equal", largest=3.0, noise="cauchy", noise_scale=1.0))
    assert data.loss(point(1, 2), point(5, 5)).item() == 7.5
    assert torch.func.grad(data.loss)(point(1, 2), point(5, -5)).tolist() == [8.0, 1.0]


def test_noise_of_a_batch_is_the_mean_over_its_examples():
    data = built(Quadratic(dimension=4, noise_scale=1.0))
    singles = torch.stack([data.batches([1, 2], position, None)[0] for position in range(10, 15)])
    torch.testing.assert_close(data.batches([1, 2], 10, 5)[0], singles.mean(0), rtol=1e-14, atol=1e-16)


def test_expected_loss_is_half_the_weighted_sum_of_moments():
    data = built(NoisyQuadraticMoments(dimension=3))
    assert data.loss(point(1, 1, 1), ZERO).item() == pytest.approx((1 + 1 / 2 + 1 / 3) / 2, rel=1e-15)
    gradient = torch.func.grad(data.loss)(point(5, 6, 7), ZERO)
    torch.testing.assert_close(2 * gradient, point(1, 1 / 2, 1 / 3), rtol=1e-15, atol=0)


def test_power_function_and_its_gradient_by_hand():
    data = built(PowerFunction(exponent=4.0))
    x_RD = torch.tensor([[2.0], [-3.0], [0.0]], dtype=torch.float64)
    gradient_RD, value_R = torch.vmap(torch.func.grad_and_value(data.loss), in_dims=(0, None))(x_RD, ZERO)
    assert value_R.tolist() == [4.0, 20.25, 0.0]
    assert gradient_RD.flatten().tolist() == [8.0, -27.0, 0.0]
    assert data.metrics(x_RD[0], ZERO)["loss"].item() == 4.0


def test_power_function_refuses_an_exponent_whose_gradient_has_no_bound_at_the_minimum():
    with pytest.raises(ValueError, match=r"exponent must be >= 1, got 0\.5"):
        built(PowerFunction(exponent=0.5))


def test_recurrent_units_are_independent_and_their_losses_add_up():
    task = OneUnitRecurrence(length=3, start=0.5, target=0.7)
    data = built(task)

    def by_hand(w, b):
        x = task.start
        for _ in range(task.length):
            x = w / (1 + math.exp(-x)) + b
        return (1 / (1 + math.exp(-x)) - task.target) ** 2

    both = data.loss(point(2, -1, 5, -3), ZERO)
    assert both.item() == pytest.approx(by_hand(2, -1) + by_hand(5, -3), rel=1e-13)
    together = torch.func.grad(data.loss)(point(2, -1, 5, -3), ZERO)
    alone = torch.func.grad(data.loss)(point(5, -3), ZERO)
    torch.testing.assert_close(together[2:], alone, rtol=1e-14, atol=0)


@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize("normalized", [False, True])
def test_the_loss_of_a_linear_memory_is_half_the_squared_difference_of_its_responses_to_impulses(
    exponential, normalized
):
    task = LinearMemory(decay=0.8, exponential=exponential, normalized=normalized)
    x, lags = 0.05, torch.arange(400, dtype=torch.float64)

    def response(a):
        return a**lags * (math.sqrt(1 - a * a) if normalized else 1.0)

    a = math.exp(-math.exp(math.log(-math.log(0.8)) + x)) if exponential else 0.8 + x
    expected = (response(a) - response(0.8)).square().sum() / 2
    assert built(task).loss(point(x), ZERO).item() == pytest.approx(expected.item(), rel=1e-12)
    assert built(task).loss(point(0.0), ZERO).item() == 0.0


def test_a_linear_memory_without_a_stationary_state_is_infinitely_far():
    assert built(LinearMemory(decay=0.8)).loss(point(0.2), ZERO).item() == math.inf
