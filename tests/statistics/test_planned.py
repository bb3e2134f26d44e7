"""The table of seeds by power: what it says of a claim follows from its sample, its rule and the plan of scale full."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments import EXPERIMENTS
from seven_terms.records.tables import VERDICTS, check
from seven_terms.spec import Above, Rule, Within
from seven_terms.statistics import power_table
from seven_terms.statistics.planned import arms_of
from seven_terms.statistics.power import margin_and_spread, seeds_needed
from seven_terms.statistics.samples import Sample, sample_of

VALUES = np.array([0.2, 0.4, 0.1, 0.5, 0.3, 0.6])


def judged(claim: str, form: str, sample: Sample | None, rule: Rule) -> dict[str, object]:
    low, high = rule.limits
    needed = math.nan if sample is None else seeds_needed(sample, rule, num_tests=4.0)
    row = dict.fromkeys(VERDICTS, math.nan) | {"claim": claim, "form": form, "experiment": "a/b", "family": "primary"}
    row |= {"rule": "a rule", "verdict": "inconclusive", "rule_low": low, "rule_high": high, "num_tests": 4.0}
    return row | {"sample": "" if sample is None else sample.text(), "num_seeds": 6.0, "seeds_needed": needed}


def test_margin_and_spread_of_a_mean_are_the_distance_to_the_threshold_and_the_standard_deviation() -> None:
    sample = sample_of("mean", value=VALUES)
    assert margin_and_spread(sample, Above(0.1)) == pytest.approx((0.25, VALUES.std(ddof=1)))
    assert margin_and_spread(sample, Within(0.0, 0.4))[0] == pytest.approx(0.05)


def test_margin_and_spread_of_a_ratio_are_logarithmic() -> None:
    sample = sample_of("geometric mean", value=VALUES)
    margin, spread = margin_and_spread(sample, Above(1.0))
    assert margin == pytest.approx(abs(np.log(VALUES).mean()))
    assert spread == pytest.approx(np.log(VALUES).std(ddof=1))


def test_needed_seeds_follow_from_margin_and_spread() -> None:
    margin, spread = margin_and_spread(sample_of("mean", value=VALUES), Above(0.1))
    needed = int(seeds_needed(sample_of("mean", value=VALUES), Above(0.1), num_tests=4.0))
    reach = [
        (stats.t.isf(0.025 / 4, n - 1) + stats.t.isf(0.2, n - 1)) * spread / math.sqrt(n) for n in (needed - 1, needed)
    ]
    assert reach[1] <= margin < reach[0]


def at_full(key: str, arm: str = "") -> int:
    """Return the seeds that scale full gives an arm that a claim reads, or the experiment."""
    experiment = next(one for one in EXPERIMENTS if key in {claim.key for claim in one.claims}).at_scale("full")
    own = {one.name: one.num_seeds for one in experiment.arms}
    return own.get(arm) or experiment.num_seeds


def test_the_table_says_why_fewer_seeds_are_planned_than_needed() -> None:
    at_threshold = sample_of("mean", value=VALUES - VALUES.mean())
    rows = [
        judged("LR3", "", sample_of("mean", value=VALUES), Above(0.1)),
        judged("BN5", "", at_threshold, Above(0.0)),
        judged("SC2", "increase", at_threshold, Above(0.00002)),
        judged("LR1", "SGD", None, Above(0.0)),  # free of chance
    ]
    table = power_table(pd.DataFrame(rows), EXPERIMENTS)
    check(table, kind="power", where="here")
    assert list(table["claim"]) == ["LR3", "BN5", "SC2"]
    assert list(table["full_seeds"]) == [at_full("LR3", "plain"), at_full("BN5"), at_full("SC2 (increase)")]
    assert [reason.partition(",")[0] for reason in table["reason"]] == [
        "",
        "no number of seeds decides an effect at its threshold",
        "no number of seeds decides an effect at its threshold",
    ]


def test_every_claim_that_reads_runs_names_arms_of_its_experiment() -> None:
    for experiment in EXPERIMENTS:
        names = {arm.name for arm in experiment.arms}
        assert all(arms_of(claim) and arms_of(claim) <= names for claim in experiment.claims)
