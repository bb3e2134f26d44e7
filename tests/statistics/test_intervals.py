"""Intervals: coverage over 2,000 draws within 4 standard errors, and p-values that turn where the interval ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seven_terms.statistics.intervals import (
    Interval,
    largest_mean,
    median,
    newcombe,
    ratio_of_means,
    share,
    share_difference,
    spearman,
    student,
    student_log,
    welch,
    wilson,
)

DRAWS = 2000
TOLERANCE = 4 * math.sqrt(0.95 * 0.05 / DRAWS)


def draw_student(rng: np.random.Generator) -> tuple[Interval, float]:
    return student(rng.normal(2.0, 3.0, 5)), 2.0


def draw_student_log(rng: np.random.Generator) -> tuple[Interval, float]:
    return student_log(np.exp(rng.normal(1.0, 0.5, 5))), math.e


def draw_welch(rng: np.random.Generator) -> tuple[Interval, float]:
    return welch(rng.normal(1.0, 1.0, 8), rng.normal(0.0, 2.0, 8)), 1.0


def draw_wilson(rng: np.random.Generator) -> tuple[Interval, float]:
    share = rng.uniform(0.02, 0.98)
    return wilson(rng.binomial(20, share), 20), share


def draw_newcombe(rng: np.random.Generator) -> tuple[Interval, float]:
    first, second = rng.uniform(0.02, 0.98, 2)
    return newcombe((rng.binomial(20, first), 20), (rng.binomial(20, second), 20)), first - second


def draw_spearman(rng: np.random.Generator) -> tuple[Interval, float]:
    x, y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 30).T
    return spearman(x, y), 6 / math.pi * math.asin(0.3)  # Pearson 1907: rank correlation of a normal pair


def rounded_up(times: np.ndarray, budget: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (last look before, look that found it) of times watched every 8 steps up to a budget."""
    looks = np.ceil(times / 8.0) * 8.0
    return np.minimum(looks - 8.0, budget), np.minimum(looks, budget)


def draw_median(rng: np.random.Generator) -> tuple[Interval, float]:
    return median(rng.exponential(1.0, 30)), math.log(2.0)


def draw_share(rng: np.random.Generator) -> tuple[Interval, float]:
    of_seed = rng.beta(2.0, 2.0, 24)  # runs of a seed are alike
    return share(rng.binomial(10, of_seed), np.full(24, 10)), 0.5


def draw_share_difference(rng: np.random.Generator) -> tuple[Interval, float]:
    first, second = rng.beta(4.0, 2.0, 24), rng.beta(2.0, 2.0, 24)
    trials = np.full(24, 10)
    return share_difference(rng.binomial(10, first), trials, rng.binomial(10, second), trials), 2 / 3 - 1 / 2


@pytest.mark.parametrize(
    "draw",
    [
        draw_student,
        draw_student_log,
        draw_welch,
        draw_wilson,
        draw_newcombe,
        draw_spearman,
        draw_share,
        draw_share_difference,
    ],
)
def test_an_interval_covers_the_truth_in_95_percent_of_draws(
    draw: Callable[[np.random.Generator], tuple[Interval, float]],
) -> None:
    rng = np.random.default_rng(20)
    covered = 0
    for _ in range(DRAWS):
        interval, truth = draw(rng)
        covered += interval.low <= truth <= interval.high
    assert covered / DRAWS == pytest.approx(0.95, abs=TOLERANCE)


@pytest.mark.parametrize("looks", [False, True])
def test_the_ratio_of_mean_times_covers_the_truth_and_more_where_looks_are_apart(looks: bool) -> None:
    rng = np.random.default_rng(4)
    budget, covered = 60.0, 0
    truth = 30.0 * (1 - math.exp(-budget / 30.0)) / (20.0 * (1 - math.exp(-budget / 20.0)))  # restricted means
    for _ in range(DRAWS):
        first, second = rng.exponential(30.0, 40), rng.exponential(20.0, 40)
        if looks:
            interval = ratio_of_means(*rounded_up(first, budget), *rounded_up(second, budget))
        else:
            one, two = np.minimum(first, budget), np.minimum(second, budget)
            interval = ratio_of_means(one, one, two, two)
        covered += interval.low <= truth <= interval.high
    assert covered / DRAWS > 0.95 - TOLERANCE
    assert looks or covered / DRAWS < 0.95 + TOLERANCE


def test_the_median_covers_the_truth_at_least_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    covered = sum(
        interval.low <= truth <= interval.high for interval, truth in (draw_median(rng) for _ in range(DRAWS))
    )
    assert 0.95 - TOLERANCE < covered / DRAWS < 0.98  # the levels of order statistics are steps: 95.7 % here


@pytest.mark.parametrize(
    "truth",
    [(0.5, 0.1, -0.2, 0.0), (-0.5, 0.5, 0.5, 0.5), (0.0, 0.0, 0.0, 0.0), (0.4,)],
    ids=["one is worst", "all alike", "all zero", "a single one"],
)
def test_the_largest_mean_covers_the_truth_at_least_as_often_as_it_says(truth: tuple[float, ...]) -> None:
    rng = np.random.default_rng(8)
    largest = max(abs(mean) for mean in truth)
    draws = [[rng.normal(mean, 0.3, 6) for mean in truth] for _ in range(DRAWS)]
    intervals = [largest_mean(**{f"cell_{i}": values for i, values in enumerate(draw)}) for draw in draws]
    short = sum(interval.high < largest for interval in intervals) / DRAWS
    beyond = sum(interval.low > largest for interval in intervals) / DRAWS
    assert max(short, beyond) < 0.025 + TOLERANCE
    assert short + beyond < 0.05 + TOLERANCE


def test_the_largest_mean_is_below_a_number_when_each_is_and_above_it_when_one_is_by_more_than_chance() -> None:
    one, two = np.array([0.3, 0.5, 0.4, 0.6]), np.array([-0.4, -0.5, -0.2, -0.3])
    found, alone = largest_mean(one=one, two=two), student(one)
    assert found.effect == pytest.approx(0.45)
    assert found.high == pytest.approx(alone.high)  # no correction: one of them is the largest
    assert found.low < alone.low
    assert 2 * found.below(found.high) == pytest.approx(0.05)
    assert 2 * found.above(found.low) == pytest.approx(0.05)
    narrow = found.at(0.1)
    assert (found.below(narrow.high), found.above(narrow.low)) == pytest.approx((0.1, 0.1))
    assert (found.above(-1.0), found.below(-1.0)) == (0.0, 1.0)
    assert largest_mean(two=-two).low == largest_mean(two=two).low


def test_the_largest_of_means_without_spread_or_of_one_seed_decides_nothing() -> None:
    assert largest_mean(one=np.array([0.3, 0.3]), two=np.array([0.1, 0.2])).below(9.0) == 1.0
    single = largest_mean(one=np.array([-0.3]))
    assert single.effect == pytest.approx(0.3)
    assert math.isnan(single.high)
    assert math.isnan(largest_mean(one=np.array([math.nan, 1.0])).effect)


def test_a_median_is_that_of_the_sign_test_and_bears_a_seed_without_a_value() -> None:
    values = np.array([0.98, 0.95, 1.0, 0.96, 0.97, 0.99, 0.955, 0.965, 0.975, math.nan])
    found = median(values)
    assert (found.low, found.high) == (0.95, 1.0)  # second of ten from either end, the lost one being anywhere
    expected = stats.binomtest(9, 10, 0.5, alternative="greater").pvalue
    assert found.above(0.9) == pytest.approx(expected)
    assert median(values[:5]).low == -math.inf


def test_clustered_runs_of_one_mind_count_as_one_run_a_seed() -> None:
    alike, alone = share(np.array([16, 16, 0, 16, 0, 16]), np.full(6, 16)), wilson(4, 6)
    assert alike.effect == pytest.approx(alone.effect)
    assert alike.high - alike.low > alone.high - alone.low
    certain = share(np.full(5, 3), np.full(5, 3))
    assert (certain.low, certain.high) == pytest.approx((wilson(5, 5).low, 1.0))


def test_seeds_on_one_look_decide_only_what_the_looks_resolve() -> None:
    looks = {"first_low": np.full(5, 80.0), "first_high": np.full(5, 100.0)}
    same = ratio_of_means(**looks, second_low=np.full(5, 80.0), second_high=np.full(5, 100.0))
    assert same.low < 0.8
    assert same.high > 1.25
    much = ratio_of_means(**looks, second_low=np.full(5, 8.0), second_high=np.full(5, 10.0))
    assert 6.0 < much.low < 8.0
    assert same.above(1.0) > 0.5


@pytest.mark.parametrize(
    "interval",
    [
        student(np.array([1.0, 2.0, 4.0])),
        student_log(np.array([1.0, 2.0, 4.0])),
        welch(np.array([1.0, 2.0, 4.0]), np.array([3.0, 1.0])),
        wilson(3, 10),
        newcombe((7, 10), (2, 12)),
        spearman(np.arange(9.0), np.array([2.0, 0, 1, 5, 3, 4, 8, 6, 7])),
        share(np.array([3, 9, 5]), np.full(3, 10)),
        share_difference(np.array([3, 9, 5]), np.full(3, 10), np.array([1, 2]), np.full(2, 10)),
        ratio_of_means(*np.array([[1.0, 2, 4], [1.0, 2, 4], [3.0, 1, 2], [3.0, 1, 2]])),
    ],
)
def test_the_p_value_is_five_percent_where_the_interval_ends(interval: Interval) -> None:
    assert interval.above is not None
    assert interval.below is not None
    assert 2 * interval.above(interval.low) == pytest.approx(0.05, rel=1e-6)
    assert 2 * interval.below(interval.high) == pytest.approx(0.05, rel=1e-6)
    assert interval.above(interval.effect) == pytest.approx(interval.below(interval.effect), abs=1e-9)
    narrow = interval.at(0.1)
    assert interval.above(narrow.low) == pytest.approx(0.1, rel=1e-6)
    assert interval.below(narrow.high) == pytest.approx(0.1, rel=1e-6)
    assert interval.opened(up=True, down=False).at(0.1).high == math.inf


def test_student_agrees_with_scipy() -> None:
    values = np.array([0.3, 1.9, -0.2, 2.2, 0.8])
    expected = stats.ttest_1samp(values, 0.0)
    assert (student(values).low, student(values).high) == pytest.approx(tuple(expected.confidence_interval()))
    assert 2 * student(values).above(0.0) == pytest.approx(expected.pvalue)


def test_wilson_and_newcombe_give_published_values() -> None:
    # Newcombe 1998: 81/263 has [0.2553, 0.3662]; 56/70 - 48/80 has [0.0524, 0.3339] by method 10.
    assert (wilson(81, 263).low, wilson(81, 263).high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    difference = newcombe((56, 70), (48, 80))
    assert (difference.low, difference.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert (wilson(5, 5).low, wilson(5, 5).high) == pytest.approx((0.57, 1.0), abs=5e-3)


def test_welch_agrees_with_scipy() -> None:
    first, second = np.array([1.0, 2.0, 4.0, 3.5]), np.array([3.0, 1.0, 0.5])
    expected = stats.ttest_ind(first, second, equal_var=False)
    assert 2 * welch(first, second).above(0.0) == pytest.approx(expected.pvalue)
    assert welch(first, second).low == pytest.approx(expected.confidence_interval().low)


def test_one_seed_has_an_effect_but_no_interval() -> None:
    interval = student(np.array([3.0]))
    assert interval.effect == 3.0
    assert math.isnan(interval.low)
    assert math.isnan(student_log(np.array([3.0])).low)
    assert interval.above is None
    assert "one seed" in interval.note


def test_seeds_that_agree_exactly_decide_nothing_and_stay_in_the_family() -> None:
    interval = student(np.full(4, 0.1))
    assert interval.effect == pytest.approx(0.1)
    assert (interval.low, interval.high) == (-math.inf, math.inf)
    assert interval.above is not None
    assert interval.above(0.0) == 1.0
    assert "all 4 seeds agree" in interval.note


def test_perfect_order_is_not_certainty() -> None:
    interval = spearman(np.arange(8.0), np.arange(8.0))
    assert interval.effect == pytest.approx(1.0)
    assert 0.8 < interval.low < interval.high < 1.0


numbers = st.lists(st.floats(-100, 100, allow_nan=False), min_size=3, max_size=8).filter(
    lambda values: np.std(values) > 1e-3
)


@given(numbers)
def test_swapping_the_arms_flips_the_interval(values: list[float]) -> None:
    there, back = student(np.array(values)), student(-np.array(values))
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), rel=1e-9, abs=1e-9)


@given(numbers, st.floats(0.01, 100))
def test_a_ratio_does_not_depend_on_the_unit(values: list[float], scale: float) -> None:
    first, second = np.exp(np.array(values) / 50), np.exp(-np.array(values) / 70)
    one = ratio_of_means(first, first, second, second)
    other = ratio_of_means(scale * first, scale * first, scale * second, scale * second)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-9)
    assert student_log(scale * first).low == pytest.approx(scale * student_log(first).low, rel=1e-9)
