"""The plan of an experiment at one scale: its stacks, and the file that holds them; standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..spec import Experiment, Scale, require
from .canonical import decode, encode
from .runs import Run, Stack

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


def plan_text(plan: Plan) -> str:
    stacks = {
        stack_id: [{"id": run.id, **encode(run)} for run in stack.runs] for stack_id, stack in plan.stacks.items()
    }
    # Keys stay unsorted: figures list labels in the author's order, and the content is read from the first line.
    header = {"content": plan.content, "scale": plan.scale, "base_seed": plan.base_seed}
    return json.dumps({**header, "experiment": encode(plan.experiment), "stacks": stacks}, indent=1) + "\n"


def holds(path: Path, plan: Plan) -> bool:
    if not path.is_file():
        return False
    with open(path) as file:
        return file.readline() + file.readline() == f'{{\n "content": "{plan.content}",\n'


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
