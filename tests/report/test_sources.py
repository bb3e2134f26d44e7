"""A claim's source is a citation: every work that an experiment names is one entry of the bibliography."""

import re
from pathlib import Path

import pytest

from experiments import EXPERIMENTS
from seven_terms.report.sources import cited_source, linked_source, names_of, read_references, sources_in

PAPER = Path(__file__).parents[2] / "paper"
NAMES = names_of(PAPER)


def test_every_work_that_a_claim_names_is_in_the_bibliography():
    named = {name for one in EXPERIMENTS for claim in one.claims for name in sources_in(claim.source)}
    assert len(named) > 30
    assert sorted(named - set(NAMES)) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("He et al. 2016, figure 6", r"He et al. 2016~\citep{he2016deep}, figure 6"),
        ("article; Bengio 2012", r"article~\citep{tds}; Bengio 2012~\citep{bengio2012practical}"),
        ("Zhang et al. 2019", r"Zhang et al. 2019~\citep{zhang2019which}"),
        ("Hagele et al. 2024", r"Hagele et al. 2024~\citep{haegele2024scaling}"),
        ("Nobody 1901", "Nobody 1901"),
    ],
)
def test_a_source_is_followed_by_its_citation(source, expected):
    assert cited_source(source, NAMES) == expected


def test_the_page_links_to_a_work_whose_address_is_known():
    assert linked_source("Cohen et al. 2022 & more", NAMES) == (
        '<a href="https://arxiv.org/abs/2207.14484">Cohen et al. 2022</a> &amp; more'
    )


def test_no_two_entries_have_one_key_and_every_entry_has_author_title_and_year():
    text = (PAPER / "references.bib").read_text(encoding="utf-8")
    assert len(re.findall(r"^@", text, flags=re.MULTILINE)) == len(read_references(PAPER / "references.bib"))
    for entry in re.split(r"^@", text, flags=re.MULTILINE)[1:]:
        assert all(f"  {name} = {{" in entry for name in ("author", "title", "year")), entry[:40]
