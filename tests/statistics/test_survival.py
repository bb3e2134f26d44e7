"""Kaplan-Meier against scipy and by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from seven_terms.statistics.survival import kaplan_meier


def test_the_curve_of_a_small_example_is_right() -> None:
    curve = kaplan_meier(np.array([1.0, 3.0, np.inf, 5.0]), np.array([10.0, 10.0, 4.0, 10.0]))
    assert curve["time"].tolist() == [0.0, 1.0, 3.0, 5.0, 10.0]
    assert curve["share"].tolist() == pytest.approx([1.0, 3 / 4, 1 / 2, 0.0, 0.0])


def test_the_curve_and_its_intervals_agree_with_scipy() -> None:
    rng = np.random.default_rng(3)
    times, budgets = rng.integers(1, 30, 40).astype(float), rng.integers(10, 30, 40).astype(float)
    times = np.where(times <= budgets, times, np.inf)
    seen = np.isfinite(times)
    expected = stats.ecdf(stats.CensoredData(uncensored=times[seen], right=budgets[~seen])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy divides by zero where the share is 1
        ends = expected.confidence_interval(method="log-log")
    curve = kaplan_meier(times, budgets).iloc[1:-1].query("share > 0")  # at 0 the variance is undefined
    assert curve["share"].to_numpy() == pytest.approx(expected.evaluate(curve["time"]))
    assert curve["low"].to_numpy() == pytest.approx(ends.low.evaluate(curve["time"]))
    assert curve["high"].to_numpy() == pytest.approx(ends.high.evaluate(curve["time"]))


def test_a_curve_without_events_stays_at_one_to_the_last_budget() -> None:
    curve = kaplan_meier(np.full(3, np.inf), np.array([10.0, 20.0, 20.0]))
    assert curve.iloc[-1].tolist() == [20.0, 1.0, 1.0, 1.0]


def test_when_all_have_arrived_the_upper_end_still_allows_for_chance() -> None:
    last = kaplan_meier(np.array([1.0, 2.0, 2.0, 3.0, 4.0]), np.full(5, 9.0)).iloc[-1]
    assert last["share"] == 0.0
    assert last["high"] == pytest.approx(0.434, abs=1e-3)  # Wilson, 0 of 5


def test_coverage_of_the_pointwise_interval() -> None:
    rng = np.random.default_rng(5)
    draws, covered = 2000, 0
    for _ in range(draws):
        events, budgets = rng.exponential(1.0, 40), rng.uniform(0.5, 3.0, 40)
        curve = kaplan_meier(np.where(events <= budgets, events, np.inf), budgets)
        at = curve[curve["time"] <= 0.7].iloc[-1]
        covered += at["low"] <= np.exp(-0.7) <= at["high"]
    assert covered / draws == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / draws))
