"""Temporal order and adding: positions, classes and answers by hand."""

import pytest
import torch

from seven_terms.spec import Adding, GaussianInputs, TemporalOrder
from seven_terms.tasks import build_task
from seven_terms.tasks.adding import draw_sequences as draw_additions
from seven_terms.tasks.data import generator
from seven_terms.tasks.temporal_order import draw_sequences

NUM = 8000
NOTHING = torch.zeros(1)


def built(task):
    return build_task(task, dtype=torch.float64, device="cpu")


@pytest.mark.parametrize("length", [10, 25, 30, 200])
def test_the_two_symbols_stand_where_the_authors_code_puts_them(length):
    symbols, _ = draw_sequences(generator(0, "order"), NUM, length=length)
    relevant = symbols < 2
    assert (relevant.sum(1) == 2).all()
    _, steps = relevant.nonzero(as_tuple=True)
    first, second = steps.view(NUM, 2).T
    tenth = length // 10
    assert set(first.tolist()) == set(range(tenth, 2 * tenth))
    assert set(second.tolist()) == set(range(length // 2, length // 2 + tenth))


def test_the_class_names_both_symbols_and_their_order():
    symbols, labels = draw_sequences(generator(0, "order"), NUM, length=30)
    first_second = symbols[symbols < 2].view(NUM, 2)
    assert torch.equal(labels, first_second[:, 0] + 2 * first_second[:, 1].long())


def test_classes_and_distractors_are_balanced():
    symbols, labels = draw_sequences(generator(0, "order"), NUM, length=30)
    shares = labels.bincount(minlength=4) / NUM
    assert (shares - 1 / 4).abs().max() < 5 * (0.25 * 0.75 / NUM) ** 0.5  # five standard errors
    counts = symbols.flatten().bincount(minlength=6)[2:]
    assert (counts / counts.sum() - 1 / 4).abs().max() < 5 * (0.25 * 0.75 / (28 * NUM)) ** 0.5


def test_inputs_are_one_hot():
    inputs, labels = built(TemporalOrder(length=30)).batches([1, 2], 40, 20)
    assert inputs.shape == (2, 20, 30, 6)
    assert labels.shape == (2, 20)
    assert torch.equal(inputs.sum(-1), torch.ones(2, 20, 30, dtype=torch.float64))
    assert set(inputs.unique().tolist()) == {0.0, 1.0}


def test_evaluation_sequences_are_the_same_for_all_seeds():
    data = built(TemporalOrder(length=20, num_evaluated=50))
    inputs, labels = data.evaluation("test", [1, 2])
    assert inputs.shape == (1, 50, 20, 6)
    assert torch.equal(inputs, data.evaluation("test", [7])[0])
    assert set(data.metrics(torch.zeros(50, 4), inputs[0], labels[0])) == {"loss", "error", "accuracy"}


def test_one_number_of_each_half_is_marked_and_their_sum_is_the_answer():
    inputs, targets = draw_additions(generator(0, "order"), NUM, length=11)
    numbers, marks = inputs.unbind(-1)
    assert (marks[:, :5].sum(1) == 1).all()
    assert (marks[:, 5:].sum(1) == 1).all()
    assert (marks.mean(0) > 0).all()  # every position is marked at times
    assert torch.equal((numbers * marks).sum(1, keepdim=True), targets)
    assert numbers.min() >= 0
    assert numbers.max() < 1


def test_always_answering_one_has_a_squared_error_of_a_sixth():
    _, targets = draw_additions(generator(0, "order"), 50_000, length=10)
    squared = (targets - 1).square()
    standard_error = (squared.std() / 50_000**0.5).item()
    assert squared.mean().item() == pytest.approx(1 / 6, abs=4 * standard_error)


def test_an_answer_is_wrong_when_it_is_off_by_the_tolerance():
    targets = torch.zeros(4, 1, dtype=torch.float64)
    outputs = torch.tensor([[0.079], [-0.081], [0.5], [-7.0]], dtype=torch.float64)
    found = built(Adding(length=10)).metrics(outputs, NOTHING, targets)
    assert found["error"].item() == 0.75
    assert found["accuracy"].item() == 0.25


def test_gaussian_inputs_are_standard_normal_with_uniform_labels():
    inputs, labels = built(GaussianInputs(num_features=20, num_classes=5)).batches([1], 0, 5000)
    assert inputs.mean().abs().item() < 4 / 100_000**0.5
    assert inputs.var().item() == pytest.approx(1, abs=4 * (2 / 100_000) ** 0.5)
    assert (labels.flatten().bincount(minlength=5) / 5000 - 0.2).abs().max() < 5 * (0.16 / 5000) ** 0.5


def test_gaussian_evaluation_examples_differ_by_seed():
    inputs, labels = built(GaussianInputs(num_features=20, length=3)).evaluation("test", [1, 2])
    assert inputs.shape == (2, 32, 3, 20)
    assert labels.shape == (2, 32)
    assert not torch.equal(inputs[0], inputs[1])
