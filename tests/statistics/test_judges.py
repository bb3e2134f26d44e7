"""Verdicts: each rule in each of its outcomes, p-values that agree, Holm by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seven_terms.spec import Above, Below, Rule, Within
from seven_terms.statistics.intervals import Interval, exact, student, unknown
from seven_terms.statistics.judges import holm, judge, p_value, rule_in_words, rule_of


@pytest.mark.parametrize(
    ("rule", "low", "high", "verdict"),
    [
        (Above(1.0), 1.1, 2.0, "supported"),
        (Above(1.0), 0.9, 2.0, "inconclusive"),
        (Above(1.0), 0.1, 0.9, "refuted"),
        (Above(1.0), 1.1, math.inf, "supported"),
        (Above(1.0), 0.0, 0.9, "refuted"),
        (Above(1.0), 0.0, 1.2, "inconclusive"),
        (Below(1.0), 0.1, 0.9, "supported"),
        (Below(1.0), 0.1, 1.1, "inconclusive"),
        (Below(1.0), 1.0, 1.1, "refuted"),
        (Below(1.0), -math.inf, math.inf, "inconclusive"),
        (Within(1.0, 2.0), 1.0, 2.0, "supported"),
        (Within(1.0, 2.0), 0.9, 1.5, "inconclusive"),
        (Within(1.0, 2.0), 0.5, 2.5, "inconclusive"),
        (Within(1.0, 2.0), 2.1, 2.5, "refuted"),
        (Within(1.0, 2.0), 0.1, 0.9, "refuted"),
        (Above(1.0), math.nan, math.nan, "inconclusive"),
    ],
)
def test_a_rule_needs_the_whole_interval(rule: Rule, low: float, high: float, verdict: str) -> None:
    assert judge(rule, Interval(effect=1.0, low=low, high=high)) == verdict


def test_a_condition_is_part_of_the_verdict_only_when_supported() -> None:
    condition = "for small rates"
    assert judge(Below(1.0), exact(0.5), condition=condition) == "conditional"
    assert judge(Below(1.0), exact(1.5), condition=condition) == "refuted"


rules = st.one_of(
    st.floats(-3, 3).map(Above),
    st.floats(-3, 3).map(Below),
    st.tuples(st.floats(-3, 3), st.floats(0.1, 3)).map(lambda pair: Within(pair[0], pair[0] + pair[1])),
)


@given(rules, st.lists(st.floats(-5, 5), min_size=3, max_size=6).filter(lambda values: np.std(values) > 1e-2))
def test_the_p_value_is_below_five_percent_exactly_when_the_verdict_decides(rule: Rule, values: list[float]) -> None:
    interval = student(np.array(values))
    p = p_value(rule, interval)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (judge(rule, interval) != "inconclusive")


def test_a_bound_has_no_evidence_on_its_open_side() -> None:
    interval = student(np.array([2.0, 2.1, 2.2])).opened(up=False, down=True)
    assert p_value(Above(1.0), interval) == 1.0
    assert p_value(Below(3.0), interval) < 0.05
    assert judge(Above(1.0), interval) == "inconclusive"


def test_what_has_no_p_value_stays_outside_the_family() -> None:
    assert math.isnan(p_value(Below(1.0), exact(0.5)))
    assert math.isnan(p_value(Below(1.0), unknown("")))


def test_holm_agrees_with_a_hand_computed_example() -> None:
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1 and never falling: 0.02, 0.03, 0.06, 0.06
    adjusted, tests = holm([0.01, 0.04, math.nan, 0.03, 0.005])
    assert adjusted == pytest.approx([0.03, 0.06, math.nan, 0.06, 0.02], nan_ok=True)
    assert tests == pytest.approx(
        [3, 2, math.nan, 2, 4], nan_ok=True
    )  # 0.03 is the first that fails: 0.04 fails with it
    assert holm([0.6, 0.7])[0] == pytest.approx([1.0, 1.0])
    assert len(holm([])[0]) == 0


@given(st.lists(st.floats(-1.0, 3.0), min_size=1, max_size=8), st.integers(0, 2**32 - 1))
def test_the_interval_at_its_level_in_the_family_decides_as_the_adjusted_p_value_does(
    means: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    intervals = [student(rng.normal(mean, 1.0, 6)) for mean in means]
    for rule in (Above(0.0), Within(-0.5, 2.5)):
        adjusted, tests = holm([p_value(rule, interval) for interval in intervals])
        for interval, p, number in zip(intervals, adjusted, tests, strict=True):
            assert (judge(rule, interval.at(0.025 / number)) != "inconclusive") == (p < 0.05)


def test_a_rule_is_known_by_its_limits() -> None:
    for rule in (Above(1.0), Below(-2.0), Within(0.0, 1.0)):
        assert rule_of(*rule.limits) == rule


def test_rules_are_spelt_out() -> None:
    assert [rule_in_words(rule) for rule in (Above(0.0), Below(0.01), Within(0.9, 1.1))] == [
        "above 0",
        "below 0.01",
        "within 0.9 to 1.1",
    ]
