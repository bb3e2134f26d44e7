"""The verbs from tables to figures, report, page and W&B: each takes parsed options and imports its own stage."""

from __future__ import annotations

import argparse
import functools
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from .experiments import SUITE, experiments_of, results_at, results_of

DEFAULT = "laptop"  # the scale whose results are meant where none are named


def publish(options: argparse.Namespace) -> None:
    from ..report.inputs import scale_of
    from ..report.publishing import publish
    from ..tracking.publish import publish as upload

    results = _selection(options)
    if options.wandb:
        print(upload(results))
        return
    output = options.output or results_of(options.experiments) / "published" / scale_of(results)
    print("\n".join(publish(results, output, literature_path=options.literature)))


def figure(options: argparse.Namespace) -> None:
    from ..figures import draw
    from ..records.plans import read_plan
    from ..running.progress import say_done

    planned = read_plan(options.plan)
    draw(planned, options.summary, name=options.name, output_path=options.output)
    name = planned.experiment.path
    say_done(options.progress, "figure", f"drew {name}/{options.name}", experiment=name)


def key_figure(options: argparse.Namespace) -> None:
    from ..figures import draw_key
    from ..records.plans import read_plan

    draw_key(read_plan(options.plan), options.summary, output_path=options.output)


def paper(options: argparse.Namespace) -> None:
    from ..figures import draw_speed
    from ..records.jobs import speed_tables
    from .staging import stage

    plans = list(stage(options.published, experiments_of(options.experiments), options.output))
    with ProcessPoolExecutor() as processes:
        list(processes.map(functools.partial(_draw_all, options.output), plans))
    for table in speed_tables(options.output):
        draw_speed(table, output_path=options.output / "figures" / "speed" / f"{table.stem}.pdf")
    options.results, out = options.output, options.output
    options.output = out / "figures" / "summary.pdf"
    summary_page(options)
    options.output = out / "report"
    report(options)
    options.output = out / "index.html"
    page(options)
    _put_beside(options.published, out, options)


def _draw_all(results_dir: Path, plan: Any) -> None:
    """Draw every figure of a plan, and its key panel."""
    from ..figures import draw, draw_key

    summary = results_dir / "summary" / f"{plan.experiment.path}.csv"
    folder = results_dir / "figures" / plan.experiment.path
    for one in plan.experiment.figures:
        draw(plan, summary, name=one.name, output_path=folder / f"{one.name}.pdf")
    if plan.experiment.figures:
        draw_key(plan, summary, output_path=folder / "key.pdf")


def _put_beside(published: Path, made: Path, options: argparse.Namespace) -> None:
    """Put paper, supplement, page, picture, questions and provenance beside the published tables, with their checksums."""
    from ..records.atomic import write, write_sums
    from ..report.answers import markdown_table, read_answers, with_table
    from ..report.crate import write_crate
    from ..report.facts import facts_of
    from ..report.inputs import read_inputs
    from ..report.page import questions
    from ..running.typesetting import engine, typeset
    from ..spec import REPORTED

    if engine():
        for source, name in (("main", "seven-terms"), ("supplement", "seven-terms-supplement")):
            typeset(made / "report" / f"{source}.tex", published / f"{name}.pdf")
    write(published / "index.html", (made / "index.html").read_bytes(), beside=False)
    write(published / "answers.png", (made / "figures" / "summary.png").read_bytes(), beside=False)
    inputs = read_inputs(made, beside=_beside(options, made))
    facts = facts_of(inputs)
    write(published / "questions.json", questions(inputs, facts), beside=False)
    readme = options.experiments.resolve().parent / "README.md"
    if published.resolve() == readme.parent / "results" / "published" / REPORTED:
        table = markdown_table(read_answers(options.paper), facts)
        write(readme, with_table(readme.read_text(encoding="utf-8"), table), beside=False)
    write_crate(published, snakefile=options.experiments.resolve().parent / "Snakefile", scale=published.name)
    write_sums(published.parent)


def _beside(options: argparse.Namespace, results_dir: Path) -> tuple[Path, ...]:
    from ..records.folder import scales_beside
    from ..report.inputs import scale_of

    return scales_beside(options.beside, scale=scale_of(results_dir))


def summary_page(options: argparse.Namespace) -> None:
    from ..figures import draw_terms, summary_page
    from ..records.atomic import seal
    from ..report.answers import read_answers

    answers = read_answers(options.paper)
    summary_page(
        options.results,
        output_path=options.output,
        figures={answer.term: answer.figure for answer in answers},
        titles={answer.term: answer.headline for answer in answers},
    )
    folder = options.output.parent
    draw_terms(folder / "terms")
    pictures = [path for name in ("answers", "terms") for path in (folder / name).glob("[!.]*")]
    seal(options.output, others=[options.output.with_suffix(".svg"), *pictures])


def speed_figure(options: argparse.Namespace) -> None:
    from ..figures import draw_speed

    draw_speed(options.table, output_path=options.output)


def report(options: argparse.Namespace) -> None:
    from ..report import write_report
    from ..running.progress import say

    beside = _beside(options, options.results)
    write_report(options.results, options.paper, options.output, beside=beside, sources_dir=options.sources)
    say(f"wrote the report's text, {options.output}")


def typeset(options: argparse.Namespace) -> None:
    from ..running.progress import say
    from ..running.typesetting import typeset

    say(f"typesetting {options.tex} (half a minute and more)")
    typeset(options.tex, options.output)


def page(options: argparse.Namespace) -> None:
    from ..report.page import write_page

    write_page(options.results, options.paper, options.output, beside=_beside(options, options.results))


def agree(options: argparse.Namespace) -> int:
    from ..report.agreement import agree, agreement_lines, is_repeated
    from ..statistics import replicate

    results = options.results or results_of(Path(SUITE)) / DEFAULT
    other = options.other or results.parent / "published" / results.name
    found = agree(results, other)
    print("\n".join(agreement_lines(found)))
    if options.output is not None:  # other seeds move claims: that is what the table is for
        replicate(results, other, options.output)
        return 0
    return 0 if is_repeated(found) else 1


def show(options: argparse.Namespace) -> None:
    from ..report import show

    show(_selection(options))


def _selection(options: argparse.Namespace) -> Path:
    from ..records.folder import Folder

    return Folder(results_at(options, DEFAULT)).selected(" ".join(options.only)).path


def timing(options: argparse.Namespace) -> None:
    from ..running.progress import wall_time_line

    print(wall_time_line(_selection(options), since=options.since))


def mirror(options: argparse.Namespace) -> None:
    from ..tracking.mirror import mirror_overview, mirror_runs
    from ..tracking.mode import wandb_runs

    if options.part != "overview":
        mirror_runs(options.results, runs=options.runs or wandb_runs(), only=tuple(options.only), jobs=options.jobs)
    if options.part != "runs":
        print(mirror_overview(options.results))


def browse(options: argparse.Namespace) -> None:
    from ..tracking.browse import browse

    browse(results_at(options, DEFAULT), only=options.only, term=options.term)
