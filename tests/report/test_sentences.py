"""A hand-written sentence that its verdict contradicts stops the build."""

from pathlib import Path

import pandas as pd
import pytest

from experiments import EXPERIMENTS
from seven_terms.report.sentences import check_sentences, find_uses

PAPER = Path(__file__).parents[2] / "paper"
KNOWN = {claim.key for experiment in EXPERIMENTS for claim in experiment.claims}
VERDICTS = pd.DataFrame(
    {
        "verdict": ["inconclusive", "conditional"],
        "low": [-0.31, 1.2],
        "high": [0.12, 1.9],
    },
    index=["BN1 (fair)", "GC2"],
)


def check(folder: Path, text: str, *, strict: bool = True) -> None:
    path = folder / "paper" / "sections" / "batch_norm.tex"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    check_sentences([path], verdicts=VERDICTS, root=folder / "paper", strict=strict)


def test_a_sentence_that_contradicts_its_verdict_is_refused(tmp_path):
    with pytest.raises(ValueError) as caught:
        check(tmp_path, r"It helps. \claimsays{BN1 (fair)}{supported}{It is {\em faster}.}")
    assert str(caught.value) == (
        "claim BN1 (fair) says 'supported' but its verdict is 'inconclusive' (interval [-0.31, 0.12]); "
        "change the sentence in paper/sections/batch_norm.tex."
    )


@pytest.mark.parametrize(
    "text",
    [
        r"\claimsays{BN1 (fair)}{inconclusive}{We do not know.}",
        r"\claimsays{GC2}{supported}{Under its condition it holds.}",
        r"\claimsays{LR9}{refuted}{This scale does not have it.}",
        r"% \claimsays{GC2}{refuted}{a comment}",
    ],
)
def test_sentences_that_agree_or_are_not_printed_pass(tmp_path, text):
    check(tmp_path, text)


def test_at_scale_smoke_sentences_are_not_held_against_their_verdicts(tmp_path):
    check(tmp_path, r"\claimsays{BN1 (fair)}{supported}{x}", strict=False)


def test_a_sentence_across_lines_and_inside_another_is_found(tmp_path):
    with pytest.raises(ValueError, match="claim GC2 says 'refuted'"):
        check(tmp_path, "\\whenclaim{BN1\n (fair)}{a \\claimsays{GC2}\n {refuted}{b}}{c}{d}")


def test_an_unknown_word_for_a_verdict_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a sentence must say one of .*, got 'proven'"):
        check(tmp_path, r"\claimsays{GC2}{proven}{x}")


def test_a_macro_without_its_arguments_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must have all its arguments in braces"):
        check(tmp_path, r"\claimsays{GC2}{supported} forgotten")


@pytest.mark.parametrize("path", sorted(PAPER.rglob("*.tex")), ids=lambda path: path.stem)
def test_the_paper_speaks_only_of_claims_that_exist(path):
    text = path.read_text() if path.name != "main.tex" else path.read_text().split(r"\begin{document}")[1]
    unknown = {use.key for use in find_uses(text, source=path.name)} - KNOWN
    assert not unknown
