"""What the Snakefile asks for: its settings, checked, and what a call does before its first job. Standard library only."""

from __future__ import annotations

import contextlib
import difflib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast, get_args

from ..planning import cost_before, expected_seconds, missing_stacks, write_plans
from ..planning.modes import Compiling
from ..records.folder import Folder, folder_of
from ..records.plans import Plan
from ..records.provenance import commit_warning
from ..running.at_work import hold, remove_damaged
from ..running.progress import start_progress
from ..running.stale_locks import remove_stale_locks, remove_unreadable_records
from ..spec import SCALES, Experiment, Scale, require
from .experiments import SUITE, results_of

UNUSABLE = "'\"`$#:\\{}\n"  # in a path: the shell, make, PATH, pip or Snakemake reads them otherwise
NUM_BASE_SEEDS = 1_000_000  # from there on seeds are those of A/A arms


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The settings of a call, from `--config`."""

    scale: Scale = "laptop"
    only: str = ""
    base_seed: int = 0
    compiling: Compiling = "auto"
    experiments: str = SUITE
    target: str = field(default="")  # the experiments of a cluster's job, which plans no others

    @property
    def folder(self) -> Folder:
        return folder_of(self.scale, base_seed=self.base_seed, only=self.only, results=str(self.results))

    @property
    def results(self) -> Path:
        return results_of(Path(self.experiments))

    def experiments_at(self, project: str) -> Path:
        """Return the folder of experiments: of the suite, where the project is, whatever the working directory."""
        return Path(project, SUITE) if self.experiments == SUITE else Path(self.experiments)

    def paper_at(self, project: str) -> Path:
        """Return the folder of texts, answers and literature that belongs to the experiments."""
        return Path(project, "paper") if self.experiments == SUITE else Path(self.experiments, "paper")

    @property
    def planning(self) -> dict[str, Any]:
        return {"base_seed": self.base_seed, "compiling": self.compiling, "only": self.target or self.only}


def read_settings(config: Mapping[str, Any], *, arguments: Sequence[str] = ()) -> Settings:
    """Return the settings of a call; ValueError for one that is unknown or out of range."""
    known = ("scale", "only", "base_seed", "compiling", "wandb", "experiments")
    for name in config:
        near = difflib.get_close_matches(str(name), known, n=1)
        do = f"try `--config {near[0]}=...`" if near else "leave it out"
        require(name in known, what="--config", must=f"a setting must be one of {', '.join(known)}", got=name, do=do)
    given = {name: str(config.get(name) or "") for name in known}
    seed = given["base_seed"] or "0"
    must = f"it must be a whole number from 0 to {NUM_BASE_SEEDS - 1:,}"
    require(seed.isdecimal() and int(seed) < NUM_BASE_SEEDS, what="base_seed", must=must, got=seed)
    return Settings(
        scale=cast(Scale, _one_of("scale", given["scale"] or "laptop", SCALES)),
        only=given["only"],
        base_seed=int(seed),
        compiling=cast(Compiling, _one_of("compiling", given["compiling"] or "auto", get_args(Compiling))),
        experiments=given["experiments"] or SUITE,
        target=" ".join(_targets(arguments)),
    )


def require_usable(*places: str) -> None:
    """Raise ValueError for a folder whose path holds a character that the tools below us cannot carry."""
    for place in places:
        found = sorted(set(place) & set(UNUSABLE))
        must = f"the path must hold none of {' '.join(repr(one)[1:-1] for one in UNUSABLE)}"
        do = "move or rename the folder (spaces and letters of any alphabet are fine)"
        require(not found, what="folder of the project", must=must, got=place, do=do)


def begin(
    plans: Mapping[str, Plan],
    folder: Folder,
    wanted: Iterable[str],
    *,
    among: Iterable[Experiment],
    at_a_time: int | None = None,
) -> tuple[IO[str] | None, ...]:
    """Take the folder, write its plans and clear away what is damaged; return what marks it as taken while it is kept.

    ValueError, and nothing is changed, when another call is at work there.
    """
    held = hold(folder.shared)
    alive = remove_stale_locks(Path(".snakemake"))
    remove_unreadable_records(Path(".snakemake"))
    write_plans(plans, folder.path, among=among)
    remove_damaged(wanted)
    if commit_warning():
        print(f"seven-terms: {commit_warning()}", file=sys.stderr)
    print(cost_before(plans, folder.path, at_a_time=at_a_time, brief=True), flush=True)
    return held, alive


def count_jobs(plans: Mapping[str, Plan], folder: Folder, jobs: Iterable[tuple[str, str]]) -> None:
    """Write down what the jobs of a call, (rule, experiment), will do of all there is: an old file is not a done job.

    Never fails: nothing may cost a training, and a line that cannot be counted says so.
    """
    waiting = Counter(jobs)
    sizes = {
        "train": {path: len(plan.stacks) for path, plan in plans.items()},
        "summarize": dict.fromkeys(plans, 1),
        "figure": {path: len(plan.experiment.figures) for path, plan in plans.items()},
    }
    stages = {
        stage: {path: (max(number - waiting[stage, path], 0), number) for path, number in of.items()}
        for stage, of in sizes.items()
    }
    with contextlib.suppress(OSError):
        left = missing_stacks(plans, folder.path)
        start_progress(folder.path, stages, expected_seconds=sum(map(expected_seconds, left.values())))


def _one_of(what: str, value: str, known: Sequence[str]) -> str:
    require(value in known, what=what, must=f"it must be one of {', '.join(known)}", got=value)
    return value


def _targets(arguments: Sequence[str]) -> list[str]:
    """Return the experiments that a cluster's job is about, from the command line that Snakemake gives it."""
    words = " ".join(arguments).partition("--target-jobs")[2].split(" --")[0]
    return sorted(set(re.findall(r"experiment=([a-z0-9_]+/[a-z0-9_]+)", words)))
