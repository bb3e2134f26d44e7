"""Files in, files out: summaries and claims of an experiment, verdicts of them all, the list of runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..records.atomic import remove
from ..records.canonical import content_id
from ..records.folder import Folder
from ..records.plans import Plan, read_plan
from ..records.runs import TRAINING_VERSION, Run, Stack
from ..records.tables import CLAIMS, NOISE_FLOOR, RUNS, TIMING, read_csv, read_stack_record, write_csv
from ..spec import Claim, Experiment, Last, Selected, on_test_split, require
from .estimates import Estimated, estimate
from .families import judged
from .intervals import welch
from .judges import judge, p_value, rule_in_words
from .replication import second_samples, write_replication
from .results import Results, as_coordinate, load_results
from .selection import evaluate, select, swept
from .summary import summary_of

NOISE = "A/A"  # the claim column of a noise floor among an experiment's claims


def summarize(plan: Plan, metrics_dir: Path, summary_path: Path, claims_path: Path) -> None:
    """Write the summary table and the raw claims of an experiment from `<metrics_dir>/<stack id>.parquet`."""
    results = load_results(plan, metrics_dir)
    write_csv(summary_of(results), summary_path, kind="summary")
    write_csv(claims_of(results), claims_path, kind="claims")


def claims_of(results: Results) -> pd.DataFrame:
    """Return one row per claim before Holm's correction, and the experiment's noise floor where it has an A/A arm."""
    rows = [_claim_row(claim, results) for claim in results.experiment.claims]
    if results.experiment.noise_floor_arm is not None:
        rows.append(_noise_row(results))
    return pd.DataFrame(rows, columns=list(CLAIMS))


def _claim_row(claim: Claim, results: Results) -> dict[str, Any]:
    try:
        estimated = estimate(claim.estimate, results)
    except ValueError as error:
        raise ValueError(f"claim {claim.key!r}: {error}") from error
    return {
        "claim": claim.id,
        "form": claim.form,
        "statement": claim.statement,
        "source": claim.source,
        "verdict": judge(claim.rule, estimated.interval, condition=claim.condition),
        "unit": claim.unit,
        "p_value": p_value(claim.rule, estimated.interval),
        "rule": rule_in_words(claim.rule),
        **dict(zip(("rule_low", "rule_high"), claim.rule.limits, strict=True)),
        "condition": claim.condition,
        "because": claim.because,
        "definition": definition_of(results.experiment, claim),
        "sample": "" if estimated.sample is None else estimated.sample.text(),
        **_numbers(estimated, results),
    }


def definition_of(experiment: Experiment, claim: Claim) -> str:
    """Return what a claim's numbers follow from besides seeds: estimate, trainings, probes, choice, version of the code."""
    arms = [(arm.name, arm.training, dict(arm.sweep)) for arm in experiment.arms]
    parts = [claim.estimate, arms, dict(experiment.sweep), experiment.probes, experiment.selection, TRAINING_VERSION]
    return content_id(parts)


def _numbers(estimated: Estimated, results: Results) -> dict[str, Any]:
    interval = estimated.interval
    return {
        "term": results.experiment.term,
        "experiment": results.experiment.path,
        "effect": interval.effect,
        "low": interval.low,
        "high": interval.high,
        "num_runs": estimated.num_runs,
        "num_seeds": estimated.num_seeds,
        "num_undefined": estimated.num_undefined,
        "num_diverged": estimated.num_diverged,
        "selected": estimated.selected,
        "note": "; ".join(estimated.notes),
    }


def _noise_row(results: Results) -> dict[str, Any]:
    """The arm against itself with other seeds: Welch's t on the reported metric.

    At `noise_floor_at`, and at the settings selected for the arm where that names none.
    """
    arm = results.experiment.noise_floor_arm
    assert arm is not None
    where = {path.rsplit(".", 1)[-1]: value for path, value in results.experiment.noise_floor_at.items()}
    names = tuple(name for name in swept(results, arm) if name not in where)
    groups = [
        select(Selected(arm, where=where, best=names), results),
        select(Selected(f"{arm}_again", where=where, best=names, best_of=arm), results),
    ]
    selected_on = results.experiment.selection.metric
    metric = on_test_split(results.experiment, selected_on)
    values = evaluate(Last(metric), results).to_numpy()
    interval = welch(*(values[group.positions] for group in groups))
    num_runs = sum(len(group.positions) for group in groups)
    estimated = Estimated(interval=interval, num_runs=num_runs, notes=(interval.note,) if interval.note else ())
    return {"claim": NOISE, "form": "", "verdict": "", "unit": metric, **_numbers(estimated, results)}


def verdicts(results_dir: Path, output_path: Path, *, replication_path: Path | None = None) -> None:
    """Write the verdicts of all claims in `<results_dir>/claims`, corrected by family, and noise_floor.csv beside them."""
    judge_together(_claims_paths(results_dir), output_path, replication_path=replication_path)
    beside, is_there = (
        output_path.with_name("replication.csv"),
        replication_path is not None and replication_path.is_file(),
    )
    if is_there:
        write_csv(read_csv(replication_path, kind="replication"), beside, kind="replication")  # pyright: ignore[reportArgumentType]
    else:
        remove(beside)


def judge_together(claims_paths: Sequence[Path], output_path: Path, *, replication_path: Path | None = None) -> None:
    """Write the verdicts of some experiments' claims, corrected by family, and noise_floor.csv beside them."""
    table = _all_claims(claims_paths)
    noise = table[table["claim"] == NOISE]
    verdicts = judged(table[table["claim"] != NOISE], second_samples(replication_path))
    write_csv(verdicts, output_path, kind="verdicts")
    floors = noise.rename(columns={"unit": "metric", "effect": "difference"})[list(NOISE_FLOOR)]
    write_csv(floors, output_path.with_name("noise_floor.csv"), kind="noise_floor")


def replicate(results_dir: Path, other_dir: Path, output_path: Path) -> None:
    """Write the verdicts of two results, made with different seeds and each judged alone, side by side."""
    tables = [_all_claims(_claims_paths(one)) for one in (results_dir, other_dir)]
    write_replication(*[judged(table[table["claim"] != NOISE], {}) for table in tables], output_path)


def _claims_paths(results_dir: Path) -> list[Path]:
    return [Folder(results_dir).claims(plan.experiment.path) for plan in _plans(results_dir)]


def _all_claims(paths: Sequence[Path]) -> pd.DataFrame:
    tables = [_read_claims(path) for path in paths]
    return pd.concat([one.astype(object) for one in tables], ignore_index=True)


def _read_claims(path: Path) -> pd.DataFrame:
    require(
        path.is_file(),
        what=f"claims of {path.stem!r}",
        must=f"{str(path)!r} must exist",
        got="no file",
        do="run `seven-terms summarize` for this experiment",
    )
    return read_csv(path, kind="claims")


def _plans(results_dir: Path) -> list[Plan]:
    paths = Folder(results_dir).plans()
    require(
        bool(paths), what=f"results {str(results_dir)!r}", must="must hold plans", got=[], do="run `seven-terms plan`"
    )
    return [read_plan(path) for path in paths]


def list_runs(results_dir: Path, output_path: Path) -> None:
    """Write a row per run of every plan, and beside it timing.csv: what the machines had to do with each stack."""
    trained = [
        (stack, path, read_stack_record(path))
        for plan in _plans(results_dir)
        for stack, path in _trained(plan, results_dir)
    ]
    rows = [_run_row(run, path.stem, record) for stack, path, record in trained for run in stack.runs]
    table = pd.DataFrame(rows)
    sweeps = sorted(column for column in table.columns if column.startswith("sweep_"))
    write_csv(table[[*RUNS, *sweeps]], output_path, kind="runs")
    timing = pd.DataFrame([_timing_row(stack, path, record) for stack, path, record in trained], columns=list(TIMING))
    write_csv(timing, output_path.with_name("timing.csv"), kind="timing")


def _trained(plan: Plan, results_dir: Path) -> list[tuple[Stack, Path]]:
    """Return the stacks of a plan with their metrics files; ValueError where one is missing."""
    folder = Folder(results_dir)
    records = {stack: folder.metrics(plan.experiment.path, stack) for stack in plan.stacks}
    missing = [run.id for stack, path in records.items() if not path.is_file() for run in plan.stacks[stack].runs]
    require(
        not missing,
        what=f"metrics of {plan.experiment.name!r}",
        must=f"all {len(plan.every_run)} runs must be there",
        got=f"{len(missing)} missing: {', '.join(sorted(missing)[:3])}",
        do="run `make report` again to train them",
    )
    return [(plan.stacks[stack], path) for stack, path in records.items()]


def _timing_row(stack: Stack, path: Path, record: dict[str, Any]) -> dict[str, Any]:
    origin = record["provenance"]
    return {
        "experiment": stack.experiment,
        "stack": path.stem,
        "num_runs": len(stack.runs),
        **{name: round(record[name], 3) for name in ("duration_seconds", "processor_seconds")},
        **{name: str(origin[name]) for name in ("processor", "num_cores", "python")},
        "versions": ", ".join(f"{name} {version}" for name, version in origin["versions"].items()),
        "trained_on": datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d"),
    }


def _run_row(run: Run, stack_id: str, record: dict[str, Any]) -> dict[str, Any]:
    end, settings = record["runs"][run.id], {name: as_coordinate(value) for name, value in run.settings.items()}
    stopped = end["diverged_at_step"]
    return {
        "run_id": run.id,
        "term": run.experiment.partition("/")[0],
        "experiment": run.experiment,
        "arm": run.arm,
        "settings": json.dumps(settings),
        "seed": run.seed,
        "status": end["status"],
        "diverged_at_step": np.nan if stopped is None else stopped,
        "steps": end["steps"],
        "stack": stack_id,
        "commit": record["provenance"]["commit"],
        "device": record["provenance"]["device"],
        **{f"sweep_{name}": value for name, value in settings.items()},
    }
