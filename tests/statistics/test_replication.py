"""A verdict that other seeds do not repeat is not reported as decided."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from seven_terms.statistics.replication import hold_to_replication, replication_of, write_replication


def table_of(**verdicts: str) -> pd.DataFrame:
    return pd.DataFrame(
        [{"claim": key, "form": "", "verdict": verdict, "note": ""} for key, verdict in verdicts.items()]
    )


FIRST = table_of(A1="supported", A2="supported", A3="inconclusive", A4="refuted")
SECOND = table_of(A1="supported", A2="refuted", A3="inconclusive", A4="inconclusive")


def test_agreement_is_counted_claim_by_claim() -> None:
    table = replication_of(FIRST, SECOND).set_index("claim")
    assert table["agree"].to_dict() == {"A1": True, "A2": False, "A3": True, "A4": False}


def test_results_of_different_claims_are_refused() -> None:
    with pytest.raises(ValueError, match=r"both results must judge the same claims, got \['A4'\]"):
        replication_of(FIRST, SECOND[:3])


def test_changed_verdicts_become_inconclusive_with_a_note(tmp_path: Path) -> None:
    write_replication(FIRST, SECOND, tmp_path / "r.csv")
    held = hold_to_replication(FIRST, tmp_path / "r.csv").set_index("claim")
    assert held["verdict"].to_dict() == {
        "A1": "supported",
        "A2": "inconclusive",
        "A3": "inconclusive",
        "A4": "inconclusive",
    }
    assert held.loc["A2", "note"] == "supported with these seeds, refuted with a second set"


def test_a_replication_of_other_first_verdicts_says_nothing(tmp_path: Path) -> None:
    write_replication(FIRST, SECOND, tmp_path / "r.csv")
    now = table_of(A1="supported", A2="refuted", A3="inconclusive", A4="refuted")
    assert hold_to_replication(now, tmp_path / "r.csv").set_index("claim").loc["A2", "verdict"] == "refuted"


def test_without_a_replication_verdicts_stay(tmp_path: Path) -> None:
    assert hold_to_replication(FIRST, tmp_path / "none.csv").equals(FIRST)
