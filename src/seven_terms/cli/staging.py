"""A results folder made of published tables, so that paper and page can be built without a single training."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..planning import plans_at, write_plans
from ..records.atomic import write
from ..records.plans import Plan
from ..records.tables import read_csv, write_csv
from ..report.inputs import read_verdicts
from ..spec import Claim, Experiment, Scale, require

TABLES = ("comparisons", "noise_floor", "power", "replication", "provenance")


def stage(published_dir: Path, experiments: Iterable[Experiment], output_dir: Path) -> Iterator[Plan]:
    """Write plans and tables of what is published to a folder; yield each plan whose summary is published.

    What the project has and nobody has published yet, experiments and claims, is left out and said on the terminal.
    """
    scale: Scale = published_dir.name  # type: ignore[assignment]
    what = f"published results {str(published_dir)!r}"
    require((published_dir / "verdicts.csv").is_file(), what=what, must="must hold verdicts.csv", got="none")
    known = tuple(experiments)
    judged = read_verdicts(published_dir)
    held = [one for one in known if (published_dir / "summary" / f"{one.path}.csv").is_file() and one.runs_at(scale)]
    chosen = tuple(_published(one, set(judged.index), scale=scale) for one in held)
    shutil.rmtree(output_dir, ignore_errors=True)
    plans = plans_at(chosen, scale)
    write_plans(plans, output_dir, among=known)
    planned = {claim.key for plan in plans.values() for claim in plan.experiment.claims}
    verdicts = read_csv(published_dir / "verdicts.csv", kind="verdicts")
    write_csv(verdicts[judged.index.isin(planned)], output_dir / "verdicts.csv", kind="verdicts")
    for name in TABLES:
        if (published_dir / f"{name}.csv").is_file():
            write(output_dir / f"{name}.csv", (published_dir / f"{name}.csv").read_bytes())
    for plan in plans.values():
        target = output_dir / "summary" / f"{plan.experiment.path}.csv"
        write(target, (published_dir / "summary" / f"{plan.experiment.path}.csv").read_bytes())
    print(_told(known, chosen, scale=scale, published=planned))
    yield from plans.values()


def _published(experiment: Experiment, judged: set[str], *, scale: Scale) -> Experiment:
    """Return the experiment with the claims that have a published verdict."""
    return dataclasses.replace(experiment, claims=tuple(claim for claim in experiment.claims if claim.key in judged))


def _told(known: tuple[Experiment, ...], chosen: tuple[Experiment, ...], *, scale: Scale, published: set[str]) -> str:
    running = [one for one in known if one.runs_at(scale)]
    claims: list[Claim] = [claim for one in running for claim in one.claims if scale in claim.scales]
    unpublished = [claim.key for claim in claims if claim.key not in published]
    more = (
        f"; not published yet: {', '.join(unpublished[:8])}{', ...' if len(unpublished) > 8 else ''}"
        if unpublished
        else ""
    )
    return f"scale {scale}: {len(chosen)} of {len(running)} experiments, {len(published)} of {len(claims)} claims{more}"
