"""How to cite: one file, CITATION.cff, says who, where and under which licence; a release fills it in there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .. import __version__
from ..records.provenance import commit
from .latex import escape

CITATION = Path(__file__).resolve().parents[3] / "CITATION.cff"
TITLE = "Seven Terms: a measured companion to seven words nobody in machine learning can avoid"


def read_citation(path: Path = CITATION) -> Mapping[str, Any]:
    """Return CITATION.cff; nothing but title, author and licence where the package stands alone."""
    if not path.is_file():
        return {"title": TITLE, "authors": [{"name": "The Seven Terms authors"}], "license": "Apache-2.0"}
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def release_macros(more: Mapping[str, str], *, commit_date: str) -> str:
    r"""Return \newcommand lines for author, address, DOI and licence; \Where is empty before a release has an address."""
    record = read_citation()
    address, doi = record.get("repository-code", ""), record.get("doi", "")
    where = " ".join(
        part for part in (rf"\url{{{address}}}" if address else "", rf"\doi{{{doi}}}" if doi else "") if part
    )
    contact = record["authors"][0].get("email", "")
    values = {
        "Author": escape(record["authors"][0]["name"]),
        "Licence": escape(record["license"]),
        "Where": f"; {where}" if where else "",
        "Contact": rf"; \href{{mailto:{contact}}}{{{escape(contact)}}}" if contact else "",
        "Released": str(record.get("date-released", commit_date)),
        **more,
    }
    return "".join(f"\\newcommand{{\\{name}}}{{{value}}}\n" for name, value in values.items())


def bibtex(*, year: str) -> str:
    """Return the BibTeX entry of the paper."""
    record = read_citation()
    address = record.get("repository-code", "")
    fields = {
        "title": "{" + TITLE + "}",
        "author": "{{" + record["authors"][0]["name"] + "}}",
        "institution": "{" + record["authors"][0]["name"] + "}",
        "year": "{" + year + "}",
        "note": "{Version " + __version__ + ", commit " + commit() + "}",
        **({"url": "{" + address + "}"} if address else {}),
    }
    body = "".join(f"  {name:<11} = {value},\n" for name, value in fields.items())
    return f"@techreport{{seven_terms,\n{body}}}\n"


def citation() -> str:
    """Return the BibTeX entry verbatim, and how to cite a single claim."""
    from .numbers import commit_date

    year = commit_date()[:4] or str(read_citation().get("date-released", "2026"))[:4]
    single = rf"Seven Terms, claim B-LR2 (fair), version {__version__}, commit {commit()}"
    return (
        "\\begin{verbatim}\n"
        + bibtex(year=year)
        + "\\end{verbatim}\nA single claim is cited by its code, with version and commit, e.g.\n"
        + f"``{escape(single)}''; \\texttt{{index.html\\#B-LR2-fair}} is its link.\n"
    )
