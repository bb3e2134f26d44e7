"""A small results folder, trained for the tests of the mirror: one experiment, two arms, three rates, two seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from seven_terms.planning import write_plan
from seven_terms.records.plans import read_plan
from seven_terms.records.tables import (
    COMPARISONS,
    EXPERIMENTS,
    NOISE_FLOOR,
    RUNS,
    TIMING,
    VERDICTS,
    write_csv,
    write_metrics,
)
from seven_terms.spec import (
    Above,
    Arm,
    Claim,
    Curve,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Initialization,
    Last,
    Mlp,
    PairedDifference,
    Panel,
    Selected,
    Stream,
    Training,
)

TRAINING = Training(task=Digits(resolution=7), model=Mlp(depth=1, width=4, activation="relu"),
                    initialization=Initialization(kind="lecun"), num_steps=6, batch_size=10)  # fmt: skip
RATES = (0.1, 0.5, 2.0)
EXPERIMENT = Experiment(
    name="rates",
    term="learning_rate",
    title="Rates",
    question="Which rate is best?",
    method="Three rates.",
    arms=(
        Arm(name="plain", label="plain network", training=TRAINING),
        Arm(name="wide", label="wide network", training=TRAINING, sweep={"model.width": (8, 16)}),
        Arm(name="fixed", label="one setting", training=TRAINING, sweep={"optimizer.learning_rate": (0.1,)}),
    ),
    sweep={"optimizer.learning_rate": RATES},
    num_seeds=2,
    noise_floor_arm=None,
    probes=(Stream(), Evaluate()),
    figures=(
        Figure(name="curves", caption="Loss.", panels=(
            Panel(title="loss", content=Curve(metric="validation_loss", runs={"plain": Selected("plain")}),
                  x_label="step", y_label="loss"),
        )),
    ),
    claims=(
        Claim(
            id="LR1", statement="It learns.", source="S1", unit="loss", because="It must.", rule=Above(0.0),
            estimate=PairedDifference(measure=Last("test_loss"), runs=Selected("plain"), baseline=Selected("wide")),
        ),
    ),
)  # fmt: skip
METRICS = ("batch_loss", "validation_loss", "test_accuracy")
DIVERGES = 2.0  # the rate at which runs of `plain` diverge


def make_results(folder: Path, *, selected: dict | None = None) -> Path:
    """Write plan, metrics, tables and a picture of invented results; return the folder."""
    plan_path = folder / "plan" / f"{EXPERIMENT.path}.json"
    write_plan(EXPERIMENT, plan_path, scale="laptop")
    plan = read_plan(plan_path)
    for stack in plan.stacks.values():
        _write_stack(folder, stack)
    write_csv(pd.DataFrame(columns=list(RUNS)), folder / "runs.csv", kind="runs")
    write_csv(pd.DataFrame(columns=list(TIMING)), folder / "timing.csv", kind="timing")
    chosen = {"plain": {"optimizer.learning_rate": 0.5}} if selected is None else selected
    verdict = dict.fromkeys(VERDICTS) | {
        "claim": "LR1", "form": "", "term": "learning_rate", "experiment": EXPERIMENT.path, "statement": "It learns.",
        "verdict": "supported", "effect": 1.0, "low": 0.5, "high": 1.5, "num_runs": 4, "selected": json.dumps(chosen),
    }  # fmt: skip
    write_csv(pd.DataFrame([verdict], columns=list(VERDICTS)), folder / "verdicts.csv", kind="verdicts")
    write_csv(pd.DataFrame(columns=list(COMPARISONS)), folder / "comparisons.csv", kind="comparisons")
    write_csv(pd.DataFrame(columns=list(NOISE_FLOOR)), folder / "noise_floor.csv", kind="noise_floor")
    write_csv(pd.DataFrame(columns=list(EXPERIMENTS)), folder / "plan" / "experiments.csv", kind="experiments")
    _write_picture(folder / "figures" / EXPERIMENT.path / "rates.png")
    (folder / "seven-terms.pdf").write_bytes(b"%PDF-1.4 made up")
    return folder


def _write_stack(folder: Path, stack) -> None:
    rows, ends = [], {}
    for run in stack.runs:
        lost = run.arm == "plain" and run.settings["learning_rate"] == DIVERGES
        ends[run.id] = {
            "status": "diverged" if lost else "completed",
            "diverged_at_step": 3 if lost else None,
            "steps": 6,
        }
        for step in range(7):
            for number, metric in enumerate(METRICS):
                value = float("nan") if lost and step > 3 else run.settings["learning_rate"] + step * (number - 1.0)
                rows.append((run.id, step, metric, -1, value))
            rows += [(run.id, step, "layer_gradient_norm", layer, float("inf") if lost else 0.5) for layer in (0, 1)]
    table = pd.DataFrame(rows, columns=["run_id", "step", "metric", "index", "value"])
    record = {
        "stack": stack.id,
        "experiment": EXPERIMENT.path,
        "runs": ends,
        "duration_seconds": 3.0,
        "provenance": {
            "commit": "0123456789ab",
            "device": "cpu",
            "processor": "an AMD",
            "versions": {"torch": "2.13.0"},
        },
    }
    path = folder / "metrics" / EXPERIMENT.path / f"{stack.id}.parquet"
    write_metrics(table, path, stack=record)


def _write_picture(path: Path) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4)).save(path)
