"""The W&B mirror of a results folder: made from metrics and tables, after them, and again at any time.

What is written already is kept, by an id that follows from its content: a second call writes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from ..records.atomic import write
from ..records.folder import Folder
from ..records.plans import Plan, read_plan
from ..records.tables import read_csv, read_experiment_metrics, read_metrics, read_stack_record
from ..spec import require
from .content import MirroredRun, about_arms, run_content
from .folders import LOGS, Written, link_all, names_of, remove_others, written_runs
from .overview import Told, overview_content, sweep_content
from .selected import MAX_RUNS, selected_runs

STAGING = ".staging"
LISTED = "runs.json"  # in the mirror's folder: what `mirror_overview` must know of the runs that are written
FEW = 50  # new runs that are written sooner than a process has started
ENDS = ("seed", "status", "diverged_at_step")


def mirror(results_dir: Path, *, runs: str = "selected", only: tuple[str, ...] = (), jobs: int = 1) -> str:
    """Write the mirror to `<results_dir>/wandb` and return what was written in one line.

    `runs="all"` mirrors every run; `only` names terms or experiments, and leaves out the others; `jobs` processes write.
    """
    mirror_runs(results_dir, runs=runs, only=only, jobs=jobs)
    return mirror_overview(results_dir)


def mirror_runs(results_dir: Path, *, runs: str = "selected", only: tuple[str, ...] = (), jobs: int = 1) -> None:
    """Write the W&B runs of single runs and sweeps, which need neither figures nor report, and list them in LISTED."""
    plans = _plans(results_dir, only)
    wandb_dir = _prepared(results_dir)
    (wandb_dir / LISTED).unlink(missing_ok=True)
    done, told = written_runs(wandb_dir), Told.of(plans)
    kept = list(_written(contents(results_dir, plans, runs=runs), done, wandb_dir, jobs=jobs))
    new = sum(one.id not in done for one in kept)
    listed = {**asdict(told), "selection": runs, "new": new, "written": [asdict(one) for one in kept]}
    write(wandb_dir / LISTED, json.dumps(listed, indent=1) + "\n", beside=False)


def mirror_overview(results_dir: Path) -> str:
    """Write the W&B run that holds verdicts, figures and report, link all, and return what was written in one line."""
    wandb_dir = _prepared(results_dir)
    listed = json.loads((wandb_dir / LISTED).read_text(encoding="utf-8"))
    kept = [Written(**one) for one in listed.pop("written")]
    runs, new = listed.pop("selection"), listed.pop("new")
    done, verdicts = written_runs(wandb_dir), read_csv(results_dir / "verdicts.csv", kind="verdicts")
    overview = overview_content(Told(**listed), verdicts, results_dir)
    kept += _written(iter([overview]), done, wandb_dir, jobs=1)
    shutil.rmtree(wandb_dir / STAGING, ignore_errors=True)
    remove_others(wandb_dir, [one.id for one in kept])
    link_all(wandb_dir, kept)
    counts = {kind: sum(one.kind == kind for one in kept) for kind in ("run", "sweep", "overview")}
    mirrored = {**counts, "runs": runs, "ids": sorted(one.id for one in kept)}
    (wandb_dir / "mirror.json").write_text(json.dumps(mirrored, indent=1) + "\n", encoding="utf-8")
    return (
        f"{wandb_dir}: {len(kept)} W&B runs ({counts['run']} runs, {counts['sweep']} sweeps, {counts['overview']} overview), "
        f"{new + (overview.id not in done)} of them new; look at them with `make browse`."
    )


def _prepared(results_dir: Path) -> Path:
    wandb_dir = results_dir / "wandb"
    (wandb_dir / LOGS).mkdir(parents=True, exist_ok=True)
    _keep_wandb_inside(wandb_dir)
    return wandb_dir


def _written(told: Iterator[MirroredRun], done: Mapping[str, Path], wandb_dir: Path, *, jobs: int) -> Iterator[Written]:
    """Yield id, names and folder of each run; those that are not done yet are written."""
    from .write import write_run

    places: list[tuple[dict[str, str], Path | Future[Path]]] = []
    num_new = 0
    # Processes, since wandb's client holds the interpreter; spawned, since it has threads.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for content in told:
            names = names_of(content)
            place = done.get(names["id"])
            if place is None:
                num_new += 1
                call = pool.submit if jobs > 1 and num_new > FEW else _call
                place = call(write_run, content, wandb_dir / LOGS, staging=wandb_dir / STAGING)
            places.append((names, place))
        for names, place in places:
            found = place.result() if isinstance(place, Future) else place
            yield Written(**names, folder=found.name)


def _call(function: Callable[..., Path], *arguments: Any, **options: Any) -> Path:
    return function(*arguments, **options)


def contents(results_dir: Path, plans: tuple[Plan, ...], *, runs: str) -> Iterator[MirroredRun]:
    """Yield what W&B receives of every selected run and of every arm's sweep."""
    verdicts = read_csv(results_dir / "verdicts.csv", kind="verdicts")
    ends = {plan.experiment.path: _ends(plan, results_dir) for plan in plans}
    num_sweeps = sum(len(_sweeps(plan, ends[plan.experiment.path])) for plan in plans)
    scores = {run_id: score for frame in ends.values() for run_id, score in frame["score"].items()}
    summary_paths = {path: Folder(results_dir).summary(path) for path in ends}
    summaries = {name: read_csv(path, kind="summary") for name, path in summary_paths.items() if path.is_file()}
    room = max(MAX_RUNS - num_sweeps - 1, 0)
    chosen = set(scores) if runs == "all" else selected_runs(plans, verdicts, scores, summaries=summaries, room=room)
    for plan in plans:
        about = about_arms(plan, verdicts[verdicts["experiment"] == plan.experiment.path])
        for stack_id, stack in plan.stacks.items():
            wanted = [run for run in stack.runs if run.id in chosen]
            if wanted:
                table, record = read_metrics(_metrics_dir(results_dir, plan) / f"{stack_id}.parquet")
                rows = dict(
                    tuple(table[table["run_id"].isin([run.id for run in wanted])].groupby("run_id", observed=True))
                )
                for run in wanted:
                    yield run_content(run, rows[run.id], record, about=about[run.arm])
        for arm, frame in _sweeps(plan, ends[plan.experiment.path]):
            yield sweep_content(plan, arm, _of_arm(frame), about=about[arm])


def _sweeps(plan: Plan, ends: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of each arm that sweeps over anything."""
    swept = {run.arm for run in plan.every_run if run.settings}
    return [(str(arm), frame) for arm, frame in ends.groupby("arm", sort=False) if arm in swept]


def _of_arm(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of an arm without columns that it does not have."""
    plain = frame.drop(columns=["arm", "score"]).dropna(axis="columns", how="all")
    plain.attrs = frame.attrs
    return plain.reset_index(names="run_id")


def _ends(plan: Plan, results_dir: Path) -> pd.DataFrame:
    """Return a row per run: arm, selection score, settings, seed, status, and the last value of every metric without index."""
    folder = _metrics_dir(results_dir, plan)
    paths = [path for stack in plan.stacks if (path := folder / f"{stack}.parquet").is_file()]
    metrics = read_experiment_metrics(paths, expected=set(plan.runs), experiment=plan.experiment.path)
    plain = metrics[metrics["index"] < 0]
    last = plain.groupby(["run_id", "metric"], observed=True)["value"].last().unstack("metric")
    records: dict[str, Any] = {}
    for path in paths:
        records |= read_stack_record(path)["runs"]
    rows = {
        run.id: {
            "arm": run.arm,
            **run.settings,
            "seed": run.seed,
            **{name: records[run.id].get(name) for name in ENDS[1:]},
        }
        for run in plan.every_run
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").join(last.add_prefix("last/"))
    frame.attrs = {
        "swept": sorted({name for run in plan.every_run for name in run.settings}),
        "metrics": [f"last/{name}" for name in last.columns],
    }
    return frame.assign(score=_scores(plan, frame))


def _scores(plan: Plan, frame: pd.DataFrame) -> pd.Series:
    """Return the last value of the experiment's selection metric, smaller is better, NaN for a diverged run."""
    selection = plan.experiment.selection
    name = f"last/{selection.metric}"
    if name not in frame:
        return pd.Series(float("nan"), index=frame.index)
    sign = 1.0 if selection.which == "min" else -1.0
    return (sign * frame[name].astype(float)).where(frame["status"] != "diverged")


def _metrics_dir(results_dir: Path, plan: Plan) -> Path:
    return Folder(results_dir).metrics_of(plan.experiment.path)


def _plans(results_dir: Path, only: tuple[str, ...]) -> tuple[Plan, ...]:
    paths = Folder(results_dir).plans()
    names = {path: f"{path.parent.name}/{path.stem}" for path in paths}
    wanted = tuple(word for words in only for word in words.split())
    unknown = [word for word in wanted if word not in {*names.values(), *(path.parent.name for path in paths)}]
    require(not unknown, what="mirror", must="--only must name terms or <term>/<name> of the plan", got=unknown)
    chosen = [path for path in paths if not wanted or {names[path], path.parent.name} & set(wanted)]
    require(
        bool(chosen),
        what=f"results {str(results_dir)!r}",
        must="it must hold plan/<term>/<name>.json",
        got="none",
        do="run `make report`",
    )
    return tuple(read_plan(path) for path in chosen)


def _keep_wandb_inside(wandb_dir: Path) -> None:
    """Let wandb write below this folder alone, whatever the caller's variables say; offline it needs no key."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        if name not in ("WANDB_PROJECT", "WANDB_ENTITY"):
            del os.environ[name]
    folders = {
        "DATA": ".artifacts",
        "CACHE": f"{STAGING}/cache",
        "ARTIFACT": f"{STAGING}/artifacts",
        "CONFIG": f"{STAGING}/config",
    }
    os.environ.update({f"WANDB_{name}_DIR": str((wandb_dir / path).resolve()) for name, path in folders.items()})
    os.environ.update(WANDB_SILENT="true", WANDB_ERROR_REPORTING="false")
