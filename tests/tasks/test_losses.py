"""Losses and metrics: values by hand, agreement with PyTorch, and safety under vmap and grad."""

import math

import pytest
import torch
import torch.nn.functional as F

from seven_terms.tasks import adding, losses

NOTHING = torch.zeros(1)


@pytest.fixture
def logits_and_labels():
    random = torch.Generator().manual_seed(0)
    logits = 30 * torch.randn(4, 6, 10, generator=random, dtype=torch.float64)
    return logits, torch.randint(10, (4, 6), generator=random)


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes():
    value = losses.cross_entropy(torch.zeros(3, 4, dtype=torch.float64), NOTHING, torch.tensor([0, 1, 3]))
    assert value.item() == pytest.approx(math.log(4), abs=1e-15)


def test_cross_entropy_and_its_gradient_are_pytorch_s(logits_and_labels):
    logits, labels = logits_and_labels
    stacked = torch.vmap(torch.func.grad_and_value(losses.cross_entropy))(logits, torch.zeros(4, 1), labels)
    for run in range(4):
        gradient, value = torch.func.grad_and_value(F.cross_entropy)(logits[run], labels[run])
        torch.testing.assert_close(stacked[0][run], gradient, rtol=1e-12, atol=1e-15)
        torch.testing.assert_close(stacked[1][run], value, rtol=1e-12, atol=1e-15)


def test_half_squared_error_by_hand():
    outputs = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.0, 2.0]], dtype=torch.float64)
    value = losses.half_squared_error(outputs, NOTHING, torch.tensor([0, 2]))
    assert value.item() == (0.5 * 0 + 0.5 * (0.25 + 1.0)) / 2


def test_half_squared_error_is_safe_under_vmap_and_grad(logits_and_labels):
    logits, labels = logits_and_labels
    stacked = torch.vmap(torch.func.grad(losses.half_squared_error))(logits, torch.zeros(4, 1), labels)
    torch.testing.assert_close(stacked, (logits - F.one_hot(labels, 10)) / 6, rtol=1e-12, atol=1e-15)


def test_squared_error_by_hand():
    outputs, targets = torch.tensor([[1.0], [3.0]]), torch.tensor([[0.0], [5.0]])
    assert losses.squared_error(outputs, NOTHING, targets).item() == 2.5


def test_accuracy_and_error_add_up_to_one():
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0], [0.0, 4.0]])
    found = losses.classification_metrics(logits, NOTHING, torch.tensor([0, 1, 1, 1]))
    assert {name: found[name].item() for name in ("accuracy", "error")} == {"accuracy": 0.75, "error": 0.25}


def test_metrics_agree_with_the_loss_and_are_safe_under_vmap(logits_and_labels):
    logits, labels = logits_and_labels
    pairs = (
        (losses.classification_metrics, losses.cross_entropy),
        (losses.half_squared_error_metrics, losses.half_squared_error),
    )
    for metrics, loss in pairs:
        found = torch.vmap(metrics, in_dims=(0, None, None))(logits, NOTHING, labels[0])
        expected = torch.stack([loss(run, NOTHING, labels[0]) for run in logits])
        torch.testing.assert_close(found["loss"], expected, rtol=1e-12, atol=0)
        assert found["accuracy"].shape == (4,)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("metrics", [losses.classification_metrics, losses.half_squared_error_metrics])
def test_outputs_that_are_not_finite_are_neither_right_nor_wrong(metrics, value):
    outputs = torch.zeros(2, 3, 4)  # of two runs, the second of which diverged in one example
    outputs[1, 2, 3] = value
    found = torch.vmap(metrics, in_dims=(0, None, None))(outputs, NOTHING, torch.tensor([0, 1, 3]))
    for name in ("accuracy", "error"):
        assert torch.isnan(found[name]).tolist() == [False, True]
    assert found["accuracy"][0].item() == pytest.approx(1 / 3)


def test_sums_that_are_not_finite_are_neither_right_nor_wrong():
    found = adding.metrics(torch.tensor([[math.nan], [0.5]]), NOTHING, torch.tensor([[0.5], [0.5]]))
    assert math.isnan(found["accuracy"])
    assert math.isnan(found["error"])
