"""The regression problem: split, coefficients and scaling."""

import torch

from seven_terms.spec import LinearRegression
from seven_terms.tasks import build_task
from seven_terms.tasks.linear_regression import draw_problem


def built(task):
    return build_task(task, dtype=torch.float64, device="cpu")


def test_half_trains_a_fifth_of_it_validates_and_half_tests():
    data = built(LinearRegression())
    sizes = {split: data.evaluation(split, [1, 2])[0].shape for split in ("train", "validation", "test")}
    assert sizes == {"train": (2, 400, 20), "validation": (2, 100, 20), "test": (2, 500, 20)}
    assert data.num_examples == 400
    assert data.evaluation("test", [1, 2])[1].shape == (2, 500, 1)


def test_targets_are_a_linear_function_of_the_informative_features_up_to_the_noise():
    features, targets = draw_problem(LinearRegression(), seed=1, num_train=400)
    fitted = torch.linalg.lstsq(features, targets).solution.flatten()
    informative = fitted.abs() > 1
    assert informative.sum() == 10
    assert not informative[:10].all()  # the features are shuffled
    assert fitted[informative].min() > 0
    assert fitted[informative].max() < 100
    residual = targets.flatten() - features @ fitted
    assert 0.08 < residual.std().item() < 0.12  # the noise of 0.1


def test_each_seed_draws_its_own_problem():
    features, targets = built(LinearRegression()).evaluation("train", [1, 2])
    assert not torch.equal(features[0], features[1])
    slopes = [torch.linalg.lstsq(features[seed], targets[seed]).solution for seed in range(2)]
    assert (slopes[0] - slopes[1]).abs().max() > 1


def test_standardizing_divides_targets_by_their_training_deviation():
    raw, scaled = (built(LinearRegression(standardize=choice)) for choice in (False, True))
    deviation = raw.evaluation("train", [4])[1].std(correction=0)
    torch.testing.assert_close(scaled.evaluation("test", [4])[1] * deviation, raw.evaluation("test", [4])[1])


def test_a_batch_holds_rows_of_the_training_split_with_their_targets():
    data = built(LinearRegression())
    features, targets = data.batches([1, 2], 390, 20)
    all_features, all_targets = data.batches([1, 2], 0, None)
    for seed in range(2):
        rows = (features[seed][:, None] == all_features[seed][None]).all(-1).nonzero()[:, 1]
        assert len(rows) == 20
        assert torch.equal(all_targets[seed][rows], targets[seed])
