"""What a claim names as its source, as citations: "He et al. 2016, figure 6" is an entry of references.bib.

Names follow from an entry's authors and year, and from the year of its preprint; `spoken` says which of several entries a
name means. "the article" is the article under test.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .latex import escape

ARTICLE = "tds"
_NAMED = re.compile(r"[A-Z][\w-]+(?: et al\.| and [A-Z][\w-]+)? (?:19|20)\d\d")
_ENTRY = re.compile(r"@\w+\{([^,]+),\n(.*?)\n\}", re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", re.MULTILINE)
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})|\\arxiv\{(\d{4}\.\d{4,5})\}")
_ACCENT = re.compile(r"\\[\"'`^~v]\{?\\?(\w)\}?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """An entry of references.bib: its key, what it is called, and where it is read (empty where no address is known)."""

    key: str
    names: tuple[str, ...]
    spoken: str
    address: str


def read_references(path: Path) -> dict[str, Reference]:
    """Return the entries by key."""
    return _references_in(path.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=4)
def _references_in(text: str) -> dict[str, Reference]:
    """Return the entries of a text, which hundreds of claims ask for."""
    found = (_reference(key, body) for key, body in _ENTRY.findall(text))
    return {reference.key: reference for reference in found}


def by_name(references: Mapping[str, Reference]) -> dict[str, Reference]:
    """Return the entries by what they are called; a name of several entries that none has as `spoken` is left out."""
    every = [(name, reference) for reference in references.values() for name in reference.names]
    counted = Counter(name for name, _ in every)
    unique = {name: reference for name, reference in every if counted[name] == 1}
    return unique | {reference.spoken: reference for reference in references.values() if reference.spoken}


def names_of(paper_dir: Path) -> dict[str, Reference]:
    """Return the entries of a paper's references.bib by what they are called; none without the file."""
    path = paper_dir / "references.bib"
    return by_name(read_references(path)) if path.is_file() else {}


def sources_in(text: str) -> list[str]:
    """Return the works that a claim's source names, e.g. ["Bengio 2012", "Smith 2015"]."""
    return _NAMED.findall(text)


def cited_source(text: str, names: Mapping[str, Reference]) -> str:
    """Return a claim's source in LaTeX, each work that it names followed by its citation."""
    told, position = [], 0
    for match in _NAMED.finditer(text):
        told.append(escape(text[position : match.end()]))
        told.append(f"~\\citep{{{names[match[0]].key}}}" if match[0] in names else "")
        position = match.end()
    told.append(escape(text[position:]))
    return re.sub(r"^article\b", rf"article~\\citep{{{ARTICLE}}}", "".join(told))


def spoken(text: str, names: Mapping[str, Reference]) -> str:
    """Return the text in which `[key2013]` has become what that entry is called."""
    called = {reference.key: name for name, reference in names.items()}
    return re.sub(r"\[(\w+)\]", lambda found: called.get(found[1], found[1]), text)


def linked_source(text: str, names: Mapping[str, Reference]) -> str:
    """Return a claim's source as HTML, each work that it names a link to where it is read, if that is known."""
    told, position = [], 0
    for match in _NAMED.finditer(text):
        address = names[match[0]].address if match[0] in names else ""
        told.append(html.escape(text[position : match.start()]))
        told.append(
            f'<a href="{html.escape(address)}">{html.escape(match[0])}</a>' if address else html.escape(match[0])
        )
        position = match.end()
    return "".join(told) + html.escape(text[position:])


def _reference(key: str, body: str) -> Reference:
    fields = {name.lower(): value for name, value in _FIELD.findall(body)}
    families = [_plain(author.split(",")[0]) for author in fields.get("author", "").split(" and ")]
    who = (
        families[0] if len(families) == 1 else " and ".join(families) if len(families) == 2 else f"{families[0]} et al."
    )
    years = dict.fromkeys([fields.get("year", ""), *re.findall(r"\((\d{4})\)", fields.get("note", ""))])
    arxiv = _ARXIV.search(" ".join(fields.get(name, "") for name in ("howpublished", "note")))
    url = re.search(r"\\url\{([^}]+)\}", " ".join(fields.values()))
    doi = f"https://doi.org/{fields['doi']}" if "doi" in fields else ""
    preprint = f"https://arxiv.org/abs/{arxiv[1] or arxiv[2]}" if arxiv else ""
    return Reference(
        key=key,
        names=tuple(f"{who} {year}" for year in years if year),
        spoken=fields.get("spoken", ""),
        address=fields.get("url") or preprint or doi or (url[1] if url else ""),
    )


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKD", _ACCENT.sub(r"\1", name).replace("{", "").replace("}", ""))
    return "".join(letter for letter in text if not unicodedata.combining(letter)).strip()
