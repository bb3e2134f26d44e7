"""What the paper marks as written or changed after results is what experiments/CHANGES_AFTER_RESULTS.md lists."""

import re
from pathlib import Path

import yaml

from experiments import EXPERIMENTS
from seven_terms.report.facts import read_marks

ROOT = Path(__file__).parents[2]
CHANGES = (ROOT / "experiments" / "CHANGES_AFTER_RESULTS.md").read_text(encoding="utf-8")
CLAIMS = {claim.key for one in EXPERIMENTS for claim in one.claims}
IDENTIFIER = re.compile(r"\b(?:B-)?(?:LR|SC|DE|VG|EG|BN|GC)\d+\b")
MARKS = read_marks(ROOT / "paper")


def listed() -> set[str]:
    """Return the identifiers in the first column of the table of changed claims."""
    rows = [line.split("|")[1] for line in CHANGES.splitlines() if line.startswith("| ")]
    return {identifier for cell in rows for identifier in IDENTIFIER.findall(cell)}


def test_every_mark_is_of_a_claim():
    assert sorted(set(MARKS) - CLAIMS) == []


def test_every_marked_claim_is_in_the_list_of_changes():
    assert sorted({IDENTIFIER.match(key)[0] for key in MARKS} - listed()) == []  # pyright: ignore[reportOptionalSubscript]


def test_every_claim_in_the_list_of_changes_is_marked():
    assert sorted(listed() - {IDENTIFIER.match(key)[0] for key in MARKS}) == []  # pyright: ignore[reportOptionalSubscript]


def test_no_claim_is_marked_twice():
    record = yaml.safe_load((ROOT / "paper" / "after_results.yaml").read_text(encoding="utf-8"))
    keys = [key for some in record.values() for key in some]
    assert len(keys) == len(set(keys))
