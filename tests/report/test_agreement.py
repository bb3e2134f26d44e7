"""A repetition is held against the published verdicts, claim by claim."""

import math

import pandas as pd
import pytest

from seven_terms.cli.verbs import run
from seven_terms.report.agreement import FLIPPED, MOVED, SAME, WITHIN, outcome

from .fabricate import fabricate, set_verdict


def row(verdict: str, effect: float, low: float, high: float, *, below: float = math.inf) -> pd.Series:
    values = {"verdict": verdict, "effect": effect, "low": low, "high": high}
    return pd.Series(values | {"rule_low": -math.inf, "rule_high": below})


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (row("supported", 2.0, 1.5, 2.5), SAME),
        (row("conditional", 2.2, 1.7, 2.7), WITHIN),
        (row("supported", 2.6, 2.0, 3.0), MOVED),
        (row("inconclusive", 2.0, 0.5, 2.5), FLIPPED),
        (row("refuted", 2.0, 1.5, 2.5), FLIPPED),
    ],
)
def test_a_claim_has_the_same_bits_or_is_within_moved_or_flipped(ours, expected):
    assert outcome(ours, row("supported", 2.0, 1.5, 2.5)) == expected


@pytest.mark.parametrize(
    ("effect", "published", "below", "expected"),
    [
        (2.1e-15, 1.1e-15, 1e-12, WITHIN),  # an identity up to rounding, in another order of its sums
        (1.09e-6, 1.0e-6, 1e-5, WITHIN),  # one in single precision
        (2e-7, 1.0e-6, 1e-5, MOVED),  # five times off, which is no rounding
        (0.9092, 0.9091, 1.0, WITHIN),
        (0.92, 0.9091, 1.0, MOVED),  # a number of a formula, an eighth of the way to its rule
        (1.98019803, 1.98019802, math.inf, MOVED),  # a rule without an end gives no room
    ],
)
def test_an_effect_without_an_interval_may_be_off_by_what_is_nothing_to_its_rule(effect, published, below, expected):
    ours = row("supported", effect, effect, effect, below=below)
    assert outcome(ours, row("supported", published, published, published, below=below)) == expected


def test_the_exit_status_says_whether_all_claims_repeat(tmp_path, capsys):
    ours, published = fabricate(tmp_path / "laptop"), fabricate(tmp_path / "published")
    arguments = ["agree", "--results", str(ours), "--other", str(published)]
    assert run(arguments) == 0
    set_verdict(ours, "GC2", verdict="refuted", effect=-0.4, low=-0.6, high=-0.2)
    set_verdict(published, "GC2", verdict="supported", effect=0.4, low=0.2, high=0.6)
    assert run(arguments) == 1
    told = capsys.readouterr().out
    assert "flipped              GC2" in told
    assert " 1 flipped." in told
