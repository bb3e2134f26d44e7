"""What the report is written from: the plans, tables and provenance of one results folder, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from ..records.folder import Folder
from ..records.plans import Plan, read_plan
from ..records.tables import read_csv
from ..spec import SCALES, Claim, Experiment, Scale, Term, require

WHERE = ("commit", "device", "processor", "num_cores", "python", "versions")


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """`verdicts` is indexed by claim key ("BN1 (fair)"); tables that a scale does not have are empty.

    `experiments_known` lists every experiment with its scales, be it planned here or not. `trained` says by experiment what
    was trained and on what: from runs.csv and timing.csv, or from provenance.csv where only published tables are at hand.
    """

    results_dir: Path
    plans: tuple[Plan, ...]
    experiments_known: pd.DataFrame
    verdicts: pd.DataFrame
    trained: pd.DataFrame
    comparisons: pd.DataFrame
    noise_floor: pd.DataFrame
    replication: pd.DataFrame
    others: Mapping[Scale, pd.DataFrame]  # verdicts published of other scales, by claim key; the smaller scale first

    @property
    def scale(self) -> Scale:
        return self.plans[0].scale

    @property
    def base_seed(self) -> int:
        return self.plans[0].base_seed

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(plan.experiment.term for plan in self.plans))

    def experiments(self, term: Term) -> tuple[Experiment, ...]:
        return tuple(plan.experiment for plan in self.plans if plan.experiment.term == term)

    def experiments_at(self, scale: Scale) -> tuple[str, ...]:
        """Return "<term>/<name>" of every experiment that runs at a scale, in the paper's order."""
        known = self.experiments_known
        return tuple(known["experiment"][known["scales"].map(lambda scales: scale in scales.split())])

    @property
    def left_out(self) -> tuple[str, ...]:
        """The experiments of this scale that were not selected."""
        planned = {plan.experiment.path for plan in self.plans}
        return tuple(path for path in self.experiments_at(self.scale) if path not in planned)

    @property
    def claims(self) -> dict[str, tuple[Experiment, Claim]]:
        """Every claim of the plans by its key, with its experiment."""
        return {claim.key: (plan.experiment, claim) for plan in self.plans for claim in plan.experiment.claims}


def read_inputs(results_dir: Path, *, beside: Sequence[Path] = ()) -> Inputs:
    """Return everything in a results folder; ValueError when claims and verdicts do not belong together.

    `beside` are folders of published results of other scales, which have their names; one without verdicts is passed over.
    """
    found = read_plans(results_dir)
    known = read_csv(results_dir / "plan" / "experiments.csv", kind="experiments")
    places = {path: place for place, path in enumerate(known["experiment"])}
    plans = tuple(sorted(found, key=lambda plan: places.get(plan.experiment.path, len(places))))
    verdicts = read_verdicts(results_dir)
    inputs = Inputs(
        results_dir=results_dir,
        plans=plans,
        experiments_known=known,
        verdicts=verdicts,
        trained=_trained(results_dir),
        comparisons=_optional(results_dir / "comparisons.csv", kind="comparisons"),
        noise_floor=_optional(results_dir / "noise_floor.csv", kind="noise_floor"),
        replication=_replication(results_dir / "replication.csv", verdicts),
        others={
            cast(Scale, folder.name): read_verdicts(folder) for folder in beside if (folder / "verdicts.csv").is_file()
        },
    )
    _require_verdicts(inputs)
    return inputs


def read_plans(results_dir: Path) -> tuple[Plan, ...]:
    """Return the plans in the order of their terms, by name within a term."""
    plans = [read_plan(path) for path in _plan_paths(results_dir)]
    scales = sorted({plan.scale for plan in plans}, key=SCALES.index)
    require(len(scales) == 1, what=f"results {str(results_dir)!r}", must="all plans must be of one scale", got=scales)
    return tuple(plans)


def scale_of(results_dir: Path) -> Scale:
    """Return the scale of a results folder, from its first plan."""
    return read_plan(_plan_paths(results_dir)[0]).scale


def _plan_paths(results_dir: Path) -> list[Path]:
    paths = Folder(results_dir).plans()
    require(
        bool(paths),
        what=f"results {str(results_dir)!r}",
        must="it must hold plan/<term>/<name>.json",
        got="none",
        do="run `make report`",
    )
    return paths


def read_verdicts(results_dir: Path) -> pd.DataFrame:
    """Return verdicts.csv indexed by claim key."""
    verdicts = read_csv(results_dir / "verdicts.csv", kind="verdicts")
    keys = [
        f"{claim} ({form})" if form else claim for claim, form in zip(verdicts["claim"], verdicts["form"], strict=True)
    ]
    return verdicts.set_index(pd.Index(keys, name="key"))


def _trained(results_dir: Path) -> pd.DataFrame:
    """Return num_runs, num_diverged, num_stacks, num_steps and what is listed in WHERE of each experiment."""
    if not (results_dir / "runs.csv").exists():
        return read_csv(results_dir / "provenance.csv", kind="provenance").set_index("experiment")
    machines = read_csv(results_dir / "timing.csv", kind="timing").drop(columns=["experiment", "num_runs"])
    runs = read_csv(results_dir / "runs.csv", kind="runs").merge(
        machines, on="stack", how="left", validate="many_to_one"
    )
    groups = runs.assign(diverged=runs["status"] == "diverged").groupby("experiment", sort=False)
    listed = {
        name: groups[name].agg(lambda values: "; ".join(sorted(set(values.dropna().astype(str))))) for name in WHERE
    }
    sums = groups.agg(
        num_runs=("run_id", "size"),
        num_diverged=("diverged", "sum"),
        num_stacks=("stack", "nunique"),
        num_steps=("steps", "sum"),
    )
    return sums.assign(**listed)


def _optional(path: Path, *, kind: str) -> pd.DataFrame:
    return read_csv(path, kind=kind) if path.exists() else pd.DataFrame()


def _replication(path: Path, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return what the second set of seeds said of claims that are still measured in the same way from the same trainings."""
    table = _optional(path, kind="replication")
    if table.empty:
        return table
    keys = ["claim", "form", "definition"]
    known = set(verdicts[keys].itertuples(index=False, name=None))
    return table[[row in known for row in table[keys].itertuples(index=False, name=None)]]


def _require_verdicts(inputs: Inputs) -> None:
    planned, judged = set(inputs.claims), set(inputs.verdicts.index)
    require(
        planned == judged,
        what=f"verdicts of {str(inputs.results_dir)!r}",
        must="there must be one for each claim of the plans",
        got=f"missing {sorted(planned - judged)}, not planned {sorted(judged - planned)}",
        do="run `make report` again",
    )
