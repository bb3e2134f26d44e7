"""The report's folder: the paper's sources copied, everything else generated, ready for `latexmk -pdf main.tex`."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import cast

from .. import __version__
from ..records.atomic import seal, write
from ..records.provenance import commit
from ..spec import TERM_TITLES, Term
from .appendix import cost_table, machine_table, stages_table, trace_table
from .coverage import coverage_paragraph, held_prose
from .experiments import experiment_section
from .inputs import Inputs, read_inputs
from .numbers import commit_date, number_macros
from .overview import overview_table
from .replication import replication_paragraph
from .scales import scales_section
from .sentences import check_sentences
from .speed import speed_section
from .tables import comparisons_table, noise_floor_table, questions_table, verdict_sentences, verdicts_table

SOURCES = ("main.tex", "references.bib")


def write_report(results_dir: Path, paper_dir: Path, output_dir: Path, *, beside_dir: Path | None = None) -> None:
    """Write the report's LaTeX; ValueError when a sentence contradicts its verdict (in a whole report at scale laptop).

    `beside_dir` holds the published results of another scale, which are put beside these.
    """
    inputs = read_inputs(results_dir)
    sources = sorted(paper_dir.glob("**/*.tex"))
    strict = inputs.scale == "laptop" and not inputs.left_out
    unsaid = check_sentences(sources, verdicts=inputs.verdicts, root=paper_dir, strict=strict)
    shutil.rmtree(output_dir / "generated", ignore_errors=True)
    _copy_sources(inputs, paper_dir, output_dir=output_dir)
    texts = _generated(inputs, paper_dir, output_dir=output_dir)
    texts |= {"coverage": coverage_paragraph(inputs, unsaid=unsaid), "scales": scales_section(inputs, beside_dir)}
    for name, text in texts.items():
        write(output_dir / "generated" / f"{name}.tex", text, beside=False)
    write(output_dir / "latexmkrc", _latexmkrc(), beside=False)
    others = [path for path in output_dir.rglob("*") if path.suffix in (".tex", ".bib") and path.name != "main.tex"]
    seal(output_dir / "main.tex", others=others)


def _copy_sources(inputs: Inputs, paper_dir: Path, *, output_dir: Path) -> None:
    (output_dir / "sections").mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        shutil.copyfile(paper_dir / name, output_dir / name)
    for path in (paper_dir / "sections").glob("*.tex"):
        prose = held_prose(path.read_text(encoding="utf-8"), inputs, term=cast(Term, path.stem))
        write(output_dir / "sections" / path.name, prose, beside=False)


def _generated(inputs: Inputs, paper_dir: Path, *, output_dir: Path) -> dict[str, str]:
    texts = {
        "numbers": number_macros(inputs),
        "abstract": verdict_sentences(inputs),
        "questions": questions_table(inputs),
        "overview": overview_table(inputs),
        "verdicts": verdicts_table(inputs),
        "comparisons": comparisons_table(inputs),
        "noise": noise_floor_table(inputs),
        "replication": replication_paragraph(inputs),
        "machine": machine_table(inputs),
        "cost": cost_table(inputs),
        "stages": stages_table(inputs),
        "trace": trace_table(inputs),
        "speed": speed_section(inputs, output_dir=output_dir),
        "terms": "".join(_term(inputs, term, paper_dir=paper_dir) for term in inputs.terms),
        "cite": _citation(),
        "summary": _summary_figure(inputs, output_dir=output_dir),
    }
    for plan in inputs.plans:
        texts[f"experiments/{plan.experiment.name}"] = experiment_section(
            inputs, plan.experiment, output_dir=output_dir
        )
    return texts


def _term(inputs: Inputs, term: Term, *, paper_dir: Path) -> str:
    r"""Return a term's section: its prose, which places experiments by \experiment{name}, then those it does not place."""
    source = paper_dir / "sections" / f"{term}.tex"
    prose = source.read_text() if source.exists() else ""
    placed = set(re.findall(r"\\experiment\{(\w+)\}", prose))
    rest = [experiment.name for experiment in inputs.experiments(term) if experiment.name not in placed]
    lines = [f"\\section{{{TERM_TITLES[term]}}}\\label{{term:{term}}}"]
    lines += [f"\\input{{sections/{term}}}"] if prose else []
    lines += [f"\\experiment{{{name}}}" for name in rest]
    return "\n".join([*lines, r"\FloatBarrier", ""])


def _summary_figure(inputs: Inputs, *, output_dir: Path) -> str:
    path = inputs.results_dir / "figures" / "summary.pdf"
    standing = any(figure.summary is not None for plan in inputs.plans for figure in plan.experiment.figures)
    if not path.exists() or not standing:
        return ""
    caption = "The terms at a glance: the figure that stands for each. Bands and bars are 95\\,\\% intervals."
    place = os.path.relpath(path.resolve(), output_dir.resolve())
    figure = f"\\centering\\includegraphics{{{place}}}\\caption{{{caption}}}\\label{{fig:summary}}"
    return f"\\begin{{figure}}[p]{figure}\\end{{figure}}\n"


def _citation() -> str:
    """Return the BibTeX entry of this report, verbatim."""
    return "\n".join(
        [
            r"\begin{verbatim}",
            "@techreport{seven_terms,",
            "  title  = {Seven Terms: a measured companion to seven words",
            "            nobody in machine learning can avoid},",
            "  author = {{The Seven Terms authors}},",
            f"  year   = {{{commit_date()[:4]}}},",
            f"  note   = {{Version {__version__}, commit {commit()}}}",
            "}",
            r"\end{verbatim}",
            "",
        ]
    )


def _latexmkrc() -> str:
    """Return latexmk's settings; dates come from the commit, so that equal sources give equal PDFs (`running.typesetting`)."""
    return "$pdf_mode = 1;\n$pdflatex = 'pdflatex -halt-on-error %O %S';\n"
