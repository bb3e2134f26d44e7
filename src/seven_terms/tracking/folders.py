"""How the mirror lies on disk, so that `wandb leet`, which lists folder names, shows experiment, arm, setting and seed.

wandb/logs/offline-run-<time>-<id>/          each run as wandb wrote it: what `wandb sync` sends
wandb/run-20000101_000000-<experiment>-<arm>-<setting>-s<seed>          links to all of them
wandb/<term>/run-..., wandb/<term>/<name>/run-...       links to those of a term, of an experiment
wandb/latest-run                             the overview
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from .content import MirroredRun

LOGS = "logs"
ENTRY = "run-20000101_000000-"  # leet opens no folder without a time; one for all keeps the order by name


def written_runs(wandb_dir: Path) -> dict[str, Path]:
    """Return W&B id -> folder of the runs that are written already."""
    folders = (wandb_dir / LOGS).glob("offline-run-*_*-*")
    return {folder.name.split("-", 3)[3]: folder for folder in folders if list(folder.glob("*.wandb"))}


def remove_others(wandb_dir: Path, kept: Iterable[str]) -> None:
    """Delete the runs of earlier results."""
    keep = set(kept)
    for run_id, folder in written_runs(wandb_dir).items():
        if run_id not in keep:
            shutil.rmtree(folder)


def link_all(wandb_dir: Path, runs: Mapping[str, tuple[MirroredRun, Path]]) -> None:
    """Make the links of these runs, by W&B id with the folder of each, and delete all earlier ones."""
    for path in wandb_dir.iterdir():
        if path.is_symlink():
            path.unlink()
        elif path.is_dir() and path.name != LOGS and not path.name.startswith("."):
            shutil.rmtree(path)
    for run, folder in runs.values():
        term, _, name = run.group.partition("/")
        if not name:
            _list(wandb_dir, run.label, folder)
            _link(wandb_dir / "latest-run", folder)
            continue
        _list(wandb_dir, f"{name}-{run.label}", folder)
        _list(wandb_dir / term, f"{name}-{run.label}", folder)
        _list(wandb_dir / term / name, run.label, folder)


def _link(path: Path, folder: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(os.path.relpath(folder, path.parent), target_is_directory=True)


def _list(parent: Path, label: str, folder: Path) -> None:
    """Make an entry that leet opens: it finds the log `run-<label>.wandb` in a folder `run-<time>-<label>` only."""
    entry = parent / f"{ENTRY}{label}"
    for file in folder.iterdir():
        name = f"run-{label}.wandb" if file.suffix == ".wandb" else file.name
        if file.suffix == ".wandb" or file.is_dir():
            _link(entry / name, file)
