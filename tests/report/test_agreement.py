"""A repetition is held against the published verdicts, claim by claim."""

import pandas as pd
import pytest

from seven_terms.cli.verbs import run
from seven_terms.report.agreement import FLIPPED, MOVED, SAME, WITHIN, outcome

from .fabricate import fabricate, set_verdict


def row(verdict: str, effect: float, low: float, high: float) -> pd.Series:
    return pd.Series({"verdict": verdict, "effect": effect, "low": low, "high": high})


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
