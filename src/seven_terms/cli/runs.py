"""The verbs from a question to its verdict: each takes parsed options and imports its own stage."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from .experiments import experiments_of, results_at, results_of


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


def plan(options: argparse.Namespace) -> int:
    if options.budget:
        return _name_affordable(options)
    from ..planning import plans_at, write_plans
    from ..planning.forecast import cost_before
    from ..records.folder import Folder
    from ..running.at_work import hold
    from ..tracking.mode import wandb_mode

    wandb_mode()
    experiments = experiments_of(options.experiments)
    settings = {"base_seed": options.base_seed, "compiling": options.compiling, "only": " ".join(options.only)}
    plans = plans_at(experiments, options.scale, **settings)
    folder = Folder(results_at(options, options.scale)).selected(settings["only"])
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
    return 0


def _name_affordable(options: argparse.Namespace) -> int:
    """Name the experiments with the most unpublished claims that can be run in the budget; nothing is written."""
    from ..planning import plans_at
    from ..planning.calibration import calibration_of
    from ..planning.forecast import missing_stacks
    from ..planning.rows import budget_seconds, chosen, published_experiments, rows_of, sentence

    seconds, num_devices = budget_seconds(options.budget), _num_devices(options)
    plans = plans_at(experiments_of(options.experiments), options.scale, compiling=options.compiling)
    calibration = calibration_of(options.accelerator, options.calibration)
    published = options.published or results_of(options.experiments) / "published" / options.scale
    there = options.results or results_of(options.experiments) / options.scale
    missing = missing_stacks(plans, there)
    left = rows_of(plans, calibration, published=published_experiments(published), missing=missing)
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
    from ..training.memory import keep_freed_memory

    keep_freed_memory()
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
    folder = Folder(results_at(options, options.scale)).selected(only)
    settings = {"scale": options.scale, "only": only, "accelerator": options.accelerator}
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


def compare(options: argparse.Namespace) -> None:
    from ..report import compare

    compare(options.results, options.literature, options.output)
