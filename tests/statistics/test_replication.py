"""Two sets of seeds: their verdicts side by side, and pooled as one sample where a claim is estimated in the same way."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seven_terms.records.tables import CLAIMS, VERDICTS
from seven_terms.spec import Above
from seven_terms.statistics.families import judged
from seven_terms.statistics.intervals import student, student_log
from seven_terms.statistics.judges import judge, p_value
from seven_terms.statistics.replication import replication_of, second_samples, write_replication
from seven_terms.statistics.samples import heterogeneity, pooled, read_sample, sample_of

ONE, TWO = np.array([0.5, -0.2, 0.9, 0.4]), np.array([0.8, 0.3, 0.6, 0.1, 0.7])


def claims_of(values: np.ndarray, *, definition: str = "d", claim: str = "X1") -> pd.DataFrame:
    sample, interval = sample_of("mean", value=values), student(values)
    numbers = {"effect": interval.effect, "low": interval.low, "high": interval.high}
    row = dict.fromkeys(CLAIMS, "") | {"claim": claim, "term": "lr_schedule", "num_runs": 2 * len(values)} | numbers
    row |= {"num_seeds": len(values), "p_value": p_value(Above(0.0), interval), "rule_low": 0.0, "rule_high": math.inf}
    row |= {"verdict": judge(Above(0.0), interval), "definition": definition, "sample": sample.text()}
    row |= {"num_undefined": 0, "num_diverged": 0}
    return pd.DataFrame([row], columns=list(CLAIMS))


def judged_with(first: pd.DataFrame, second: pd.DataFrame, folder: Path) -> dict:
    write_replication(*(judged(claims, {}) for claims in (first, second)), folder / "r.csv")
    (row,) = judged(first, second_samples(folder / "r.csv")).to_dict("records")
    return row


def test_both_sets_of_seeds_decide_as_one_sample(tmp_path: Path) -> None:
    row = judged_with(claims_of(ONE), claims_of(TWO), tmp_path)
    expected = student(np.concatenate([ONE, TWO]))
    assert (row["effect"], row["low"], row["high"]) == pytest.approx((expected.effect, expected.low, expected.high))
    assert (row["verdict"], row["num_seeds"]) == ("supported", 9)
    assert judge(Above(0.0), student(ONE)) == "inconclusive"
    assert row["note"] == "pooled with a second set of 5 seeds"


def test_sets_that_differ_are_pooled_and_the_difference_is_told(tmp_path: Path) -> None:
    row = judged_with(claims_of(ONE), claims_of(TWO + 5.0), tmp_path)
    assert row["heterogeneity"] < 0.001
    assert "the two sets differ (p = " in row["note"]


def test_a_second_set_of_another_definition_says_nothing(tmp_path: Path) -> None:
    row = judged_with(claims_of(ONE), claims_of(TWO, definition="e"), tmp_path)
    assert (row["num_seeds"], row["verdict"], row["note"]) == (4, "inconclusive", "")
    assert second_samples(tmp_path / "none.csv") == {}


def test_agreement_is_told_claim_by_claim() -> None:
    first, second = (judged(claims_of(values), {}) for values in (ONE, TWO))
    (row,) = replication_of(first, second).to_dict("records")
    assert (row["first"], row["second"], row["agree"]) == ("inconclusive", "supported", False)
    assert row["effect"] == pytest.approx(TWO.mean())


def test_results_of_different_claims_are_refused() -> None:
    first, second = judged(claims_of(ONE), {}), judged(claims_of(TWO, claim="X2"), {})
    with pytest.raises(ValueError, match=r"the first results must judge every claim of the second, got \['X2'\]"):
        replication_of(first, second)


def test_a_claim_published_without_its_sample_keeps_its_words_unless_the_family_takes_them() -> None:
    claims = claims_of(TWO).assign(sample="", p_value=0.03)
    (row,) = judged(claims, {}).to_dict("records")
    assert (row["verdict"], row["p_holm"]) == ("supported", 0.03)
    more = pd.concat([claims, claims_of(TWO, claim="X2").assign(sample="", p_value=0.2)])
    first = judged(more, {}).to_dict("records")[0]
    assert (first["verdict"], first["note"]) == (
        "inconclusive",
        "supported alone, but p = 0.06 after Holm's correction over its family",
    )
    assert list(judged(claims, {}).columns) == list(VERDICTS)


def test_a_sample_is_read_as_it_was_written_and_pooled_seed_by_seed() -> None:
    sample = sample_of("geometric mean", up=True, value=np.array([1.0, 2.0]))
    assert read_sample(sample.text()) == sample
    assert read_sample(sample_of("median", value=np.array([1.0, math.nan])).text()).size == 2
    both = pooled(sample, sample_of("geometric mean", value=np.array([4.0])))
    assert both.columns == {"value": (1.0, 2.0, 4.0)}
    assert (both.up, both.interval().low) == (True, student_log(np.array([1.0, 2.0, 4.0])).low)
    assert read_sample("") is None


def test_heterogeneity_agrees_with_cochrans_q() -> None:
    first, second = student(np.linspace(0, 1, 30)), student(np.linspace(1, 3, 40))
    errors = [(one.high - one.low) / (2 * 1.959964) for one in (first, second)]
    weights = [error**-2 for error in errors]
    centre = (weights[0] * first.effect + weights[1] * second.effect) / sum(weights)
    q = sum(w * (one.effect - centre) ** 2 for w, one in zip(weights, (first, second), strict=True))
    assert heterogeneity(first, second, logarithmic=False) == pytest.approx(math.erfc(math.sqrt(q / 2)), rel=1e-5)
