"""The command line: paths in, paths out. Each verb imports its own stage, so that no verb waits for another's imports."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..running.warm import serve
from ..spec import SCALES
from .errors import report as report_error
from .experiments import SUITE, experiments_of, results_of


def run(arguments: Sequence[str]) -> int:
    """Run one verb in this process and return its exit status; an error is said as `errors` says it."""
    options = parser().parse_args(arguments)
    try:
        status = options.run(options)
    except (Exception, KeyboardInterrupt) as error:
        return report_error(options.verb, error)
    return status or 0


def new(options: argparse.Namespace) -> None:
    from .new_question import write_question

    print("\n".join(write_question(options.question, options.experiments)))


def check(options: argparse.Namespace) -> int:
    from .checking import faults

    found = faults(options.experiments)
    print("\n".join(found.lines))
    return 1 if found.faults else 0


def explain(options: argparse.Namespace) -> None:
    from .explaining import explained

    print(explained(options.question, options.experiments, scale=options.scale))


def plan(options: argparse.Namespace) -> None:
    from ..planning import plans_at, write_plans
    from ..planning.forecast import cost_before
    from ..records.folder import Folder
    from ..running.at_work import hold
    from ..tracking.mode import wandb_mode

    wandb_mode()
    experiments = experiments_of(options.experiments)
    settings = {"base_seed": options.base_seed, "compiling": options.compiling, "only": " ".join(options.only)}
    plans = plans_at(experiments, options.scale, **settings)
    results = options.results or results_of(options.experiments) / options.scale
    folder = Folder(results).selected(settings["only"])
    try:
        with contextlib.closing(hold(folder.shared) or io.StringIO()):
            write_plans(plans, folder.path, among=experiments)
    except ValueError as error:
        print(f"seven-terms plan: {error}", file=sys.stderr)
    shown = cost_before(
        plans,
        folder.path,
        accelerator=options.accelerator,
        calibration_path=options.calibration,
        devices=options.devices,
        brief=options.brief,
    )
    print(shown)


def rows(options: argparse.Namespace) -> int:
    from ..planning import plans_at
    from ..planning.calibration import calibration_of
    from ..planning.rows import budget_seconds, chosen, published_experiments, rows_of, sentence

    seconds, num_devices = budget_seconds(options.budget), _num_devices(options)
    plans = plans_at(experiments_of(options.experiments), options.scale, compiling=options.compiling)
    calibration = calibration_of(options.accelerator, options.calibration)
    left = rows_of(plans, calibration, published=published_experiments(options.published))
    found = chosen(left, seconds=seconds, num_devices=num_devices)
    print(f"seven-terms: {sentence(found, num_left=len(left), num_devices=num_devices)}", file=sys.stderr)
    print(" ".join(row.name for row in found))
    return 0 if found else 1


def _num_devices(options: argparse.Namespace) -> int:
    return options.devices[0] if options.devices else (os.cpu_count() or 1) if options.accelerator == "cpu" else 1


def calibrate(options: argparse.Namespace) -> None:
    from ..planning.calibration import calibration_path
    from ..training import calibrate

    path = options.calibration or calibration_path(options.accelerator)
    found = calibrate(path, accelerator=options.accelerator)
    print(
        f"{path}: {found.hardware}, a stack starts in {found.start_seconds:.1f} s, imports take {found.import_seconds:.1f} s"
    )


def train(options: argparse.Namespace) -> None:
    from ..planning import expected_seconds
    from ..running.progress import say_trained
    from ..tracking.mode import is_live
    from ..training import train_stack

    started = time.monotonic()
    with _live_run(options) if is_live() else contextlib.nullcontext(()) as callbacks:
        stack = train_stack(
            plan_path=options.plan,
            stack_id=options.stack,
            output_path=options.output,
            state_dir=options.state,
            accelerator=options.accelerator,
            callbacks=callbacks,
        )
    if options.progress is not None:
        expected, seconds = expected_seconds(stack), time.monotonic() - started
        say_trained(options.progress, experiment=stack.experiment, expected_seconds=expected, seconds=seconds)


@contextlib.contextmanager
def _live_run(options: argparse.Namespace) -> Iterator[Sequence[Any]]:
    """Show the stack while it trains, if that takes long: yield the callbacks of its fit."""
    from ..records.plans import read_stack
    from ..tracking.live import LiveRun
    from ..training.looks import Looks

    _, stack = read_stack(options.plan, options.stack)
    folder = (options.progress or options.output.parent) / "wandb" / ".live"
    live = LiveRun(folder, experiment=stack.experiment, stack=stack.id)
    try:
        yield [Looks(live.tell)]
    finally:
        live.close()


def run_folder(options: argparse.Namespace) -> None:
    from ..records.folder import Folder
    from .alone import run_alone, shown

    only = " ".join(options.only)
    results = options.results or Path("results", options.experiments.resolve().name)
    folder = Folder(results).selected(only)
    settings = {"scale": options.scale or "laptop", "only": only, "accelerator": options.accelerator}
    run_alone(experiments_of(options.experiments), folder, **settings)
    print(shown(folder.path))


def runs(options: argparse.Namespace) -> None:
    from ..statistics import list_runs

    list_runs(options.results, options.output)


def summarize(options: argparse.Namespace) -> None:
    from ..records.plans import read_plan
    from ..running.progress import say_done
    from ..statistics import summarize

    planned = read_plan(options.plan)
    summarize(planned, options.metrics, summary_path=options.summary, claims_path=options.claims)
    name = planned.experiment.path
    say_done(options.progress, "summarize", f"summarized {name}", experiment=name)


def verdicts(options: argparse.Namespace) -> None:
    from ..running.progress import say
    from ..statistics import verdicts

    verdicts(options.results, options.output, replication_path=options.replication)
    say(f"judged all claims, {options.output}")


def power(options: argparse.Namespace) -> None:
    from ..records.tables import read_csv, write_csv
    from ..statistics import power_table

    judged = read_csv(options.results / "verdicts.csv", kind="verdicts")
    write_csv(power_table(judged, experiments_of(options.experiments)), options.output, kind="power")


def replicate(options: argparse.Namespace) -> None:
    from ..statistics import replicate

    replicate(options.results, options.other, options.output)


def compare(options: argparse.Namespace) -> None:
    from ..report import compare

    compare(options.results, options.published, options.output)


def publish(options: argparse.Namespace) -> None:
    from ..report.publishing import publish

    print("\n".join(publish(_selection(options), options.output, published_path=options.published)))


def figure(options: argparse.Namespace) -> None:
    from ..figures import draw
    from ..records.plans import read_plan
    from ..running.progress import say_done

    planned = read_plan(options.plan)
    draw(planned, options.summary, name=options.name, output_path=options.output)
    _seal_pictures(options.output)
    name = planned.experiment.path
    say_done(options.progress, "figure", f"drew {name}/{options.name}", experiment=name)


def key_figure(options: argparse.Namespace) -> None:
    from ..figures import draw_key
    from ..records.plans import read_plan

    draw_key(read_plan(options.plan), options.summary, output_path=options.output)
    _seal_pictures(options.output)


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

    if engine():
        for source, name in (("main", "seven-terms"), ("supplement", "seven-terms-supplement")):
            typeset(made / "report" / f"{source}.tex", published / f"{name}.pdf")
    write(published / "index.html", (made / "index.html").read_bytes(), beside=False)
    write(published / "answers.png", (made / "figures" / "summary.png").read_bytes(), beside=False)
    inputs = read_inputs(made, beside=_beside(options, made))
    facts = facts_of(inputs)
    write(published / "questions.json", questions(inputs, facts), beside=False)
    readme = options.experiments.resolve().parent / "README.md"
    if published.resolve() == readme.parent / "results" / "published" / "laptop":
        table = markdown_table(read_answers(options.paper), facts)
        write(readme, with_table(readme.read_text(encoding="utf-8"), table), beside=False)
    write_crate(published, snakefile=options.experiments.resolve().parent / "Snakefile", scale=published.name)
    write_sums(published.parent)


def _beside(options: argparse.Namespace, results_dir: Path) -> tuple[Path, ...]:
    from ..records.folder import scales_beside
    from ..report.inputs import read_plans

    return scales_beside(options.beside, scale=read_plans(results_dir)[0].scale)


def summary_page(options: argparse.Namespace) -> None:
    from ..figures import draw_terms, summary_page
    from ..report.answers import read_answers

    answers = read_answers(options.paper)
    summary_page(
        options.results,
        output_path=options.output,
        figures={answer.term: answer.figure for answer in answers},
        titles={answer.term: answer.headline for answer in answers},
    )
    draw_terms(options.output.parent / "terms")
    _seal_pictures(options.output)


def speed_figure(options: argparse.Namespace) -> None:
    from ..figures import draw_speed

    draw_speed(options.table, output_path=options.output)
    _seal_pictures(options.output)


def _seal_pictures(path: Path) -> None:
    from ..records.atomic import seal

    seal(path)
    seal(path.with_suffix(".png"))


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

    found = agree(options.results, options.published)
    print("\n".join(agreement_lines(found)))
    return 0 if is_repeated(found) else 1


def show(options: argparse.Namespace) -> None:
    from ..report import show

    show(_selection(options))


def _selection(options: argparse.Namespace) -> Path:
    from ..records.folder import Folder

    return Folder(_results(options)).selected(" ".join(options.only)).path


def _results(options: argparse.Namespace) -> Path:
    return options.results or results_of(Path(SUITE)) / "laptop"


def timing(options: argparse.Namespace) -> None:
    from ..running.progress import wall_time_line

    print(wall_time_line(_selection(options), since=options.since))


def mirror(options: argparse.Namespace) -> None:
    from ..tracking.mirror import mirror
    from ..tracking.mode import wandb_runs

    print(mirror(options.results, runs=options.runs or wandb_runs(), only=tuple(options.only), jobs=options.jobs))


def browse(options: argparse.Namespace) -> None:
    from ..tracking.browse import browse

    browse(_results(options), only=options.only, term=options.term)


def publish_wandb(options: argparse.Namespace) -> None:
    from ..tracking.publish import publish

    print(publish(_selection(options)))


def serve_warm(options: argparse.Namespace) -> None:
    for stage in ("training", "statistics", "figures", "report"):
        importlib.import_module(f"seven_terms.{stage}")
    serve(options.socket, run)


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(word) for word in text.split(","))
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"numbers of devices must be > 0, got {text!r}")
    return numbers


@dataclass(frozen=True, kw_only=False, slots=True)
class Verb:
    """One verb: the options that it needs and those that it takes. Without an example it is the pipeline's own."""

    run: Callable[[argparse.Namespace], object]
    purpose: str
    needs: str = ""
    takes: str = ""
    asks: str = ""  # what stands without a name behind the verb
    example: str = ""


VERBS: dict[str, Verb] = {
    "new": Verb(
        new,
        "write an experiment that runs as it is, to be changed line by line",
        asks="question",
        takes="experiments",
        example="seven-terms new dropout/rate --experiments my_experiments",
    ),
    "check": Verb(
        check,
        "say in seconds what is wrong with a folder of experiments",
        takes="experiments",
        example="seven-terms check --experiments my_experiments",
    ),
    "explain": Verb(
        explain,
        "say in words what an experiment trains, measures and judges",
        asks="question",
        takes="experiments scale",
        example="seven-terms explain batch_norm/parts",
    ),
    "plan": Verb(
        plan,
        "write the plan of every experiment and show its cost",
        takes="scale results base-seed compiling only experiments accelerator calibration devices brief",
        example="seven-terms plan --scale paper",
    ),
    "run": Verb(
        run_folder,
        "train, judge and draw a folder of experiments in one process: no Snakemake, no LaTeX",
        needs="experiments",
        takes="scale results only accelerator",
        example="seven-terms run --experiments my_experiments",
    ),
    "rows": Verb(
        rows,
        "name the experiments of a scale with the most unpublished claims that fit into a budget, e.g. 25m",
        needs="budget published",
        takes="scale compiling experiments accelerator calibration devices",
        example="seven-terms rows --scale paper --budget 25m --published results/published/paper",
    ),
    "calibrate": Verb(
        calibrate,
        "measure how fast this machine is, for the times of `plan`",
        takes="accelerator calibration",
        example="seven-terms calibrate",
    ),
    "show": Verb(
        show,
        "print the report's path and its verdicts",
        takes="results only",
        example="seven-terms show --results results/smoke",
    ),
    "power": Verb(
        power,
        "say of each claim how many seeds it has, needs and gets at scale full",
        needs="results output",
        takes="experiments",
        example="seven-terms power --results results/laptop --output power.csv",
    ),
    "agree": Verb(
        agree,
        "compare verdicts with published ones; exits with 1 where a claim moved or flipped",
        needs="results published",
        example="seven-terms agree --results results/laptop --published results/published/laptop",
    ),
    "browse": Verb(
        browse,
        "look at those W&B runs in the terminal",
        takes="results only term",
        example="seven-terms browse --results results/laptop --term batch_norm",
    ),
    "publish-wandb": Verb(
        publish_wandb,
        "upload those W&B runs to your account, with a workspace and a report",
        takes="results only",
        example="seven-terms publish-wandb --results results/laptop",
    ),
    "publish": Verb(
        publish,
        "put a results folder's tables among the published ones of its scale",
        needs="results output",
        takes="published only",
        example="seven-terms publish --results results/laptop --output results/published/laptop",
    ),
    "paper": Verb(
        paper,
        "write the paper from published tables, without training",
        needs="published output",
        takes="experiments paper sources beside",
        example="seven-terms paper --published results/published/laptop --output results/laptop-published",
    ),
    "replicate": Verb(
        replicate,
        "put the verdicts of two base seeds side by side",
        needs="results other output",
        example="seven-terms replicate --results results/laptop --other results/laptop-seed1000 --output replication.csv",
    ),
    "train": Verb(
        train,
        "train one stack of a plan, on a machine that needs neither Snakemake nor W&B",
        needs="plan stack output",
        takes="state accelerator progress",
    ),
    "runs": Verb(runs, "list every run with its status", needs="results output"),
    "summarize": Verb(
        summarize,
        "metrics of an experiment to summary and claims",
        needs="plan metrics summary claims",
        takes="progress",
    ),
    "verdicts": Verb(verdicts, "judge all claims together", needs="results output", takes="replication"),
    "compare": Verb(compare, "put published numbers beside ours", needs="results published output"),
    "figure": Verb(figure, "draw one figure", needs="plan summary name output", takes="progress"),
    "key-figure": Verb(key_figure, "draw the panel that stands for an experiment", needs="plan summary output"),
    "summary-page": Verb(
        summary_page, "draw the seven answers, and what teaches each term", needs="results output", takes="paper"
    ),
    "speed-figure": Verb(speed_figure, "draw what `make bench` measured", needs="table output"),
    "report": Verb(report, "write the report's .tex files", needs="results output", takes="paper sources beside"),
    "page": Verb(page, "write index.html, the page of all claims", needs="results output", takes="paper beside"),
    "mirror": Verb(
        mirror,
        "write W&B runs of a results folder, for `make browse` and `make publish-wandb`",
        needs="results",
        takes="runs only jobs",
    ),
    "typeset": Verb(typeset, "typeset the report's .tex files", needs="tex output"),
    "serve": Verb(
        serve_warm, "import everything once, then run other calls as forks (started by itself)", needs="socket"
    ),
    "timing": Verb(timing, "say how the wall time divides", needs="results since", takes="only"),
}
HELP = """Claims about training, each with a rule, judged on runs with paired seeds.

`make report` does all of it; these verbs help before and after: a new question, its check, its cost, its verdicts."""
OPTIONS: dict[str, dict] = {
    "question": {"metavar": "TERM/QUESTION", "help": "e.g. batch_norm/parts"},
    "scale": {"choices": SCALES, "default": "laptop", "help": "smoke, laptop (default), full or paper"},
    "results": {"type": Path, "help": "folder of results (default: results/laptop)"},
    "sources": {"type": Path, "help": "where the LaTeX is that --paper lacks"},
    "base-seed": {"type": int, "default": 0, "help": "the first seed (default: 0)"},
    "compiling": {
        "choices": ("auto", "torch", "never"),
        "default": "auto",
        "help": "whether code may be compiled (default: auto)",
    },
    "only": {"nargs": "+", "default": (), "metavar": "NAME", "help": "terms or <term>/<name>; without it, everything"},
    "published": {"type": Path, "default": Path("paper/published.yaml")},
    "paper": {"type": Path, "default": Path("paper")},
    "beside": {"type": Path, "help": "folder of published scales, whose results are put beside these"},
    "experiments": {"type": Path, "default": Path(SUITE), "help": "folder of experiments (default: experiments)"},
    "stack": {},
    "runs": {"choices": ("selected", "all"), "help": "which runs: those that claims read, or all (WANDB_RUNS)"},
    "jobs": {"type": int, "default": 1, "help": "so many processes write"},
    "name": {},
    "budget": {},
    "term": {"default": "", "help": "a term, or <term>/<name> of an experiment"},
    "since": {"type": float},
    "accelerator": {"choices": ("cpu", "gpu"), "default": "cpu", "help": "cpu (default) or gpu"},
    "calibration": {"type": Path, "help": "file of this machine's speed, as `seven-terms calibrate` writes it"},
    "devices": {"type": _numbers, "default": (), "help": "numbers of devices to compare, e.g. 1,8,64"},
    "brief": {"action": "store_true", "help": "say the total only"},
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs; options that OPTIONS does not list are paths. The pipeline's own verbs are not listed."""
    top = argparse.ArgumentParser(
        prog="seven-terms", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", title="verbs")
    for name, verb in VERBS.items():
        listed: dict[str, Any] = {"help": verb.purpose} if verb.example else {}
        epilog = f"example: {verb.example}" if verb.example else None
        command = verbs.add_parser(name, description=f"{verb.purpose}.", epilog=epilog, **listed)
        command.set_defaults(run=verb.run)
        if verb.asks:
            command.add_argument(verb.asks, **OPTIONS[verb.asks])
        for option in (*verb.needs.split(), *verb.takes.split()):
            required = option in verb.needs.split()
            command.add_argument(f"--{option}", required=required, **OPTIONS.get(option, {"type": Path}))
    return top
