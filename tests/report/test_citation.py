"""CITATION.cff is valid, complete, and the one place from which paper and page take author, licence and address."""

import json
from pathlib import Path

import jsonschema
import yaml

from seven_terms import __version__
from seven_terms.records.folder import scales_beside
from seven_terms.report.answers import markdown_table, read_answers
from seven_terms.report.citation import bibtex, read_citation, release_macros
from seven_terms.report.facts import Fact, others_of
from seven_terms.report.inputs import read_verdicts
from seven_terms.spec import REPORTED

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).with_name("cff-1.2.0.schema.json")  # of the Citation File Format, CC BY 4.0


def test_the_citation_file_keeps_to_its_schema_and_names_this_version():
    record = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert record["version"] == __version__
    assert record["abstract"]


def test_bibtex_has_every_required_field():
    entry = bibtex(year="2026")
    assert all(f"  {name}" in entry for name in ("title", "author", "institution", "year", "note"))
    assert entry.count("{") == entry.count("}")


def test_a_release_fills_in_address_and_doi_in_one_place(monkeypatch):
    record = {**read_citation(), "repository-code": "https://example.org/seven-terms", "doi": "10.5281/zenodo.1"}
    monkeypatch.setattr("seven_terms.report.citation.read_citation", lambda: record)
    macros = release_macros({}, commit_date="2026-01-31")
    assert r"\newcommand{\Where}{; \url{https://example.org/seven-terms} \doi{10.5281/zenodo.1}}" in macros
    assert "url" in bibtex(year="2026")


def fact_of(key, row, others) -> Fact:
    return Fact(key=key, experiment=None, claim=None, row=row, kind="trained", num_seeds=1, others=others)


def test_the_readme_has_the_published_answers_and_at_most_120_lines():
    published = ROOT / "results" / "published"
    verdicts = read_verdicts(published / REPORTED)
    folders = [one for one in scales_beside(published, scale=REPORTED) if (one / "verdicts.csv").is_file()]
    others = {one.name: read_verdicts(one) for one in folders}
    facts = {
        str(key): fact_of(str(key), row, others_of(row, others, key=str(key), scale=REPORTED))
        for key, row in verdicts.iterrows()
    }
    table = markdown_table(read_answers(ROOT / "paper"), facts)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(table.splitlines()) == 9
    assert table in readme, f"write the table of README.md anew:\n{table}"
    assert len(readme.splitlines()) <= 120
