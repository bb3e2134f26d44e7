"""Experiments whose metrics are written by a formula instead of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from seven_terms import spec
from seven_terms.planning.selection import make_plan
from seven_terms.records.plans import Plan
from seven_terms.records.runs import Run
from seven_terms.records.tables import METRICS, write_metrics
from seven_terms.spec import (
    Arm,
    Direction,
    Experiment,
    Metric,
    Point,
    Quadratic,
    Selection,
    Stream,
    Training,
    checked,
)
from seven_terms.statistics.results import Results, results_of

TRAINING = Training(task=Quadratic(dimension=2), model=Point(dimension=2), num_steps=100)
DIRECTIONS: dict[str, Direction] = {
    "loss": "min",
    "test_loss": "min",
    "train_loss": "min",
    "validation_loss": "min",
} | {
    "test_accuracy": "max",
    "validation_accuracy": "max",
}
SCALARS = (*DIRECTIONS, "learning_rate", "probe", "half", "reaches", "low", "middle", "high", "x", "y")
LAYERED = ("layer", "layers")


@checked
class ByFormula(Stream):
    """A probe that records what a test writes by formula."""

    def metrics(self, training: Training) -> tuple[Metric, ...]:
        """Return metrics without an index, and some with one for each layer."""
        scalars = (Metric(name=name, direction=DIRECTIONS.get(name, "none"), split=split_of(name)) for name in SCALARS)
        return (*scalars, *(Metric(name=name, index="layer") for name in LAYERED))


setattr(spec, ByFormula.__name__, ByFormula)


def split_of(name: str) -> Any:
    first = name.partition("_")[0]
    return first if first in ("train", "validation", "test") else None


Recorded = Mapping[str, Any]  # metric -> {step: value} or {(step, index): value}, or a number for the last step
Record = Callable[[Run], Recorded]


def make_experiment(*names: str, **changes: Any) -> Experiment:
    """Return an experiment with arms of the given names and three seeds."""
    settings: dict[str, Any] = {
        "name": "made_up",
        "term": "lr_schedule",
        "title": "Made up",
        "question": "Is it?",
        "method": "By formula.",
        "arms": tuple(Arm(name=name, label=name, training=TRAINING) for name in names or ("a", "b")),
        "num_seeds": 3,
        "probes": (ByFormula(),),
        "selection": Selection(metric="validation_loss"),
    }
    return Experiment(**{**settings, **changes})


def make_results(
    experiment: Experiment, record: Record, *, diverged: Callable[[Run], bool] = lambda run: False
) -> Results:
    """Return the results of an experiment whose run's metrics are `record(run)`."""
    plan = make_plan(experiment, scale="laptop")
    return results_of(plan, metrics_of(plan.runs, record), ends_of(plan.runs, diverged))


def write_results(
    experiment: Experiment, record: Record, folder: Path, *, diverged: Callable[[Run], bool] = lambda run: False
) -> Plan:
    """Write the metrics file of each stack into a folder and return the plan."""
    plan = make_plan(experiment, scale="laptop")
    for stack_id, stack in plan.stacks.items():
        runs = {run.id: run for run in stack.runs}
        stack_record = {
            "runs": ends_of(runs, diverged),
            "duration_seconds": 6.0,
            "processor_seconds": 5.0,
            "provenance": {"commit": "abc", "processor": "none", "device": "cpu"}
            | {"num_cores": 2, "python": "3.12.0", "versions": {"torch": "2.13.0"}},
        }
        write_metrics(metrics_of(runs, record), folder / f"{stack_id}.parquet", stack=stack_record)
    return plan


def metrics_of(runs: Mapping[str, Run], record: Record) -> pd.DataFrame:
    rows = []
    for run_id, run in runs.items():
        for metric, values in record(run).items():
            values = values if isinstance(values, Mapping) else {run.training.num_steps: values}
            for where, value in values.items():
                step, index = where if isinstance(where, tuple) else (where, -1)
                rows.append((run_id, step, metric, index, float(value)))
    return pd.DataFrame(rows, columns=list(METRICS))


def ends_of(runs: Mapping[str, Run], diverged: Callable[[Run], bool]) -> dict[str, Any]:
    completed = {"status": "completed", "diverged_at_step": None}
    stopped = {"status": "diverged", "diverged_at_step": 40}
    return {
        run_id: {**(stopped if diverged(run) else completed), "steps": run.training.num_steps}
        for run_id, run in runs.items()
    }


RATES = (0.1, 0.2, 0.4, 0.8)


def sweep(record: Callable[[Run], dict], *, diverged: Callable[[Run], bool] = lambda run: False) -> Results:
    paths = {"optimizer.learning_rate": RATES, "num_steps": (50, 100, 200)}
    arms = tuple(Arm(name=name, label=name, training=TRAINING, sweep=paths) for name in "ab")
    return make_results(make_experiment(arms=arms), record, diverged=diverged)
