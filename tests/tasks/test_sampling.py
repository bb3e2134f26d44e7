"""Every sampler is a function of (seed, position, size) alone, whatever the task."""

import pytest
import torch

from seven_terms.spec import (
    Adding,
    Digits,
    GaussianInputs,
    LinearMemory,
    LinearRegression,
    NoisyQuadraticMoments,
    OneUnitRecurrence,
    PowerFunction,
    Quadratic,
    TemporalOrder,
)
from seven_terms.tasks import build_task
from seven_terms.tasks.data import ExampleOrder, FreshExamples, generator

CPU = torch.device("cpu")
SAMPLED = {
    "digits": Digits(resolution=7),
    "temporal_order": TemporalOrder(length=20),
    "adding": Adding(length=10),
    "quadratic": Quadratic(dimension=3, noise_scale=1.0),
    "regression": LinearRegression(),
    "gaussian": GaussianInputs(num_features=5),
    "gaussian_sequences": GaussianInputs(num_features=5, length=4),
}
WITHOUT_DATA = (Quadratic(), NoisyQuadraticMoments(), PowerFunction(), OneUnitRecurrence(), LinearMemory())


def built(task, dtype=torch.float64):
    return build_task(task, dtype=dtype, device="cpu")


def equal(first, second):
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("task", SAMPLED.values(), ids=SAMPLED)
def test_a_batch_depends_on_seed_position_and_size_alone(task):
    data = built(task)
    first = data.batches([3, 5], 1020, 16)
    for position in range(0, 5000, 500):
        data.batches([5, 9], position, 16)
    assert equal(first, data.batches([3, 5], 1020, 16))
    assert equal(first, built(task).batches([3, 5], 1020, 16))
    assert not equal(first, data.batches([3, 5], 1036, 16))


@pytest.mark.parametrize("task", SAMPLED.values(), ids=SAMPLED)
def test_a_seed_s_batches_do_not_depend_on_the_other_seeds(task):
    data = built(task)
    for position in (0, 1020):
        alone = data.batches([5], position, 16)
        among = data.batches([3, 5, 9], position, 16)
        assert equal(alone, tuple(tensor[1:2] for tensor in among))
        assert not torch.equal(among[0][0], among[0][1])


@pytest.mark.parametrize("task", SAMPLED.values(), ids=SAMPLED)
def test_batches_are_contiguous_and_have_the_shape_that_is_announced(task):
    data = built(task)
    for position in (0, 1020):
        batch = data.batches([3, 5], position, 16)
        assert all(tensor.is_contiguous() for tensor in batch)
        if not isinstance(task, Quadratic):
            assert batch[0].shape == (2, 16, *data.input_shape)
    assert batch[0].dtype == torch.float64
    assert built(task, torch.float32).batches([3], 0, 16)[0].dtype == torch.float32


@pytest.mark.parametrize("name", ["temporal_order", "adding", "gaussian"])
def test_a_stream_s_examples_do_not_depend_on_how_it_is_cut_into_batches(name):
    data = built(SAMPLED[name])
    whole = data.batches([1, 2], 100, 3000)
    parts = [data.batches([1, 2], position, 500) for position in range(100, 3100, 500)]
    assert equal(whole, tuple(torch.cat(tensors, dim=1) for tensors in zip(*parts, strict=True)))
    assert len(whole[0][0].flatten(1).unique(dim=0)) == 3000


@pytest.mark.parametrize("name", ["temporal_order", "adding", "gaussian"])
def test_a_task_whose_examples_never_end_refuses_a_full_batch(name):
    with pytest.raises(ValueError, match=r"batch_size must be a number because its examples never end, got None; set"):
        built(SAMPLED[name]).batches([1], 0, None)


@pytest.mark.parametrize("task", SAMPLED.values(), ids=SAMPLED)
def test_precision_changes_rounding_and_not_what_is_drawn(task):
    double, single = (built(task, dtype).batches([3], 1020, 16) for dtype in (torch.float64, torch.float32))
    for a, b in zip(double, single, strict=True):
        torch.testing.assert_close(a.to(b.dtype), b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("task", SAMPLED.values(), ids=SAMPLED)
def test_evaluation_is_fixed_and_its_splits_differ(task):
    data = built(task)
    splits = {split: data.evaluation(split, [3, 5]) for split in ("train", "validation", "test")}
    again = built(task)
    for split, tensors in splits.items():
        assert equal(tensors, again.evaluation(split, [3, 5]))
        assert tensors[0].shape[0] in (1, 2)
    if not isinstance(task, Quadratic):
        assert not equal(splits["validation"], splits["test"])


@pytest.mark.parametrize("task", WITHOUT_DATA, ids=lambda task: type(task).__name__)
def test_a_task_without_examples_still_has_batches_of_zeros_for_each_seed(task):
    data = built(task)
    (batch,) = data.batches([1, 2, 3], 17, None)
    (evaluated,) = data.evaluation("test", [1, 2, 3])
    assert batch.shape[0] == 3
    assert evaluated.shape == (1, 1)
    assert not batch.any()
    assert data.num_examples is None


def test_an_order_covers_each_example_once_per_epoch_across_borders():
    order = ExampleOrder(10, device=CPU)
    stream = torch.cat([order.indices([4, 7], position, 7) for position in range(0, 70, 7)], dim=1)
    assert stream.shape == (2, 70)
    for seed_stream in stream:
        for epoch in seed_stream.view(7, 10):
            assert sorted(epoch.tolist()) == list(range(10))
    assert not torch.equal(stream[:, :10], stream[:, 10:20])
    assert torch.equal(order.indices([4, 7], 3, 40), stream[:, 3:43])  # one batch over five epochs


def test_an_order_is_the_permutation_of_its_own_generator():
    order = ExampleOrder(50, device=CPU)
    expected = torch.randperm(50, generator=generator(4, "order", 2))
    assert torch.equal(order.indices([9, 4], 100, 50)[1], expected)


def test_a_block_is_drawn_once_and_not_at_every_step():
    num_draws = 0

    def draw(random, num):
        nonlocal num_draws
        num_draws += 1
        return (torch.rand(num, 1, generator=random),)

    stream = FreshExamples(draw, values_per_example=64, device=CPU)
    for position in range(0, 1024, 16):
        stream.take([1, 2], position, 16)
    assert num_draws == 2
