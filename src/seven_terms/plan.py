"""The plan of an experiment at one scale: its stacks, and the file that holds them.

Standard library only, so that the Snakefile and each cluster job parse in well under a second.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .canonical import decode, encode
from .modes import Compiling as Compiling
from .spec import SCALES, Experiment, Scale, require
from .stacks import Run as Run
from .stacks import Stack as Stack
from .stacks import program_key as program_key
from .stacks import runs_of as runs_of
from .stacks import stacks_of as stacks_of

PLAN_FORMAT = 1  # raised by every commit that changes the form of plan files: all are written again


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The stacks of one experiment at one scale and base seed: what a plan file holds."""

    scale: Scale
    base_seed: int
    experiment: Experiment
    stacks: Mapping[str, Stack]

    @property
    def runs(self) -> dict[str, Run]:
        return {run.id: run for stack in self.stacks.values() for run in stack.runs}

    @property
    def content(self) -> str:
        """What the stages after training depend on: the experiment as written (order included) and its stacks."""
        record = [PLAN_FORMAT, self.scale, self.base_seed, encode(self.experiment), list(self.stacks)]
        return hashlib.sha256(json.dumps(record).encode()).hexdigest()[:10]


def make_plan(experiment: Experiment, *, scale: Scale, base_seed: int = 0, compiling: Compiling = "never") -> Plan:
    """Return the plan of an experiment (already at its scale)."""
    stacks = {stack.id: stack for stack in stacks_of(experiment, base_seed=base_seed, compiling=compiling)}
    return Plan(scale=scale, base_seed=base_seed, experiment=experiment, stacks=stacks)


def plans_at(
    experiments: Iterable[Experiment],
    scale: Scale,
    *,
    base_seed: int = 0,
    compiling: Compiling = "auto",
    only: str = "",
) -> dict[str, Plan]:
    """Return the plan of every experiment that runs at a scale, by "<term>/<name>", in the paper's order.

    `only` limits them to a selection (see `selected`), `compiling` says which modes runs may have (see `modes`).
    """
    options = {"scale": scale, "base_seed": base_seed, "compiling": compiling}
    return {
        experiment.path: make_plan(experiment, **options)
        for experiment in at_scale(selected(experiments, scale, only=only), scale)
    }


def write_plan(experiment: Experiment, path: Path, *, scale: Scale, base_seed: int = 0) -> None:
    """Write the plan of an experiment: the experiment itself, its stacks and its runs, as JSON."""
    _write_text(path, _plan_text(make_plan(experiment, scale=scale, base_seed=base_seed)))


def write_plans(plans: Mapping[str, Plan], results_dir: Path, *, among: Iterable[Experiment] = ()) -> None:
    """Write <results_dir>/plan: a file for each plan whose content changed, the table of all stacks and of all experiments.

    Files of experiments that are no longer planned are deleted, since the later stages go by what is there. `among` are the
    experiments that could be planned, at this scale or another; without them, those that are.
    """
    paths = {results_dir / "plan" / f"{name}.json": plan for name, plan in plans.items()}
    for path in set((results_dir / "plan").glob("*/*.json")) - set(paths):
        path.unlink(missing_ok=True)
    for path, plan in paths.items():
        if not _holds(path, plan):
            _write_text(path, _plan_text(plan))
    tables = {"stacks": _stack_table(plans), "experiments": _experiment_table(plans, among)}
    for path, text in ((results_dir / "plan" / f"{name}.csv", text) for name, text in tables.items()):
        if not path.is_file() or path.read_text() != text:
            _write_text(path, text)


def _plan_text(plan: Plan) -> str:
    stacks = {
        stack_id: [{"id": run.id, **encode(run)} for run in stack.runs] for stack_id, stack in plan.stacks.items()
    }
    # Keys stay unsorted: figures list labels in the author's order, and the content is read from the first line.
    header = {"content": plan.content, "scale": plan.scale, "base_seed": plan.base_seed}
    return json.dumps({**header, "experiment": encode(plan.experiment), "stacks": stacks}, indent=1) + "\n"


def _holds(path: Path, plan: Plan) -> bool:
    if not path.is_file():
        return False
    with open(path) as file:
        return file.readline() + file.readline() == f'{{\n "content": "{plan.content}",\n'


def _stack_table(plans: Mapping[str, Plan]) -> str:
    """Return one row per stack, for people and for the progress lines: what it trains and what it should cost."""
    rows = ["experiment,stack,num_runs,num_steps,flops,expected_seconds"]
    for name, plan in plans.items():
        for stack_id, stack in plan.stacks.items():
            cost = f"{stack.workload.flops:.3g},{stack.expected_seconds:.3g}"
            rows.append(f"{name},{stack_id},{len(stack.runs)},{stack.num_steps},{cost}")
    return "\n".join(rows) + "\n"


def _experiment_table(plans: Mapping[str, Plan], among: Iterable[Experiment]) -> str:
    """Return one row per experiment of the paper: the scales that it runs at, and whether it is planned here."""
    rows = ["experiment,scales,planned"]
    for experiment in tuple(among) or [plan.experiment for plan in plans.values()]:
        scales = " ".join(scale for scale in SCALES if experiment.runs_at(scale))
        rows.append(f"{experiment.path},{scales},{experiment.path in plans}")
    return "\n".join(rows) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; ValueError when its ids do not follow from its records."""
    data = json.loads(path.read_text())
    experiment = decode(data["experiment"])
    stacks = {}
    for stack_id, records in data["stacks"].items():
        runs = tuple(
            Run(**decode({key: value for key, value in record.items() if key not in ("id", "is")}))
            for record in records
        )
        stack = Stack(experiment=experiment.path, runs=runs)
        require(
            stack.id == stack_id,
            what=f"plan {str(path)!r}",
            must=f"stack {stack_id} must match its runs",
            got=stack.id,
            do="make the plan again with `seven-terms plan`",
        )
        stacks[stack_id] = stack
    return Plan(scale=data["scale"], base_seed=data["base_seed"], experiment=experiment, stacks=stacks)


def at_scale(experiments: Iterable[Experiment], scale: Scale) -> tuple[Experiment, ...]:
    """Return the experiments that run at a scale, changed for it."""
    return tuple(experiment.at_scale(scale) for experiment in experiments if experiment.runs_at(scale))


def selected(experiments: Iterable[Experiment], scale: Scale, *, only: str) -> tuple[Experiment, ...]:
    """Return the experiments of a selection: names "<term>/<name>", or a term for all of its; without names all of them.

    ValueError for a name that none of the scale's experiments has.
    """
    running = [experiment for experiment in experiments if experiment.runs_at(scale)]
    names, known = only.split(), {name for experiment in running for name in (experiment.term, experiment.path)}
    for name in names:
        close = difflib.get_close_matches(name, sorted(known), n=1)
        require(
            name in known,
            what="selection of experiments",
            must=f"each name must be a term or <term>/<name> of an experiment that runs at scale {scale!r}",
            got=name,
            do=f"try {close[0]!r}" if close else "take the name of a file in experiments/, e.g. batch_norm/parts",
        )
    return tuple(one for one in running if not names or one.term in names or one.path in names)
