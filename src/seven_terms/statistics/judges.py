"""Interval + rule -> verdict, its p-value, and Holm's correction over a family of claims."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..spec import VERDICTS, Above, Below, Rule, Verdict, Within
from .intervals import Interval

SUPPORTED, CONDITIONAL, REFUTED, INCONCLUSIVE = VERDICTS
SIGNIFICANCE = 0.05


def judge(rule: Rule, interval: Interval, *, condition: str = "") -> Verdict:
    """Return `supported` when the whole interval satisfies the rule, `conditional` where that holds under a condition,

    and `refuted` when none of it does.
    """
    low, high = interval.low, interval.high
    if math.isnan(low) or math.isnan(high):
        return INCONCLUSIVE
    least, most = rule.limits
    if math.isinf(most):
        satisfied, violated = low > least, high <= least
    elif math.isinf(least):
        satisfied, violated = high < most, low >= most
    else:
        satisfied, violated = low >= least and high <= most, high < least or low > most
    if satisfied:
        return CONDITIONAL if condition else SUPPORTED
    return REFUTED if violated else INCONCLUSIVE


def p_value(rule: Rule, interval: Interval) -> float:
    """Return the two-sided p-value that is below 5 % exactly when the verdict is not inconclusive; NaN without one.

    Between two limits: two one-sided tests towards `supported` when the effect lies inside (Schuirmann 1987), a test of the
    nearer limit towards `refuted` when it lies outside.
    """
    above, below = interval.above, interval.below
    if above is None or below is None:
        return math.nan
    least, most = rule.limits
    if math.isinf(least) or math.isinf(most):
        threshold = most if math.isinf(least) else least
        tail = min(above(threshold), below(threshold))
    elif least <= interval.effect <= most:
        tail = max(above(least), below(most))
    else:
        tail = above(most) if interval.effect > most else below(least)
    return min(1.0, 2.0 * tail)


def holm(p_values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return Holm's adjusted p-values (Holm 1979), and how many tests each was corrected for; NaN stays out of the family.

    A claim that is decided is corrected for those with no smaller p-value, the others for as many as the first that is not:
    the interval at 5 % over that number decides as the adjusted p-value does.
    """
    p = np.asarray(p_values, dtype=float)
    adjusted, tests = np.full(len(p), np.nan), np.full(len(p), np.nan)
    order = [i for i in np.argsort(p, kind="stable") if not np.isnan(p[i])]
    largest, number = 0.0, len(order)
    for rank, i in enumerate(order):
        number = number if largest > SIGNIFICANCE else len(order) - rank
        largest = max(largest, min(1.0, (len(order) - rank) * p[i]))
        adjusted[i], tests[i] = largest, number
    return adjusted, tests


def rule_of(low: float, high: float) -> Rule:
    """Return the rule that supports a claim between two numbers, one of which may be infinite."""
    if math.isinf(high):
        return Above(low)
    return Below(high) if math.isinf(low) else Within(low, high)


def rule_in_words(rule: Rule) -> str:
    least, most = rule.limits
    if math.isinf(most):
        return f"above {least:g}"
    return f"below {most:g}" if math.isinf(least) else f"within {least:g} to {most:g}"
