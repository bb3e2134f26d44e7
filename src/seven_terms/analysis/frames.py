"""A folder of results as frames. Each is read when it is first asked for, and kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from ..records.folder import Folder
from ..records.plans import read_records
from ..records.tables import read_csv, read_metrics, read_stack_record
from ..spec import Experiment, require
from ..spec.metrics import recorded
from .columns import COLUMNS, described

PANEL = ("title", "x_label", "y_label", "log_x", "log_y")


def load(results: str | Path, *, only: str | Iterable[str] = ()) -> Results:
    """Return the results in a folder; ValueError where there are none, or `only` names what is not there."""
    path = Path(results)
    holds = any((path / name).exists() for name in ("plan", "summary", "verdicts.csv"))
    do = "run `make report`, or name the folder of a scale, such as results/laptop"
    require(holds, what="results", must="the folder must hold results", got=str(results), do=do)
    found = Results(path=path, only=tuple([only] if isinstance(only, str) else only))
    found.experiments  # noqa: B018  (refuses what is not there)
    return found


@dataclasses.dataclass(frozen=True, kw_only=True)
class Results:
    """`runs`, `metrics`, `quantities`, `summary`, `claims` as frames; `columns` says what each column of them means."""

    path: Path
    only: tuple[str, ...] = ()

    @cached_property
    def experiments(self) -> tuple[str, ...]:
        """The experiments that are there and asked for, "<term>/<name>"."""
        files = [*self.path.glob("plan/*/*.json"), *self.path.glob("summary/*/*.csv")]
        there = sorted({f"{file.parent.name}/{file.stem}" for file in files})
        lacking = [one for one in self.only if not any(_is_of(name, one) for name in there)]
        what = f"results {str(self.path)!r}"
        require(not lacking, what=what, must=f"only must name some of {', '.join(there)}", got=lacking)
        return tuple(name for name in there if not self.only or any(_is_of(name, one) for one in self.only))

    @cached_property
    def runs(self) -> pd.DataFrame:
        """A row per run: what it was, how it ended, every swept setting, and the last value of every metric."""
        table = pd.DataFrame([row for name in self._planned for row in self._runs_of(name)])
        scalars = self.metrics[self.metrics["index"] == -1]
        last = scalars.loc[scalars.groupby(["run_id", "metric"], observed=True)["step"].idxmax()]
        finals = last.pivot(index="run_id", columns="metric", values="value").add_prefix("final_")
        table = table.join(finals, on="run_id")
        table.loc[table["status"] == "diverged", list(finals.columns)] = np.nan
        return table

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """A row per run, step, metric and index: everything that was recorded."""
        tables = {path: read_metrics(path)[0] for name in self._planned for path in self._files_of(name)}
        codes, names = pd.factorize(pd.Series([f"{path.parent.parent.name}/{path.parent.name}" for path in tables]))
        of_rows = np.repeat(codes, [len(table) for table in tables.values()])
        known = {
            "run_id": union_categoricals([table["run_id"] for table in tables.values()]),
            "metric": union_categoricals([table["metric"] for table in tables.values()]),
            "experiment": pd.Categorical.from_codes(of_rows.tolist(), categories=pd.Index(names)),
        }
        numbers = {
            name: np.concatenate([table[name].to_numpy() for table in tables.values()])
            for name in ("step", "index", "value")
        }
        return pd.DataFrame({**known, **numbers})[list(COLUMNS["metrics"])]

    @cached_property
    def quantities(self) -> pd.DataFrame:
        """A row per experiment and metric: unit, better direction, and what its indices count."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for name, (experiment, _) in self._planned.items():
            for arm in experiment.arms:
                for metric in recorded(experiment, arm.training).values():
                    row = (metric.name, name, metric.unit, metric.direction, metric.index)
                    found.setdefault(row[:2], row)
        return pd.DataFrame(list(found.values()), columns=list(COLUMNS["quantities"]))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The numbers behind every figure, with the labels of its axes where the plan is there."""
        tables = [read_csv(Folder(self.path).summary(name), kind="summary") for name in self._with("summary")]
        table = pd.concat([one.astype({"x": object, "y": object}) for one in tables], ignore_index=True)
        panels = pd.DataFrame(self._panels(), columns=["experiment", "figure", "panel", *PANEL])
        return table.merge(panels.astype({"panel": int}), on=["experiment", "figure", "panel"], how="left")

    @cached_property
    def claims(self) -> pd.DataFrame:
        """A row per claim: its verdict, and all that stands behind it."""
        path = Folder(self.path).table("verdicts")
        do = "run `make report`"
        require(path.is_file(), what="claims", must=f"{str(path)!r} must exist", got="no file", do=do)
        table = read_csv(path, kind="verdicts")
        return table[table["experiment"].isin(self.experiments)].reset_index(drop=True)

    @cached_property
    def columns(self) -> pd.DataFrame:
        """What each column of each frame holds: (frame, column, unit, meaning)."""
        rows = [(frame, name, *text) for frame, known in COLUMNS.items() for name, text in known.items()]
        return pd.DataFrame(rows, columns=["frame", "column", "unit", "meaning"])

    def meaning(self, frame: str, column: str) -> str:
        """Return in words what a column of a frame holds, such as "duration_seconds [s]: the run's equal share ..."."""
        text = described(frame, column)
        require(text is not None, what=f"frame {frame!r}", must="it must have the column", got=column)
        unit, words = text or ("", "")
        return f"{column}{f' [{unit}]' if unit else ''}: {words}"

    @cached_property
    def _planned(self) -> dict[str, tuple[Experiment, dict[str, list[dict[str, Any]]]]]:
        """What was trained, by experiment; ValueError in a folder of published tables, which holds no runs."""
        must = "it must hold plans and metrics for frames of runs"
        do = "published tables hold verdicts and summaries; `make report` makes the runs behind them"
        paths = {name: Folder(self.path).plan(name) for name in self._with("plan")}
        require(bool(paths), what=f"results {str(self.path)!r}", must=must, got="none", do=do)
        return {name: read_records(path) for name, path in paths.items()}

    def _with(self, kind: str) -> list[str]:
        folder = Folder(self.path)
        path = folder.plan if kind == "plan" else folder.summary
        return [name for name in self.experiments if path(name).is_file()]

    def _files_of(self, name: str) -> list[Path]:
        paths = [Folder(self.path).metrics(name, stack) for stack in self._planned[name][1]]
        missing = [path.stem for path in paths if not path.is_file()]
        what, must = f"metrics of {name!r}", f"all {len(paths)} stacks must be there"
        do = "run `make report` again to train them"
        require(not missing, what=what, must=must, got=f"{len(missing)} missing: {', '.join(missing[:3])}", do=do)
        return paths

    def _runs_of(self, name: str) -> Iterator[dict[str, Any]]:
        experiment, stacks = self._planned[name]
        labels = {arm.name: arm.label for arm in experiment.arms}
        labels |= {f"{arm}_again": f"{label}, again" for arm, label in labels.items()}
        for path, (stack, runs) in zip(self._files_of(name), stacks.items(), strict=True):
            record = read_stack_record(path)
            for run in runs:
                settings = {path: _value(run["training"], path.split(".")) for path in self._swept}
                yield {**_row(run, record, stack, label=labels[run["arm"]]), **settings}

    @cached_property
    def _swept(self) -> tuple[str, ...]:
        experiments = [experiment for experiment, _ in self._planned.values()]
        each = [{**one.sweep, **arm.sweep} for one in experiments for arm in one.arms]
        return tuple(sorted({path for sweep in each for path in sweep}))

    def _panels(self) -> Iterator[tuple[Any, ...]]:
        for name in self._with("plan"):
            for figure in self._planned[name][0].figures:
                for number, panel in enumerate(figure.panels):
                    yield (name, figure.name, number, *(getattr(panel, field) for field in PANEL))


def _is_of(experiment: str, asked: str) -> bool:
    return asked in (experiment, experiment.partition("/")[0])


def _row(run: dict[str, Any], record: dict[str, Any], stack: str, *, label: str) -> dict[str, Any]:
    end, training = record["runs"][run["id"]], run["training"]
    stopped, size = end["diverged_at_step"], training.get("batch_size")
    planned = training.get(
        "num_steps", training.get("trainer", {}).get("max_steps", np.nan)
    )  # of a Trainer: by its limit
    return {
        "run_id": run["id"],
        "term": run["experiment"].partition("/")[0],
        "experiment": run["experiment"],
        "arm": run["arm"],
        "arm_label": label,
        "seed": run["seed"],
        "status": end["status"],
        "diverged_at_step": np.nan if stopped is None else stopped,
        "num_steps": planned,
        "steps_made": end["steps"] if stopped is None else min(end["steps"], stopped),  # its stack goes on without it
        "batch_size": np.nan if size is None else size,
        "duration_seconds": record["duration_seconds"] / len(record["runs"]),
        "mode": run["mode"],
        "device": record["provenance"]["device"],
        "stack": stack,
        "commit": record["provenance"]["commit"],
    }


def _value(value: Any, path: list[str]) -> Any:
    """Return a setting as a frame holds it: numbers and words as they are, a record by its class, NaN where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return float(value["value"]) if value.get("is") == "float" else value.get("is", str(value))
    return np.nan if value is None else str(value) if isinstance(value, list) else value
