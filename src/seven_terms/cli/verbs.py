"""The command line: paths in, paths out. Each verb imports its own stage, so that no verb waits for another's imports."""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..running.pages import gather
from ..running.serving import serve
from ..spec import SCALES
from .errors import report as report_error
from .experiments import SUITE
from .reports import (
    agree,
    browse,
    figure,
    key_figure,
    mirror,
    page,
    paper,
    publish,
    report,
    show,
    speed_figure,
    summary_page,
    timing,
    typeset,
)
from .runs import (
    calibrate,
    check,
    compare,
    explain,
    new,
    plan,
    power,
    run_folder,
    runs,
    summarize,
    train,
    verdicts,
)


def run(arguments: Sequence[str]) -> int:
    """Run one verb in this process and return its exit status; an error is said as `errors` says it."""
    options = parser().parse_args(arguments)
    try:
        status = options.run(options)
    except (Exception, KeyboardInterrupt) as error:
        return report_error(options.verb, error)
    return status or 0


def serve_warm(options: argparse.Namespace) -> None:
    for stage in ("training", "statistics", "figures", "report"):
        importlib.import_module(f"seven_terms.{stage}")
    with contextlib.suppress(Exception):  # a fork that trains on them says what is wrong
        importlib.import_module("seven_terms.tasks.digits").read_bundled()
    from ..figures.prepare import prepare
    from ..records.provenance import processor, versions

    prepare()
    for remembered in (versions, processor, parser):
        remembered()
    gc.freeze()  # a fork that collects garbage would look through all that was imported, and copy its pages
    gather()
    serve(options.socket, run)


def warm_up(options: argparse.Namespace) -> None:
    """Compile the kernels; that the server of the jobs is there by then is the doing of `entry`."""
    if options.compiling == "auto":
        from ..training.advance.native.library import compile_ahead

        compile_ahead()


def _numbers(text: str) -> tuple[int, ...]:
    numbers = tuple(int(word) for word in text.split(","))
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"numbers of devices must be > 0, got {text!r}")
    return numbers


@dataclass(frozen=True, kw_only=False, slots=True)
class Verb:
    """One verb: the options that it needs and those that it takes. A verb without an example is not listed by --help."""

    run: Callable[[argparse.Namespace], object]
    purpose: str
    needs: str = ""
    takes: str = ""
    asks: str = ""  # what stands without a name behind the verb
    example: str = ""


YOURS: dict[str, Verb] = {  # in the order in which somebody with a question needs them
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
        "write the plan of every experiment and show its cost; with --budget only name what fits into that time",
        takes="scale results base-seed compiling only experiments accelerator calibration devices brief budget published",
        example="seven-terms plan --scale paper --budget 25m",
    ),
    "run": Verb(
        run_folder,
        "train, judge and draw a folder of experiments in one process: no Snakemake, no LaTeX",
        takes="experiments scale results only accelerator",
        example="seven-terms run --experiments my_experiments",
    ),
    "show": Verb(
        show,
        "print the report's path and its verdicts",
        takes="results experiments only",
        example="seven-terms show --results results/smoke",
    ),
    "agree": Verb(
        agree,
        "compare verdicts with published ones, or with those of other seeds; exits with 1 where a claim moved or flipped",
        takes="results other output",
        example="seven-terms agree --results results/laptop --other results/published/laptop",
    ),
    "browse": Verb(
        browse,
        "look at the W&B runs of results in the terminal",
        takes="results experiments only term",
        example="seven-terms browse --term batch_norm",
    ),
    "publish": Verb(
        publish,
        "put a results folder's tables among the published ones of its scale; with --wandb upload its W&B runs instead",
        takes="results experiments output literature only wandb",
        example="seven-terms publish --results results/laptop",
    ),
}
PIPELINE: dict[str, Verb] = {  # what the Snakefile, the Makefile and the documentation of clusters call
    "train": Verb(
        train,
        "train one stack of a plan, on a machine that needs neither Snakemake nor W&B",
        needs="plan stack output",
        takes="state accelerator progress",
    ),
    "calibrate": Verb(
        calibrate, "measure how fast this machine is, for the times of `plan`", takes="accelerator calibration"
    ),
    "runs": Verb(runs, "list every run with its status", needs="results output"),
    "summarize": Verb(
        summarize,
        "metrics of an experiment to summary and claims",
        needs="plan metrics summary claims",
        takes="progress",
    ),
    "verdicts": Verb(verdicts, "judge all claims together", needs="results output", takes="replication"),
    "power": Verb(
        power,
        "say of each claim how many seeds it has, needs and gets at scale full",
        needs="results output",
        takes="experiments",
    ),
    "compare": Verb(compare, "put numbers of the literature beside ours", needs="results literature output"),
    "figure": Verb(figure, "draw one figure", needs="plan summary name output", takes="progress"),
    "key-figure": Verb(key_figure, "draw the panel that stands for an experiment", needs="plan summary output"),
    "summary-page": Verb(
        summary_page, "draw the seven answers, and what teaches each term", needs="results output", takes="paper"
    ),
    "speed-figure": Verb(speed_figure, "draw what `make bench` measured", needs="table output"),
    "report": Verb(report, "write the report's .tex files", needs="results output", takes="paper sources beside"),
    "page": Verb(page, "write index.html, the page of all claims", needs="results output", takes="paper beside"),
    "paper": Verb(
        paper,
        "write the paper from published tables, without training",
        needs="published output",
        takes="experiments paper sources beside",
    ),
    "mirror": Verb(
        mirror,
        "write W&B runs of a results folder, for `make browse` and `make publish-wandb`",
        needs="results",
        takes="runs only jobs part",
    ),
    "typeset": Verb(typeset, "typeset the report's .tex files", needs="tex output"),
    "serve": Verb(
        serve_warm, "import everything once, then run other calls as forks (started by itself)", needs="socket"
    ),
    "warm-up": Verb(
        warm_up, "start that server and compile the kernels, before the first job asks for them", takes="compiling"
    ),
    "timing": Verb(timing, "say how the wall time divides", needs="results since", takes="only"),
}
VERBS = YOURS | PIPELINE
HELP = """Claims about training, each with a rule, judged on runs with paired seeds.

`make report` does all of it; these verbs help before and after: a new question, its check, its cost, its verdicts."""
OPTIONS: dict[str, dict] = {
    "question": {"metavar": "TERM/QUESTION", "help": "e.g. batch_norm/parts"},
    "scale": {"choices": SCALES, "default": "laptop", "help": "smoke, laptop (default), full or paper"},
    "results": {
        "type": Path,
        "help": "folder of results (default: results/<scale>, of your own experiments inside their folder)",
    },
    "sources": {"type": Path, "help": "where the LaTeX is that --paper lacks"},
    "base-seed": {"type": int, "default": 0, "help": "the first seed (default: 0)"},
    "compiling": {
        "choices": ("auto", "torch", "never"),
        "default": "auto",
        "help": "whether code may be compiled (default: auto)",
    },
    "only": {"nargs": "+", "default": (), "metavar": "NAME", "help": "terms or <term>/<name>; without it, everything"},
    "published": {"type": Path, "help": "published tables of that scale (default: results/published/<scale>)"},
    "other": {"type": Path, "help": "results to compare with (default: those published of that scale)"},
    "wandb": {"action": "store_true", "help": "upload W&B runs to your account, with a workspace and a report"},
    "literature": {"type": Path, "default": Path("paper/literature.yaml")},
    "paper": {"type": Path, "default": Path("paper")},
    "beside": {"type": Path, "help": "folder of published scales, whose results are put beside these"},
    "experiments": {"type": Path, "default": Path(SUITE), "help": "folder of experiments (default: experiments)"},
    "stack": {},
    "runs": {"choices": ("selected", "all"), "help": "which runs: those that claims read, or all (WANDB_RUNS)"},
    "part": {
        "choices": ("runs", "overview"),
        "help": "single runs and sweeps, or what holds figures and report (default: both)",
    },
    "jobs": {"type": int, "default": 1, "help": "number of processes that write"},
    "name": {},
    "budget": {"default": "", "help": "e.g. 25m: name the experiments with the most unpublished claims that fit"},
    "term": {"default": "", "help": "a term, or <term>/<name> of an experiment"},
    "since": {"type": float},
    "accelerator": {"choices": ("cpu", "gpu"), "default": "cpu", "help": "cpu (default) or gpu"},
    "calibration": {"type": Path, "help": "file of this machine's speed, as `seven-terms calibrate` writes it"},
    "devices": {"type": _numbers, "default": (), "help": "numbers of devices to compare, e.g. 1,8,64"},
    "brief": {"action": "store_true", "help": "say the total only"},
}


@functools.cache
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
