"""What W&B receives: a run of its own for every selected run, for every arm's sweep, and one for the results as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ..records.canonical import encode
from ..records.plans import Plan
from ..records.runs import Run
from ..spec import Experiment
from ..spec.metrics import Direction, recorded

AXIS = "trainer/step"
MAX_POINTS = 40  # logged steps a run: a mirror is for looking at, the parquet file has every row
MAX_INDEX = 16  # of a metric by layer or unit, so many are logged
MAX_TAG = 64  # characters that W&B allows
Table = tuple[Sequence[str], Sequence[Sequence[Any]]]  # columns, rows


@dataclass(frozen=True, kw_only=True, slots=True)
class MirroredRun:
    """One W&B run. `kind`: "run", "sweep" or "overview"; `label` names it in lists; `history` is in the order of `axis`."""

    kind: str
    key: str
    group: str
    job_type: str
    label: str
    tags: tuple[str, ...]
    notes: str
    config: Mapping[str, Any]
    summary: Mapping[str, Any]
    axis: str = AXIS
    history: Sequence[Mapping[str, float]] = ()
    directions: Mapping[str, Direction] = field(
        default_factory=dict
    )  # of the history's names: which end is the good one
    tables: Mapping[str, Table] = field(default_factory=dict)
    images: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)  # the artifact

    @property
    def attempt(self) -> str:
        """A hash of all that is sent: the same results make the same W&B run again, others a new one."""
        told = [getattr(self, name) for name in ("tags", "notes", "config", "summary", "history", "tables")]
        told += [{name: _digest(path) for name, path in {**self.images, **self.files}.items()}]
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:8]

    @property
    def id(self) -> str:
        return f"{self.key}-{self.attempt}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What all W&B runs of an arm say: made once, since there are many of them. `directions`: by metric, without index."""

    group: str
    tags: tuple[str, ...]
    notes: str
    config: Mapping[str, Any]
    directions: Mapping[str, Direction]

    def directions_of(self, history: Sequence[Mapping[str, float]]) -> dict[str, Direction]:
        """Return which way is better for each name of a history: `metric`, `metric/index` or `last/metric`."""
        names = {name for values in history for name in values}
        return {name: self.directions.get(name.removeprefix("last/").split("/")[0], "none") for name in sorted(names)}


def about_arms(plan: Plan, verdicts: pd.DataFrame) -> dict[str, About]:
    """Return what the runs of each arm say; `verdicts`: those of the experiment."""
    experiment, found = plan.experiment, {}
    directions = _directions(experiment)
    for arm in dict.fromkeys(run.arm for run in plan.every_run):
        served = served_by(arm, verdicts)
        told = {"tags": tags_of(plan, arm, served), "notes": notes_of(plan, served), "config": identity(plan, arm)}
        found[arm] = About(group=experiment.path, directions=directions, **told)
    return found


def _directions(experiment: Experiment) -> dict[str, Direction]:
    """Return which way is better for every metric: as the first arm says that records it."""
    found: dict[str, Direction] = {}
    for arm in experiment.arms:
        for name, metric in recorded(experiment, arm.training).items():
            found.setdefault(name, metric.direction)
    return found


def run_content(run: Run, table: pd.DataFrame, record: Mapping[str, Any], *, about: About) -> MirroredRun:
    """Return what W&B receives of one run, from its rows of a metrics file and the stack's record."""
    end, origin, history = record["runs"][run.id], record["provenance"], _history(table)
    return MirroredRun(
        kind="run",
        key=run.id,
        group=about.group,
        job_type=run.arm,
        label=f"{run.arm}-{spelled(run.settings)}s{run.seed}",
        tags=about.tags,
        notes=about.notes,
        config={
            "kind": "run",
            "run_key": run.id,
            **about.config,
            **run.settings,
            "seed": run.seed,
            **end,
            "mode": run.mode,
            "stack": record["stack"],
            **flat_provenance(origin),
            **flat(encode(run.training), "training"),
        },
        summary={**end, "duration_seconds": record["duration_seconds"] / len(record["runs"])},
        history=history,
        directions=about.directions_of(history),
    )


def served_by(arm: str, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts of the claims that read an arm."""
    reads = [arm in json.loads(text or "{}") for text in verdicts["selected"]]
    return verdicts[pd.Series(reads, index=verdicts.index, dtype=bool)]


def identity(plan: Plan, arm: str) -> dict[str, Any]:
    label = next((one.label for one in plan.experiment.arms if one.name == arm), arm)
    names = {"term": plan.experiment.term, "experiment": plan.experiment.path, "arm": arm, "arm_label": label}
    return {**names, "at_scale": plan.scale, "base_seed": plan.base_seed}


def spelled(settings: Mapping[str, Any]) -> str:
    """Return settings as they stand in a name: "lr=0.1-width=32-"."""
    names = {"learning_rate": "lr"}
    numbers = ((name, value) for name, value in settings.items() if isinstance(value, (int, float, str)))
    each = (
        f"{names.get(name, name)}={value if isinstance(value, str) else format(value, 'g')}-" for name, value in numbers
    )
    return "".join(each).replace("/", "_")


def tags_of(plan: Plan, arm: str, verdicts: pd.DataFrame) -> tuple[str, ...]:
    """Return term, experiment, arm and scale, and the verdicts of the claims that read the arm."""
    words = [plan.experiment.term, plan.experiment.name, arm, plan.scale, *sorted(set(verdicts["verdict"]))]
    return tuple(dict.fromkeys(word[:MAX_TAG] for word in words if word))


def notes_of(plan: Plan, verdicts: pd.DataFrame) -> str:
    """Return the question, the claims with their verdicts, and the command that repeats the run."""
    claims = [f"- {row.claim} {row.form}: {row.statement} ({row.verdict})" for row in verdicts.itertuples()]
    seed = f" BASE_SEED={plan.base_seed}" if plan.base_seed else ""
    command = f'make report SCALE={plan.scale} ONLY="{plan.experiment.path}"{seed}'
    return "\n".join([plan.experiment.question, *claims, f"Repeat it with `{command}`."])


def flat_provenance(origin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in origin.items() if not isinstance(value, Mapping)} | flat(
        {name: value for name, value in origin.items() if isinstance(value, Mapping)}, ""
    )


def flat(data: Any, path: str) -> dict[str, Any]:
    """Return nested data as {"training/optimizer": "Sgd", "training/optimizer/learning_rate": 0.1, ...}."""
    if not isinstance(data, Mapping):
        return {path: data}
    if data.get("is") == "float":
        return {path: data["value"]}  # "inf": a server takes no JSON that is not finite
    found: dict[str, Any] = {path: data["is"]} if "is" in data else {}
    for name, value in data.items():
        if name != "is":
            found |= flat(value, f"{path}/{name}" if path else name)
    return found


def _history(table: pd.DataFrame) -> list[dict[str, float]]:
    """Return the values of a run by step, thinned to MAX_POINTS; indexed metrics are named `metric/index`."""
    steps = sorted(table["step"].unique().tolist())
    kept = set(steps[:: -(-len(steps) // MAX_POINTS) or 1] + steps[-1:])
    history: dict[int, dict[str, float]] = {}
    columns = (table[name].tolist() for name in ("step", "metric", "index", "value"))
    for step, metric, index, value in zip(*columns, strict=True):
        if step in kept and index < MAX_INDEX:
            history.setdefault(step, {AXIS: step})[metric if index < 0 else f"{metric}/{index}"] = value
    return [history[step] for step in sorted(history)]
