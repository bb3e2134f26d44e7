"""Intervals: coverage over 2,000 draws within 4 standard errors, and p-values that turn where the interval ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seven_terms.statistics.intervals import Interval, newcombe, spearman, student, student_log, welch, wilson

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


@pytest.mark.parametrize(
    "draw", [draw_student, draw_student_log, draw_welch, draw_wilson, draw_newcombe, draw_spearman]
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


@pytest.mark.parametrize(
    "interval",
    [
        student(np.array([1.0, 2.0, 4.0])),
        student_log(np.array([1.0, 2.0, 4.0])),
        welch(np.array([1.0, 2.0, 4.0]), np.array([3.0, 1.0])),
        wilson(3, 10),
        newcombe((7, 10), (2, 12)),
        spearman(np.arange(9.0), np.array([2.0, 0, 1, 5, 3, 4, 8, 6, 7])),
    ],
)
def test_the_p_value_is_five_percent_where_the_interval_ends(interval: Interval) -> None:
    assert interval.above is not None
    assert interval.below is not None
    assert 2 * interval.above(interval.low) == pytest.approx(0.05, rel=1e-6)
    assert 2 * interval.below(interval.high) == pytest.approx(0.05, rel=1e-6)
    assert interval.above(interval.effect) == pytest.approx(interval.below(interval.effect), abs=1e-9)


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


def test_seeds_that_agree_exactly_have_no_width_and_no_p_value() -> None:
    interval = student(np.full(4, 0.1))
    assert interval.low == interval.high == pytest.approx(0.1)
    assert interval.above is None
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
    one, other = student_log(first / second), student_log((scale * first) / (scale * second))
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-9)
