"""A results folder made up from the real experiments: true plans, invented numbers in the shape of the true tables."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.batch_norm import mnist_2015
from experiments.gradient_clipping import temporal_order
from experiments.lr_schedule import budgets, noisy_quadratic
from seven_terms.planning import write_plan
from seven_terms.records.atomic import write
from seven_terms.records.plans import plan_text, read_plan
from seven_terms.records.tables import (
    CLAIMS,
    COMPARISONS,
    EXPERIMENTS,
    METRICS,
    OF_FAMILY,
    RUNS,
    SUMMARY,
    TIMING,
    VERDICTS,
    read_csv,
    write_csv,
    write_metrics,
)
from seven_terms.spec import SCALES, Bars, Claim, Experiment, Heatmap, Panel, Scale, Survival

CHOSEN = (budgets.experiment, noisy_quadratic.experiment, mnist_2015.experiment, temporal_order.experiment)
OUTCOMES = (("supported", 2.31, 1.87, 2.84), ("refuted", -0.42, -0.61, -0.23), ("inconclusive", 0.012, -0.31, 0.334))
ORIGIN = {
    "num_runs": 1220,
    "num_diverged": 3,
    "num_stacks": 153,
    "num_steps": 24_400_000,
    "duration_seconds": 7689.0,
    "processor_seconds": 7600.0,
    "mode": "eager",
    "device": "cpu",
    "processor": "AMD EPYC",
    "num_cores": "2",
    "python": "3.12.1",
    "versions": "torch 2.13.0",
    "commit": "0123456789ab",
    "trained_on": "2026-01-31",
}


def fabricate(
    folder: Path,
    *,
    scale: Scale = "laptop",
    experiments: tuple[Experiment, ...] | None = None,
    among: tuple[Experiment, ...] = (),
) -> Path:
    """Write plans (with their smoke runs, to be quick), runs, summaries, verdicts and noise floors; return the folder.

    `among` are the experiments that these were selected from.
    """
    chosen = tuple(
        dataclasses.replace(experiment.at_scale("smoke"), claims=experiment.at_scale(scale).claims)
        for experiment in (CHOSEN if experiments is None else experiments)
    )
    for experiment in chosen:
        path = folder / "plan" / f"{experiment.path}.json"
        write_plan(experiment, path, scale="smoke")
        change_plan(path, scale=scale)
        write_csv(summary_of(experiment), folder / "summary" / f"{experiment.path}.csv", kind="summary")
    write_csv(experiments_of(chosen, among or chosen), folder / "plan" / "experiments.csv", kind="experiments")
    claims = [(experiment, claim) for experiment in chosen for claim in experiment.claims]
    verdicts = [verdict_of(experiment, claim, number=i) for i, (experiment, claim) in enumerate(claims)]
    write_csv(pd.DataFrame(verdicts, columns=list(VERDICTS)), folder / "verdicts.csv", kind="verdicts")
    write_csv(pd.concat([runs_of(folder, experiment) for experiment in chosen]), folder / "runs.csv", kind="runs")
    write_csv(pd.concat([timing_of(folder, experiment) for experiment in chosen]), folder / "timing.csv", kind="timing")
    write_csv(noise_floor_of(chosen), folder / "noise_floor.csv", kind="noise_floor")
    write_csv(pd.DataFrame(columns=list(COMPARISONS)), folder / "comparisons.csv", kind="comparisons")
    for experiment in chosen:
        for name in ("key", *(figure.name for figure in experiment.figures)):
            picture = folder / "figures" / experiment.path / f"{name}.pdf"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(b"%PDF-1.4 made up")
    return folder


def add_origins(folder: Path, *, processor: str = "AMD EPYC", device: str = "cpu") -> None:
    """Add what stands behind made-up results and is needed to publish them: raw claims, and metrics files without metrics."""
    verdicts = read_csv(folder / "verdicts.csv", kind="verdicts").drop(columns=list(OF_FAMILY))
    origin = {"commit": "0123456789ab", "python": "3.12.1", "versions": {"torch": "2.13.0", "numpy": "2.4.6"}}
    origin |= {"processor": processor, "num_cores": 2, "device": device}
    for path in folder.glob("plan/*/*.json"):
        plan = read_plan(path)
        own = verdicts[verdicts["experiment"] == plan.experiment.path]
        write_csv(own[list(CLAIMS)], folder / "claims" / f"{plan.experiment.path}.csv", kind="claims")
        for stack in plan.stacks:
            ends = {run.id: {"status": "completed"} for run in plan.stacks[stack].runs}
            record = {"runs": ends, "duration_seconds": 7200.0, "processor_seconds": 7000.5, "provenance": origin}
            metrics = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in METRICS.items()})
            write_metrics(metrics, folder / "metrics" / plan.experiment.path / f"{stack}.parquet", stack=record)


def publish_beside(folder: Path, *experiments: Experiment, provenance: bool = True, **changes: object) -> Path:
    """Write the published verdicts of made-up results at the scale that the folder is named for; return the folder."""
    scale: Scale = folder.name  # type: ignore[assignment]
    claims = [(one, claim) for one in experiments for claim in one.at_scale(scale).claims]
    rows = [verdict_of(one, claim, number=i, **changes) for i, (one, claim) in enumerate(claims)]
    write_csv(pd.DataFrame(rows, columns=list(VERDICTS)), folder / "verdicts.csv", kind="verdicts")
    if provenance:
        rows = [{"experiment": one.path, **ORIGIN} for one in experiments]
        write_csv(pd.DataFrame(rows), folder / "provenance.csv", kind="provenance")
    return folder


def open_paper(paper: Path, folder: Path) -> Path:
    r"""Return a copy of the paper whose sentences assert no verdict: made-up results cannot agree with the real ones."""
    shutil.copytree(paper, folder)
    (folder / "answers.yaml").unlink()
    for path in folder.glob("sections/*.tex"):
        path.write_text(re.sub(r"\\claimsays\{[^}]*\}\{[^}]*\}", r"\\textit", path.read_text()))
    return folder


def change_plan(path: Path, **changes: object) -> None:
    """Write a plan file again with other fields."""
    write(path, plan_text(dataclasses.replace(read_plan(path), **changes)), beside=False)


def experiments_of(planned: tuple[Experiment, ...], among: tuple[Experiment, ...]) -> pd.DataFrame:
    paths = {experiment.path for experiment in planned}
    rows = [(one.path, " ".join(scale for scale in SCALES if one.runs_at(scale)), one.path in paths) for one in among]
    return pd.DataFrame(rows, columns=list(EXPERIMENTS))


def verdict_of(experiment: Experiment, claim: Claim, *, number: int, **changes: object) -> dict[str, object]:
    verdict, effect, low, high = OUTCOMES[number % len(OUTCOMES)]
    row = {
        "claim": claim.id,
        "form": claim.form,
        "term": experiment.term,
        "experiment": experiment.path,
        "statement": claim.statement,
        "source": claim.source,
        "verdict": verdict,
        "effect": effect,
        "low": low,
        "high": high,
        "unit": claim.unit,
        "num_runs": 10,
        "low_alone": low,
        "high_alone": high,
        "num_seeds": 5,
        "num_undefined": 0,
        "num_diverged": 0,
        "selected": "{}",
        "p_value": 0.004,
        "p_holm": 0.02,
        "family": "primary",
        "num_tests": 5,
        "heterogeneity": float("nan"),
        "seeds_needed": 12,
        "rule_low": 1.0,
        "rule_high": float("inf"),
        "rule": "above 1",
        "condition": claim.condition,
        "because": claim.because,
        "note": "",
        "definition": "0123456789",
        "sample": "",
    }
    return row | changes


def set_verdict(folder: Path, key: str, **changes: object) -> None:
    """Change the row of one claim in verdicts.csv."""
    table = read_csv(folder / "verdicts.csv", kind="verdicts")
    keys = table["claim"] + table["form"].map(lambda form: f" ({form})" if form else "")
    for column, value in changes.items():
        table[column] = table[column].astype(object)
        table.loc[keys == key, column] = value
    write_csv(table, folder / "verdicts.csv", kind="verdicts")


def runs_of(folder: Path, experiment: Experiment) -> pd.DataFrame:
    plan = read_plan(folder / "plan" / f"{experiment.path}.json")
    rows = []
    for stack_id, stack in plan.stacks.items():
        for i, run in enumerate(stack.runs):
            diverged = i % 17 == 5
            rows.append(
                {
                    "run_id": run.id,
                    "term": experiment.term,
                    "experiment": experiment.path,
                    "arm": run.arm,
                    "settings": json.dumps(dict(run.settings), sort_keys=True),
                    "seed": run.seed,
                    "status": "diverged" if diverged else "completed",
                    "diverged_at_step": 7 if diverged else None,
                    "steps": 7 if diverged else stack.num_steps,
                    "stack": stack_id,
                    "commit": "0123456789ab",
                    "device": "cpu",
                }
            )
    return pd.DataFrame(rows, columns=list(RUNS))


def timing_of(folder: Path, experiment: Experiment) -> pd.DataFrame:
    plan = read_plan(folder / "plan" / f"{experiment.path}.json")
    machine = {"processor": "AMD EPYC", "num_cores": "2", "python": "3.12.0", "versions": "torch 2.13.0"}
    seconds = {"duration_seconds": 12.5, "processor_seconds": 12.0, "trained_on": "2026-01-31"}
    rows = [
        {"experiment": experiment.path, "stack": stack_id, "num_runs": len(stack.runs), **machine, **seconds}
        for stack_id, stack in plan.stacks.items()
    ]
    return pd.DataFrame(rows, columns=list(TIMING))


def noise_floor_of(experiments: tuple[Experiment, ...]) -> pd.DataFrame:
    rows = [
        {
            "experiment": experiment.path,
            "metric": experiment.selection.metric,
            "difference": 0.0013,
            "low": -0.0102,
            "high": 0.0129,
            "num_runs": 10,
        }
        for experiment in experiments
        if experiment.noise_floor_arm
    ]
    return pd.DataFrame(rows, columns=["experiment", "metric", "difference", "low", "high", "num_runs"])


def summary_of(experiment: Experiment) -> pd.DataFrame:
    rows = []
    for figure in experiment.figures:
        for number, panel in enumerate(figure.panels):
            shared = {"experiment": experiment.path, "figure": figure.name, "panel": number, "num_runs": 5}
            rows += [shared | row for row in _rows(panel)]
    return pd.DataFrame(rows, columns=list(SUMMARY))


def _rows(panel: Panel) -> list[dict[str, object]]:
    content = panel.content
    if isinstance(content, Heatmap):
        return [{"x": x, "y": y, "value": x * y} for x in (0.1, 0.3, 1.0) for y in (0.1, 1.0)]
    rows = []
    for place, label in enumerate(content.runs):
        if isinstance(content, Bars):
            middle = 0.9 + 0.05 * place
            rows.append({"series": label, "value": middle, "low": middle - 0.03, "high": middle + 0.03})
            rows += [{"series": label, "y": seed, "value": middle + 0.01 * seed} for seed in range(3)]
            continue
        x = np.array([20, 40, 60]) if "over" in _fields(content) and content.over != "step" else np.linspace(0, 60, 13)
        value = np.exp(-x / (15 + 10 * place)) if not isinstance(content, Survival) else 1 - x / (90 + 30 * place)
        rows += [
            {"series": label, "x": a, "value": b, "low": max(b - 0.08, 0), "high": min(b + 0.08, 1)}
            for a, b in zip(x, value, strict=True)
        ]
    for reference in panel.references:
        rows += [{"series": reference.label, "x": a, "value": 0.5} for a in (0, 60)] if reference.theory else []
    return rows


def _fields(content: object) -> set[str]:
    return {field.name for field in dataclasses.fields(content)}
