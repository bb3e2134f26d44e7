"""The plan of an experiment at one scale: its stacks, and the file that holds them; standard library only."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..spec import Experiment, Scale, require
from ..spec.content import import_folders
from .atomic import UNSTAMPED, is_stamped_right, read_stamped, stamped
from .canonical import ID_LENGTH, decode, encode, part_json
from .runs import Run, Stack

PLAN_FORMAT = 1  # raised by every commit that changes the form of plan files: all are written again
_PATH = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_]*")
_ID = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
AGAIN = "make the plan again with `seven-terms plan`"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The stacks of one experiment at one scale and base seed: what a plan file holds."""

    scale: Scale
    base_seed: int
    experiment: Experiment
    stacks: Mapping[str, Stack]

    @property
    def runs(self) -> dict[str, Run]:
        return {run.id: run for run in self.every_run}

    @property
    def every_run(self) -> tuple[Run, ...]:
        """The runs in the order of the stacks, for whom their ids, a hash each, are not worth the time."""
        return tuple(run for stack in self.stacks.values() for run in stack.runs)

    @property
    def content(self) -> str:
        """What the stages after training depend on: the experiment as written (order included) and its stacks."""
        record = [PLAN_FORMAT, self.scale, self.base_seed, encode(self.experiment), list(self.stacks)]
        return hashlib.sha256(json.dumps(record).encode()).hexdigest()[:10]


def plan_text(plan: Plan) -> str:
    """Return the text of a plan file: one line per run, written from parts that are remembered."""
    # Keys stay unsorted: figures list labels in the author's order, and the content is read from the first line.
    header = {"content": plan.content, "sha256": UNSTAMPED, "scale": plan.scale, "base_seed": plan.base_seed}
    experiment = encode(plan.experiment)
    folders = import_folders(json.dumps(experiment))
    header |= {"imports": folders} if folders else {}
    top = json.dumps({**header, "experiment": experiment}, indent=1).removesuffix("\n}")
    stacks = ",\n".join(
        f'  "{stack_id}": [\n' + ",\n".join(f"   {_run_json(run)}" for run in stack.runs) + "\n  ]"
        for stack_id, stack in plan.stacks.items()
    )
    return stamped(f'{top},\n "stacks": {{\n{stacks}\n }}\n}}\n'.encode()).decode()


def _run_json(run: Run) -> str:
    parts = {"training": part_json(run.training), "probes": part_json(run.probes)}
    rest = {
        field.name: encode(getattr(run, field.name)) for field in dataclasses.fields(run) if field.name not in parts
    }
    values = {name: json.dumps(value) for name, value in ({"id": run.id, "is": "Run"} | rest).items()} | parts
    return "{" + ", ".join(f'"{name}": {text}' for name, text in values.items()) + "}"


def holds(path: Path, plan: Plan) -> bool:
    """Return whether a file is a whole one of this plan."""
    if not path.is_file():
        return False
    data = path.read_bytes()
    return data.startswith(f'{{\n "content": "{plan.content}",\n'.encode()) and is_stamped_right(data)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Stacks(Mapping[str, Stack]):
    """The stacks in a plan file, each made and checked when it is first asked for."""

    path: Path
    experiment: str
    records: Mapping[str, list[dict[str, Any]]]
    made: dict[str, Stack] = field(default_factory=dict)

    def __getitem__(self, stack_id: str) -> Stack:
        if stack_id not in self.made:
            self.made[stack_id] = _stack(self.path, stack_id, self.experiment, self.records[stack_id])
        return self.made[stack_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; ValueError when it is not as it was written.

    A stack is made when it is asked for, with a ValueError where its id does not follow from its records: what needs the
    experiment alone, as a figure does, does not wait for thousands of runs.
    """
    data = _data(path)
    experiment = decode(data["experiment"])
    stacks = _Stacks(path=path, experiment=experiment.path, records=data["stacks"])
    for stack_id in stacks:
        _require_id(path, stack_id, _ID.fullmatch(stack_id), got="no id")
    plan = Plan(scale=data["scale"], base_seed=data["base_seed"], experiment=experiment, stacks=stacks)
    require(
        plan.content == data["content"],
        what=f"plan {str(path)!r}",
        must="its content must be that of its records with this version of seven-terms",
        got=data["content"],
        do=AGAIN,
    )
    return plan


def read_stack(path: Path, stack_id: str) -> tuple[Scale, Stack]:
    """Return the scale and one stack of a plan file, without making the others; ValueError as from `read_plan`."""
    data = _data(path)
    require(
        stack_id in data["stacks"],
        what=f"plan {str(path)!r}",
        must=f"it must hold stack {stack_id!r}",
        got=sorted(data["stacks"])[:4],
        do=AGAIN,
    )
    experiment = "{term}/{name}".format_map(data["experiment"])  # whose claims and figures a training does not read
    if not _PATH.fullmatch(experiment):
        decode(data["experiment"])  # says what a name must be
    stack = _stack(path, stack_id, experiment, data["stacks"][stack_id])
    return data["scale"], stack


def read_records(path: Path) -> tuple[Experiment, dict[str, list[dict[str, Any]]]]:
    """Return the experiment of a plan file, and the runs of each stack as JSON data: tens of thousands in a second."""
    data = _data(path)
    return decode(data["experiment"]), data["stacks"]


def _data(path: Path) -> dict[str, Any]:
    data = json.loads(read_stamped(path))
    require(
        isinstance(data, dict) and {"content", "scale", "base_seed", "experiment", "stacks"} <= set(data),
        what=f"plan {str(path)!r}",
        must="it must be a file that `seven-terms plan` wrote",
        got=type(data).__name__,
        do=AGAIN,
    )
    sys.path += [folder for folder in data.get("imports", ()) if folder not in sys.path]
    return data


def _run(record: dict[str, Any]) -> Run:
    """Return a run; runs that differ in their seeds share one training and one list of probes, made and checked once."""
    shared = {name: _part(json.dumps(record[name])) for name in ("training", "probes")}
    rest = {key: value for key, value in record.items() if key not in ("id", "is", *shared)}
    return Run(**decode(rest), **shared)


@functools.lru_cache(maxsize=10_000)
def _part(text: str) -> Any:
    return decode(json.loads(text))


def _stack(path: Path, stack_id: str, experiment: str, records: list[dict[str, Any]]) -> Stack:
    runs = tuple(_run(record) for record in records)
    stack = Stack(experiment=experiment, runs=runs)
    matches = stack.id == stack_id and {run.experiment for run in runs} == {experiment}
    _require_id(path, stack_id, matches, got=stack.id)
    return stack


def _require_id(path: Path, stack_id: str, matches: object, *, got: str) -> None:
    must = f"stack {stack_id} must match its runs"
    require(bool(matches), what=f"plan {str(path)!r}", must=must, got=got, do=AGAIN)
