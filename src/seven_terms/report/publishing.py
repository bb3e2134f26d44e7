"""Publishing: the tables of a results folder put among those that results/published keeps of the same scale.

Experiments may be published one at a time, and one that is published again replaces its rows. All published claims of a
scale are one family for Holm's correction, so that each time they are judged anew from the raw estimates kept in claims/.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from ..records.atomic import read_bytes, remove, write, write_sums
from ..records.folder import Folder
from ..records.plans import Plan
from ..records.tables import PROVENANCE, TABLES, read_csv, read_stack_record, write_csv
from ..spec import rank_of, require
from ..statistics import judge_together
from . import Inputs, merge_comparisons, read_inputs

LARGEST = 1_500_000  # bytes of a table that is kept in the repository


def publish(results_dir: Path, output_dir: Path, *, literature_path: Path) -> list[str]:
    """Write <output_dir> (results/published/<scale>) and the checksums of its parent; return what to tell, line by line.

    ValueError when the results are of another scale, of other seeds or incomplete, or the published ones cannot be judged.
    """
    inputs = read_inputs(results_dir)
    runs = read_csv(inputs.results_dir / "runs.csv", kind="runs")
    _require_publishable(inputs, runs, output_dir)
    provenance = pd.DataFrame([_provenance(inputs, plan, runs) for plan in inputs.plans], columns=list(PROVENANCE))
    known, held = inputs.experiments_at(inputs.scale), {plan.experiment.path for plan in inputs.plans}
    told = _copy_tables(inputs, output_dir)
    told += _forget(output_dir, known)
    merged = _merged(provenance, output_dir / "provenance.csv", kind="provenance", known=known)
    write_csv(merged, output_dir / "provenance.csv", kind="provenance")
    own, before = (_table(folder / "comparisons.csv", kind="comparisons") for folder in (results_dir, output_dir))
    merged = merge_comparisons(own, before, literature_path, held=held)
    write_csv(merged, output_dir / "comparisons.csv", kind="comparisons")
    claims = [path for name in _ordered(known) if (path := output_dir / "claims" / f"{name}.csv").is_file()]
    replication = output_dir / "replication.csv"
    judge_together(claims, output_dir / "verdicts.csv", replication_path=replication)
    power = results_dir / "power.csv"
    if (
        power.is_file() and not inputs.left_out
    ):  # of all claims judged together: those of a selection have another family
        write(output_dir / "power.csv", read_bytes(power))
    write_sums(output_dir.parent)
    return [*told, f"{output_dir}: experiments published: {len(held)}, now {len(claims)} of {len(known)} in all"]


def _require_publishable(inputs: Inputs, runs: pd.DataFrame, output_dir: Path) -> None:
    what = f"results {str(inputs.results_dir)!r}"
    require(
        output_dir.name == inputs.scale,
        what=what,
        must=f"they are of scale {inputs.scale!r} and must be published in a folder of that name",
        got=str(output_dir),
    )
    must, do = (
        "published results must be those of base seed 0",
        "put other seeds beside them with `seven-terms agree --output`",
    )
    require(inputs.base_seed == 0, what=what, must=must, got=inputs.base_seed, do=do)
    planned, listed = {key for plan in inputs.plans for key in plan.runs}, set(runs["run_id"])
    require(
        planned == listed,
        what=what,
        must="runs.csv must list the runs of the plans and no others",
        got=f"{len(planned - listed)} missing, {len(listed - planned)} more",
        do="run `make report` again",
    )
    _require_claims(inputs, output_dir)


def _require_claims(inputs: Inputs, output_dir: Path) -> None:
    """Refuse to judge anew what was published without its raw estimates: its verdicts would be lost."""
    verdicts = output_dir / "verdicts.csv"
    if not verdicts.is_file():
        return
    own, known = {plan.experiment.path for plan in inputs.plans}, set(inputs.experiments_at(inputs.scale))
    others = (set(read_csv(verdicts, kind="verdicts")["experiment"]) & known) - own
    without = sorted(name for name in others if not (output_dir / "claims" / f"{name}.csv").is_file())
    require(
        not without,
        what=f"published results {str(output_dir)!r}",
        must="claims/<term>/<name>.csv must be there for each experiment of verdicts.csv that is not published now",
        got=f"{len(without)} without, such as {', '.join(without[:3])}",
        do="publish all of them together once",
    )


def _copy_tables(inputs: Inputs, output_dir: Path) -> list[str]:
    """Copy claims and summaries; return a line for each that is too large, which is left out."""
    told = []
    for kind in ("claims", "summary"):
        for plan in inputs.plans:
            name = f"{kind}/{plan.experiment.path}.csv"
            source, target = inputs.results_dir / name, output_dir / name
            read_csv(source, kind=kind)
            if kind == "summary" and source.stat().st_size > LARGEST:
                remove(target)
                told.append(
                    f"{name}: left out, {source.stat().st_size / 1e6:.1f} MB are more than {LARGEST / 1e6:g} MB"
                )
            else:
                write(target, read_bytes(source))
    return told


def _forget(output_dir: Path, known: Iterable[str]) -> list[str]:
    """Delete the tables of experiments that the project no longer has; return a line for each."""
    kept, told = set(known), []
    for path in sorted(output_dir.glob("claims/*/*.csv")) + sorted(output_dir.glob("summary/*/*.csv")):
        if f"{path.parent.name}/{path.stem}" not in kept:
            remove(path)
            told.append(f"{path.relative_to(output_dir)}: deleted, there is no such experiment any more")
    return told


def _merged(own: pd.DataFrame, path: Path, *, kind: str, known: tuple[str, ...]) -> pd.DataFrame:
    """Return the rows of `own`, and those of a published table for other experiments that are still known."""
    before = _table(path, kind=kind)
    others = before[before["experiment"].isin(known) & ~before["experiment"].isin(own["experiment"])]
    rows = {row["experiment"]: row for row in [*others.to_dict("records"), *own.to_dict("records")]}
    return pd.DataFrame([rows[name] for name in _ordered(known) if name in rows], columns=own.columns)


def _table(path: Path, *, kind: str) -> pd.DataFrame:
    """Return a table; without rows where there is no file."""
    if not path.is_file():
        return pd.DataFrame(columns=list(TABLES[kind][0]))
    return read_csv(path, kind=kind)


def _ordered(names: Iterable[str]) -> list[str]:
    """Return experiments in the order of verdicts.csv: by term, then by name."""
    return sorted(names, key=lambda name: (rank_of(name.partition("/")[0]), name))


def _provenance(inputs: Inputs, plan: Plan, runs: pd.DataFrame) -> dict[str, Any]:
    """Return what stands behind an experiment's rows; several machines, versions or commits are all named."""
    folder = Folder(inputs.results_dir)
    paths = [folder.metrics(plan.experiment.path, stack) for stack in plan.stacks]
    missing = [path.name for path in paths if not path.is_file()]
    require(
        not missing,
        what=f"metrics of {plan.experiment.name!r}",
        must="every stack must be there to say where it was trained",
        got=f"{len(missing)} missing: {', '.join(missing[:3])}",
        do="publish where it was trained",
    )
    records = [read_stack_record(path) for path in paths]
    origins = [record["provenance"] for record in records]
    runs = runs[runs["stack"].isin(plan.stacks)]
    last = max(path.stat().st_mtime for path in paths)
    return {
        "experiment": plan.experiment.path,
        "num_runs": len(runs),
        "num_diverged": int((runs["status"] == "diverged").sum()),
        "num_stacks": len(paths),
        "num_steps": int(runs["steps"].sum()),
        **{
            name: round(sum(record[name] for record in records), 1)
            for name in ("duration_seconds", "processor_seconds")
        },
        "mode": _listed(run.mode for run in plan.every_run),
        **{
            name: _listed(origin[name] for origin in origins) for name in ("device", "processor", "num_cores", "python")
        },
        "versions": _listed(_versions(origin["versions"]) for origin in origins),
        "commit": _listed(origin["commit"] for origin in origins),
        "trained_on": datetime.fromtimestamp(last, UTC).strftime("%Y-%m-%d"),
    }


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _listed(values: Iterable[object]) -> str:
    return "; ".join(sorted({str(value) for value in values}))
