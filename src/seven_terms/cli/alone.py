"""The whole way in one process, for a folder of one's own: plan, train, judge, draw. No Snakemake, no LaTeX, no clone."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..records.folder import Folder
from ..records.plans import Plan
from ..running.at_work import hold
from ..running.progress import say
from ..spec import Experiment, Scale


def run_alone(experiments: Iterable[Experiment], folder: Folder, *, scale: Scale, only: str, accelerator: str) -> None:
    """Train what is missing of experiments, then make summaries, claims, verdicts and figures; a second call trains nothing."""
    from ..planning import plans_at, write_plans

    plans = plans_at(experiments, scale, only=only)
    with contextlib.closing(hold(folder.shared) or io.StringIO()):
        write_plans(plans, folder.path, among=experiments)
        _train(plans, folder, accelerator=accelerator)
        _judge(plans, folder)
        _draw(plans, folder)


def _train(plans: Mapping[str, Plan], folder: Folder, *, accelerator: str) -> None:
    stacks = [(name, stack) for name, plan in plans.items() for stack in plan.stacks]
    missing = [(name, stack) for name, stack in stacks if not folder.metrics(name, stack).is_file()]
    say(
        f"to train: {len(missing)} of {len(stacks)} stacks, {sum(len(plan.every_run) for plan in plans.values())} runs in all"
    )
    if not missing:
        return
    from ..training import train_stack

    for number, (name, stack) in enumerate(missing, start=1):
        started = time.monotonic()
        train_stack(
            plan_path=folder.plan(name),
            stack_id=stack,
            output_path=folder.metrics(name, stack),
            state_dir=folder.shared / "state" / stack,
            accelerator=accelerator,
        )
        say(f"trained {name}, stack {number} of {len(missing)}, in {time.monotonic() - started:.1f} s")


def _judge(plans: Mapping[str, Plan], folder: Folder) -> None:
    from ..statistics import list_runs, summarize, verdicts

    for name, plan in plans.items():
        paths = {"summary_path": folder.summary(name), "claims_path": folder.claims(name)}
        summarize(plan, folder.metrics_of(name), **paths)
    list_runs(folder.path, folder.table("runs"))
    verdicts(folder.path, folder.table("verdicts"))


def _draw(plans: Mapping[str, Plan], folder: Folder) -> None:
    from ..figures import draw

    for name, plan in plans.items():
        for figure in plan.experiment.figures:
            path = folder.figure(f"{name}/{figure.name}")
            draw(plan, folder.summary(name), name=figure.name, output_path=path)
            say(f"drew {path}")


def shown(folder: Path) -> str:
    """Return the verdicts of a folder as a table, and what to know about some of them."""
    from ..report.inputs import read_verdicts
    from ..report.terminal import shown_lines

    return "\n".join(shown_lines(read_verdicts(folder)))
