"""The plan folder of the results: a file per experiment, and the tables of all stacks and all experiments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..records.atomic import is_whole, remove, write
from ..records.folder import Folder
from ..records.plans import Plan, holds, plan_text
from ..spec import SCALES, Experiment, Scale
from .selection import make_plan
from .stacks import expected_seconds, workload_of


def write_plan(experiment: Experiment, path: Path, *, scale: Scale, base_seed: int = 0) -> None:
    """Write the plan of an experiment: the experiment itself, its stacks and its runs, as JSON."""
    write(path, plan_text(make_plan(experiment, scale=scale, base_seed=base_seed)), beside=False)


def write_plans(plans: Mapping[str, Plan], results_dir: Path, *, among: Iterable[Experiment] = ()) -> None:
    """Write <results_dir>/plan: a file for each plan whose content changed, the table of all stacks and of all experiments.

    Files of experiments that are no longer planned are deleted, since the later stages go by what is there. `among` are the
    experiments that could be planned, at this scale or another; without them, those that are.
    """
    folder = Folder(results_dir)
    paths = {folder.plan(name): plan for name, plan in plans.items()}
    for path in set(results_dir.glob("plan/*/*.json")) - set(paths):
        remove(path)
    for path, plan in paths.items():
        if not holds(path, plan):
            write(path, plan_text(plan), beside=False)
    tables = {"stacks": _stack_table(plans), "experiments": _experiment_table(plans, among)}
    for path, text in ((folder.table(f"plan/{name}"), text) for name, text in tables.items()):
        if not is_whole(path) or path.read_text(encoding="utf-8") != text:
            write(path, text)


def _stack_table(plans: Mapping[str, Plan]) -> str:
    """Return one row per stack, for people and for the progress lines: what it trains and what it should cost."""
    rows = ["experiment,stack,num_runs,num_steps,flops,expected_seconds"]
    for name, plan in plans.items():
        for stack_id, stack in plan.stacks.items():
            cost = f"{workload_of(stack).flops:.3g},{expected_seconds(stack):.3g}"
            rows.append(f"{name},{stack_id},{len(stack.runs)},{stack.num_steps},{cost}")
    return "\n".join(rows) + "\n"


def _experiment_table(plans: Mapping[str, Plan], among: Iterable[Experiment]) -> str:
    """Return one row per experiment of the paper: the scales that it runs at, and whether it is planned here."""
    rows = ["experiment,scales,planned"]
    for experiment in tuple(among) or [plan.experiment for plan in plans.values()]:
        scales = " ".join(scale for scale in SCALES if experiment.runs_at(scale))
        rows.append(f"{experiment.path},{scales},{experiment.path in plans}")
    return "\n".join(rows) + "\n"
