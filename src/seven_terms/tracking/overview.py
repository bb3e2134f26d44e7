"""The two summaries among the W&B runs: an arm's whole sweep as a table, and the results of a scale as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..records.plans import Plan
from ..spec import title_of
from .content import About, MirroredRun, Table

OVERVIEW = "overview"
SHOWN = (
    "claim",
    "form",
    "term",
    "experiment",
    "statement",
    "verdict",
    "condition",
    "effect",
    "low",
    "high",
    "unit",
    "num_runs",
    "rule",
)
ARTIFACT = ("verdicts.csv", "comparisons.csv", "noise_floor.csv", "runs.csv", "plan/experiments.csv", "seven-terms.pdf")


def sweep_content(plan: Plan, arm: str, ends: pd.DataFrame, *, about: About) -> MirroredRun:
    """Return what W&B receives of an arm's sweep; `ends` has a row per run: settings, seed, status, last values."""
    swept = [name for name in ends.attrs["swept"] if name in ends]
    diverged = int((ends["status"] == "diverged").sum())
    metrics = [name for name in ends if name in ends.attrs["metrics"]]
    axis, history = _over_sweep(ends, swept, metrics)
    return MirroredRun(
        kind="sweep",
        key=f"{plan.experiment.name}-{arm}-sweep",
        group=about.group,
        job_type="sweep",
        label=f"{arm}-sweep",
        tags=(*about.tags, "sweep"),
        notes=about.notes,
        config={"kind": "sweep", **about.config, **{f"swept/{name}": _grid(ends[name]) for name in swept}},
        summary={"num_runs": len(ends), "num_diverged": diverged, "share_diverged": diverged / len(ends)}
        | {f"{name}/{end}": getattr(ends[name], end)() for name in metrics for end in ("min", "median", "max")},
        axis=axis,
        history=history,
        directions=about.directions_of(history),
        tables={"sweep": _table(ends)},
    )


def _grid(values: pd.Series) -> str:
    return ", ".join(value if isinstance(value, str) else f"{value:g}" for value in dict.fromkeys(values.tolist()))


def _over_sweep(ends: pd.DataFrame, swept: list[str], metrics: list[str]) -> tuple[str, list[dict[str, float]]]:
    """Return the mean of each metric over runs by the first swept number: what a chart over the sweep shows."""
    numbers = [name for name in swept if pd.api.types.is_numeric_dtype(ends[name])]
    if not numbers:
        return "", []
    means = ends.groupby(numbers[0], sort=True)[metrics].mean()
    rows = [{numbers[0]: float(value), **row} for value, row in zip(means.index, means.to_dict("records"), strict=True)]
    return numbers[0], rows


def _table(frame: pd.DataFrame) -> Table:
    plain = frame.astype(object).where(frame.notna(), None)
    return [str(name) for name in plain.columns], plain.values.tolist()


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the overview tells of the plans: the experiments with their terms, and how many runs they have."""

    scale: str
    base_seed: int
    experiments: Sequence[str]
    num_runs: int

    @classmethod
    def of(cls, plans: Sequence[Plan]) -> Told:
        names = [plan.experiment.path for plan in plans]
        number = sum(len(plan.every_run) for plan in plans)
        return cls(scale=plans[0].scale, base_seed=plans[0].base_seed, experiments=names, num_runs=number)


def overview_content(told: Told, verdicts: pd.DataFrame, results_dir: Path) -> MirroredRun:
    """Return the run that holds the verdict table, every figure, and tables and report as an artifact."""
    scale, verdicts = told.scale, verdicts[verdicts["experiment"].isin(told.experiments)]
    found = verdicts["verdict"].value_counts().to_dict()
    figures = {
        str(path.relative_to(results_dir / "figures").with_suffix("")): path
        for path in sorted((results_dir / "figures").rglob("*.png"))
    }
    files = {name: results_dir / name for name in ARTIFACT if (results_dir / name).is_file()}
    files |= {
        str(path.relative_to(results_dir)): path for path in sorted((results_dir / "page").rglob("*")) if path.is_file()
    }
    files |= {str(path.relative_to(results_dir)): path for path in sorted((results_dir / "summary").rglob("*.csv"))}
    terms = [title_of(term) for term in dict.fromkeys(path.partition("/")[0] for path in told.experiments)]
    command = f"make report SCALE={scale}" + (f" BASE_SEED={told.base_seed}" if told.base_seed else "")
    return MirroredRun(
        kind=OVERVIEW,
        key=f"{OVERVIEW}-{scale}",
        group=OVERVIEW,
        job_type=OVERVIEW,
        label=OVERVIEW,
        tags=(OVERVIEW, scale),
        notes=f"{len(verdicts)} claims about {', '.join(terms)}, judged. Repeat it with `{command}`.",
        config={"kind": OVERVIEW, "at_scale": scale, "base_seed": told.base_seed, "num_runs": told.num_runs},
        summary={f"verdicts/{verdict}": number for verdict, number in found.items()},
        tables={"verdicts": _table(verdicts[list(SHOWN)])},
        images={f"figures/{name}": path for name, path in figures.items()},
        files=files,
    )
