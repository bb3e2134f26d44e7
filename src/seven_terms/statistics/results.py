"""An experiment's runs and their metrics in memory: what every measure, selection and estimate reads.

Runs are addressed by position in plan order; each metric is one table sorted by run, step and index, made once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from ..records.plans import Plan
from ..records.runs import Run
from ..records.tables import read_experiment_metrics, read_stack_record
from ..spec import Experiment, read_path, require
from . import theory

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """`length` is the number of updates that a run was to make: the budget, and the unit of `fraction`."""

    experiment: Experiment
    ids: pd.Index
    runs: tuple[Run, ...]
    diverged: np.ndarray
    length: np.ndarray
    recorded: Mapping[str, pd.DataFrame]
    _remembered: dict[Any, Any] = field(default_factory=dict, repr=False)

    def remember(self, key: Any, make: Callable[[], T]) -> T:
        """Return what `make` returned the first time: measures and selections are asked for again and again."""
        if key not in self._remembered:
            self._remembered[key] = make()
        return self._remembered[key]

    def table(self, metric: str) -> pd.DataFrame:
        """Return the rows (run, step, index, value) of a metric; ValueError when no run recorded it."""
        require(
            metric in self.recorded,
            what=f"experiment {self.experiment.path!r}",
            must=f"metric {metric!r} must be recorded",
            got=sorted(self.recorded),
            do="add the probe that writes it",
        )
        return self.recorded[metric]


def load_results(plan: Plan, metrics_dir: Path) -> Results:
    """Return the results of a plan from `<metrics_dir>/<stack id>.parquet`; ValueError when runs are missing."""
    paths = [path for stack in plan.stacks if (path := metrics_dir / f"{stack}.parquet").is_file()]
    metrics = read_experiment_metrics(paths, expected=set(plan.runs), experiment=plan.experiment.name)
    records: dict[str, Any] = {}
    for path in paths:
        records |= read_stack_record(path)["runs"]
    return results_of(plan, metrics, records)


def results_of(plan: Plan, metrics: pd.DataFrame, records: Mapping[str, Mapping[str, Any]]) -> Results:
    """Return the results of a plan from its long metrics table and its runs' end records."""
    planned = plan.runs
    ids = pd.Index(list(planned), name="run_id")
    ends = [records[run_id] for run_id in ids]
    diverged = np.array([end["status"] == "diverged" for end in ends], dtype=bool)
    lengths = [
        run.training.num_steps if end["status"] == "diverged" else end["steps"]
        for run, end in zip(planned.values(), ends, strict=True)
    ]
    return Results(
        experiment=plan.experiment,
        ids=ids,
        runs=tuple(planned.values()),
        diverged=diverged,
        length=np.array(lengths, dtype=float),
        recorded=_by_metric(metrics, ids),
    )


def _by_metric(metrics: pd.DataFrame, ids: pd.Index) -> dict[str, pd.DataFrame]:
    codes, found = pd.factorize(metrics["run_id"])
    table = pd.DataFrame(
        {
            "run": ids.get_indexer(pd.Index(found))[codes],
            "step": metrics["step"].to_numpy(np.int64),
            "index": metrics["index"].to_numpy(np.int64),
            "value": metrics["value"].to_numpy(float),
        }
    )
    kinds, names = pd.factorize(metrics["metric"])
    order = np.lexsort((table["index"], table["step"], table["run"], kinds))
    starts = np.searchsorted(kinds[order], np.arange(len(names) + 1))
    table = table.iloc[order].reset_index(drop=True)
    return {str(name): table.iloc[starts[i] : starts[i + 1]].reset_index(drop=True) for i, name in enumerate(names)}


def setting(run: Run, name: str) -> Any:
    """Return a sweep value by its short name, what theory says of the run, or the field at a path into its training."""
    if name in run.settings:
        return run.settings[name]
    return theory.predict(name, run.training) if name in theory.PREDICTIONS else read_path(run.training, name)


def number(run: Run, name: str) -> float:
    """Return a setting as a number; ValueError when it is something else."""
    value = setting(run, name)
    require(
        isinstance(value, (int, float)), what=f"setting {name!r} of arm {run.arm!r}", must="must be a number", got=value
    )
    return float(value)


def as_coordinate(value: Any) -> float | int | str:
    """Return a sweep value as an axis shows it: numbers stay, records become the name of their class."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return type(value).__name__ if dataclasses.is_dataclass(value) else str(value)
