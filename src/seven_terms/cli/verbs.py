"""The command line: paths in, paths out. Each verb imports its own stage, so that no verb waits for another's imports."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..running.warm import serve
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
    publish_wandb,
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
    replicate,
    rows,
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
        takes="literature only",
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
    "compare": Verb(compare, "put numbers of the literature beside ours", needs="results literature output"),
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
    "literature": {"type": Path, "default": Path("paper/literature.yaml")},
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
