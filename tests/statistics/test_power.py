"""Seeds that a claim needs: checked by drawing samples of that size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seven_terms.spec import Above, Below, Rule, Within
from seven_terms.statistics.judges import judge
from seven_terms.statistics.power import margin_and_spread, seeds_needed
from seven_terms.statistics.samples import sample_of


def standardized(size: int, *, mean: float, spread: float) -> np.ndarray:
    values = np.random.default_rng(1).normal(size=size)
    return mean + spread * (values - values.mean()) / values.std(ddof=1)


@pytest.mark.parametrize(
    ("rule", "verdict"), [(Above(0.6), "supported"), (Below(0.6), "refuted"), (Within(0.55, 3.0), "supported")]
)
@pytest.mark.parametrize("num_tests", [1, 20])
def test_four_of_five_samples_of_that_size_are_decided(rule: Rule, verdict: str, num_tests: int) -> None:
    sample = sample_of("mean", value=standardized(10, mean=1.0, spread=1.0))
    size, rng = int(seeds_needed(sample, rule, num_tests=num_tests)), np.random.default_rng(2)
    draws = [sample_of("mean", value=rng.normal(1.0, 1.0, size)).interval().at(0.025 / num_tests) for _ in range(1000)]
    decided = np.mean([judge(rule, interval) == verdict for interval in draws])
    assert decided == pytest.approx(0.8, abs=0.06)


def test_a_share_needs_about_what_a_binomial_sample_needs() -> None:
    sample = sample_of("share", successes=np.r_[np.ones(7), np.zeros(3)], trials=np.ones(10))
    size, rng = int(seeds_needed(sample, Above(0.5), num_tests=1)), np.random.default_rng(3)
    draws = [sample_of("share", successes=rng.binomial(1, 0.7, size), trials=np.ones(size)) for _ in range(1000)]
    assert np.mean([one.interval().low > 0.5 for one in draws]) == pytest.approx(0.8, abs=0.1)


def test_no_number_of_seeds_decides_an_effect_at_its_threshold_or_an_open_interval() -> None:
    values = standardized(6, mean=1.0, spread=0.5)
    assert seeds_needed(sample_of("mean", value=values), Above(values.mean()), num_tests=1) == math.inf
    assert seeds_needed(sample_of("mean", up=True, value=values), Below(2.0), num_tests=1) == math.inf
    assert math.isfinite(seeds_needed(sample_of("mean", up=True, value=values), Above(0.5), num_tests=1))
    assert seeds_needed(sample_of("mean", value=np.ones(5)), Above(0.0), num_tests=1) == math.inf


def between_rates(value: np.ndarray) -> dict[str, np.ndarray]:
    """Return ratios that are known up to a step of a grid, a factor of 1.5 on either side."""
    return {"value": value, "low": value / 1.5, "high": value * 1.5}


def test_what_grid_or_looks_leave_open_no_number_of_seeds_decides() -> None:
    sample = sample_of("geometric mean", **between_rates(np.exp(standardized(50, mean=math.log(3.0), spread=0.3))))
    assert seeds_needed(sample, Above(2.01), num_tests=1) == math.inf
    assert seeds_needed(sample, Below(4.4), num_tests=1) == math.inf
    size, rng = int(seeds_needed(sample, Above(1.9), num_tests=1)), np.random.default_rng(4)
    draws = [
        sample_of("geometric mean", **between_rates(np.exp(rng.normal(math.log(3.0), 0.3, size)))) for _ in range(500)
    ]
    assert np.mean([one.interval().low > 1.9 for one in draws]) == pytest.approx(0.8, abs=0.08)


def test_the_spread_of_a_seed_does_not_hold_the_width_of_the_grid() -> None:
    values = np.exp(standardized(50, mean=math.log(3.0), spread=0.3))
    alone, between = (
        margin_and_spread(sample_of("geometric mean", **columns), Above(1.0))
        for columns in ({"value": values}, between_rates(values))
    )
    assert alone == pytest.approx((math.log(3.0), 0.3))
    assert between == pytest.approx(alone)
