"""The plan of an experiment at one scale: its stacks, and the file that holds them.

Standard library only, so that the Snakefile and each cluster job parse in well under a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .canonical import decode, encode
from .spec import Experiment, Scale, require
from .stacks import Run as Run
from .stacks import Stack as Stack
from .stacks import program_key as program_key
from .stacks import runs_of as runs_of
from .stacks import stacks_of as stacks_of

Compiling = Literal["auto", "never"]
COMPILERS = ("c++", "g++", "clang++")
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


def make_plan(experiment: Experiment, *, scale: Scale, base_seed: int = 0, may_compile: bool = False) -> Plan:
    """Return the plan of an experiment (already at its scale)."""
    stacks = {stack.id: stack for stack in stacks_of(experiment, base_seed=base_seed, may_compile=may_compile)}
    return Plan(scale=scale, base_seed=base_seed, experiment=experiment, stacks=stacks)


def plans_at(
    experiments: Iterable[Experiment], scale: Scale, *, base_seed: int = 0, compiling: Compiling = "auto"
) -> dict[str, Plan]:
    """Return the plan of every experiment that runs at a scale, by "<term>/<name>", in the paper's order.

    With compiling="auto" long programs are compiled where this machine has a C++ compiler.
    """
    may_compile = compiling == "auto" and any(map(shutil.which, COMPILERS))
    options = {"scale": scale, "base_seed": base_seed, "may_compile": may_compile}
    return {experiment.path: make_plan(experiment, **options) for experiment in at_scale(experiments, scale)}


def write_plan(experiment: Experiment, path: Path, *, scale: Scale, base_seed: int = 0) -> None:
    """Write the plan of an experiment: the experiment itself, its stacks and its runs, as JSON."""
    _write_text(path, _plan_text(make_plan(experiment, scale=scale, base_seed=base_seed)))


def write_plans(plans: Mapping[str, Plan], results_dir: Path) -> None:
    """Write <results_dir>/plan: a file for each plan whose content changed, and the table of all stacks.

    Files of experiments that are no longer planned are deleted, since the later stages go by what is there.
    """
    paths = {results_dir / "plan" / f"{name}.json": plan for name, plan in plans.items()}
    for path in set((results_dir / "plan").glob("*/*.json")) - set(paths):
        path.unlink(missing_ok=True)
    for path, plan in paths.items():
        if not _holds(path, plan):
            _write_text(path, _plan_text(plan))
    table, text = results_dir / "plan" / "stacks.csv", _stack_table(plans)
    if not table.is_file() or table.read_text() != text:
        _write_text(table, text)


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
