"""The report's folder: the paper's sources copied, everything else generated, ready for `latexmk -pdf main.tex`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..records.atomic import seal, write
from ..spec import REPORTED, Term
from .answers import answers_table, check_answers, read_answers
from .appendix import cost_table, machine_table
from .citation import citation, release_macros
from .counting import tally_table
from .coverage import coverage_paragraph
from .facts import Fact, facts_of, read_marks
from .inputs import Inputs, read_inputs
from .literature_tables import agreement_counts, literature_tables
from .noise import noise_floor_table
from .numbers import commit_date, number_macros
from .power import power_section
from .questions import section
from .record import claims_index, terms_record
from .replication import replication_paragraph
from .scales import read_causes, scales_section
from .sentences import check_sentences
from .sources import names_of
from .speed import speed_section

SOURCES = ("main.tex", "supplement.tex", "preamble.tex", "references.bib")


PLAIN = "plain.tex"  # the main text of who has none


def write_report(
    results_dir: Path,
    paper_dir: Path,
    output_dir: Path,
    *,
    beside: Sequence[Path] = (),
    sources_dir: Path | None = None,
) -> None:
    """Write the LaTeX of paper and supplement; ValueError when a sentence contradicts its verdict.

    (In a report of a selection, or of another scale than `REPORTED`, such a sentence is left out instead.)
    `beside` are folders of published results of other scales, which are put beside these. Of the LaTeX that `paper_dir` lacks
    (of a folder of one's own, all), that of `sources_dir` is taken.
    """
    inputs = read_inputs(results_dir, beside=beside)
    sources = sorted(paper_dir.glob("**/*.tex"))
    strict = inputs.scale == REPORTED and not inputs.left_out
    unsaid = check_sentences(sources, verdicts=inputs.verdicts, root=paper_dir, strict=strict)
    facts = facts_of(inputs, marks=read_marks(paper_dir))
    unsaid += check_answers(read_answers(paper_dir), facts, strict=strict)
    shutil.rmtree(output_dir / "generated", ignore_errors=True)
    output_dir.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        shutil.copyfile(_latex(name, paper_dir, sources_dir), output_dir / name)
    texts = _generated(inputs, facts, paper_dir, output_dir=output_dir, beside=beside)
    texts |= {"coverage": coverage_paragraph(inputs, unsaid=unsaid)}
    for name, text in texts.items():
        path = output_dir / "generated" / f"{name}.tex"
        write(path, text or "%\n", beside=False)  # TeX ends a paragraph at an empty file
    write(output_dir / "latexmkrc", _latexmkrc(), beside=False)
    others = [path for path in output_dir.rglob("*") if path.suffix in (".tex", ".bib") and path.name != "main.tex"]
    seal(output_dir / "main.tex", others=others)


def _generated(
    inputs: Inputs, facts: Mapping[str, Fact], paper_dir: Path, *, output_dir: Path, beside: Sequence[Path]
) -> dict[str, str]:
    answers = read_answers(paper_dir)
    texts = {
        "numbers": number_macros(inputs, facts) + release_macros(agreement_counts(inputs), commit_date=commit_date()),
        "answers": answers_table(answers, facts),
        "tally": tally_table(facts),
        "claims": claims_index(facts),
        "literature": literature_tables(inputs, literature_path(paper_dir), blocks=("read", "reproduced")),
        "theory": literature_tables(inputs, literature_path(paper_dir), blocks=("derived",)),
        "noise": noise_floor_table(inputs),
        "power": power_section(inputs),
        "replication": replication_paragraph(inputs),
        "machine": machine_table(inputs),
        "cost": cost_table(inputs),
        "speed": speed_section(inputs, output_dir=output_dir),
        "scales": "\n".join(scales_section(inputs, folder, causes=read_causes(paper_dir)) for folder in beside),
        "cite": citation(),
        "summary": _summary_figure(inputs, output_dir=output_dir),
        "record": terms_record(inputs, facts, output_dir=output_dir, names=names_of(paper_dir)),
    }
    parts = [
        section(inputs, facts, term, source=_source(paper_dir, term), output_dir=output_dir) for term in inputs.terms
    ]
    monday = paper_dir / "sections" / "on_monday.tex"
    return texts | {
        "terms": "\n".join(parts),
        "on_monday": monday.read_text(encoding="utf-8") if monday.exists() else "",
    }


def _latex(name: str, paper_dir: Path, sources_dir: Path | None) -> Path:
    if (paper_dir / name).is_file() or sources_dir is None:
        return paper_dir / name
    return sources_dir / (PLAIN if name == "main.tex" else name)


def _source(paper_dir: Path, term: Term) -> str:
    source = paper_dir / "sections" / f"{term}.tex"
    return source.read_text(encoding="utf-8") if source.exists() else ""


def literature_path(paper_dir: Path) -> Path | None:
    """Return the file of numbers that others published."""
    path = paper_dir / "literature.yaml"
    return path if path.exists() else None


def _summary_figure(inputs: Inputs, *, output_dir: Path) -> str:
    path = inputs.results_dir / "figures" / "summary.pdf"
    if not path.exists():
        return ""
    place = os.path.relpath(path.resolve(), output_dir.resolve())
    alt = "Seven small panels, one per term; their titles are the sentences of the table of answers."
    return f"\\pictured{{{place}}}{{{alt}}}\n"


def _latexmkrc() -> str:
    """Return latexmk's settings; dates come from the commit, so that equal sources give equal PDFs (`running.typesetting`)."""
    return "$pdf_mode = 1;\n$pdflatex = 'pdflatex -halt-on-error %O %S';\n"
