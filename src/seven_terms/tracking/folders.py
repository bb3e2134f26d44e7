"""How the mirror lies on disk, so that `wandb leet`, which lists folder names, shows experiment, arm, setting and seed.

wandb/logs/offline-run-<time>-<id>/          each run as wandb wrote it: what `wandb sync` sends
wandb/run-<short name>-run-20000101_000000-<experiment>-<arm>-<setting>-s<seed>/      links to what is in each
wandb/<term>/run-..., wandb/<term>/<name>/run-...      links to those entries of a term, of an experiment
wandb/latest-run                             the overview

leet shows the first 31 letters of a folder's name, wants `run-` at its beginning and `run-<time>-` somewhere, and filters by
all of it: so what tells runs apart comes first, short enough to be seen whole, and the name in full comes last.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .content import MirroredRun

LOGS = "logs"
TIME = "run-20000101_000000"  # leet opens no folder without one; the same for all keeps the order by name
SHOWN = 27  # letters that leet shows beside "run-" and "..." where the terminal has fewer than 170 columns
SHORTEST = 2  # letters of a word


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A W&B run on disk: its names, and its folder in LOGS. A thousand histories need not stay in memory."""

    id: str
    kind: str
    group: str
    label: str
    folder: str


def names_of(run: MirroredRun) -> dict[str, str]:
    """Return what `Written` takes besides the folder."""
    return {"id": run.id, "kind": run.kind, "group": run.group, "label": run.label}


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


def link_all(wandb_dir: Path, runs: Iterable[Written]) -> None:
    """Make the links of these runs, and delete all earlier ones."""
    for path in wandb_dir.iterdir():
        if path.is_symlink():
            path.unlink()
        elif path.is_dir() and path.name != LOGS and not path.name.startswith("."):
            shutil.rmtree(path)
    groups: dict[str, dict[str, Path]] = {}
    for run in runs:
        groups.setdefault(run.group, {})[run.label] = wandb_dir / LOGS / run.folder
    for group, folders in groups.items():
        _link_group(wandb_dir, group, folders)


def _link_group(wandb_dir: Path, group: str, folders: Mapping[str, Path]) -> None:
    """Make the links of an experiment's runs, by label, or of the overview."""
    term, _, name = group.partition("/")
    full = {label: f"{name}-{label}" if name else label for label in folders}
    short, shorter = short_names(folders), short_names(full.values())
    for label, folder in folders.items():
        entry = wandb_dir / f"run-{shorter[full[label]]}-{TIME}-{full[label]}"
        _make_entry(entry, full[label], folder)
        if name:
            _link(wandb_dir / term / entry.name, entry)
            _link(wandb_dir / term / name / f"run-{short[label]}-{TIME}-{full[label]}", entry)
        else:
            _link(wandb_dir / "latest-run", folder)


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return each name `[<experiment>-]<arm>-<settings>-s<seed>` as it is seen whole in leet's list, where that can be.

    Where one is too long, settings go by their initials and words of experiment and arm are cut, the longest first, alike in
    all names and so far that arms can be told apart. What is too long even then shows the values of its settings alone.
    """
    short = {name: re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.3g}", name) for name in names}
    if len(max(short.values(), key=len)) <= SHOWN:
        return short
    cut = {name: re.fullmatch(r"((?:\w+-)??\w+)(-sweep|(?:-\w+=.*)?-s\d+)", text) for name, text in short.items()}
    halves = {name: (found[1], _by_initials(found[2])) for name, found in cut.items() if found}
    rests: dict[str, str] = {}
    for who, rest in halves.values():
        rests[who] = max(rests.get(who, ""), rest, key=len)
    whose = _cut(rests)
    return short | {name: _fitting(whose[who], rest) for name, (who, rest) in halves.items()}


def _fitting(who: str, rest: str) -> str:
    """Return the name with its settings, or with their values alone where they have no room."""
    return who + (rest if len(who + rest) <= SHOWN else re.sub(r"(?<=-)\w+=", "", rest))


def _by_initials(settings: str) -> str:
    """Return "-num_steps=100-width=32-s1" as "-ns=100-w=32-s1"."""
    initials = lambda found: "".join(word[0] for word in found[1].split("_")) + "="  # noqa: E731
    return re.sub(r"(?<=-)(?!lr=)(\w+)=", initials, settings)


def _cut(rests: Mapping[str, str]) -> dict[str, str]:
    """Return a shorter form of each key that with its value has at most SHOWN letters; no two become the same."""
    parts = {name: re.split("([A-Za-z][a-z]+)", re.sub("_(.)", lambda at: at[1].upper(), name)) for name in rests}
    kept = {word: len(word) for words in parts.values() for word in words if word.isalpha()}
    final = {word for word, length in kept.items() if length <= SHORTEST}

    def shortened() -> dict[str, str]:
        return {name: "".join(word[: kept.get(word)] for word in words) for name, words in parts.items()}

    while True:
        short = shortened()
        longest = max(rests, key=lambda name: len(short[name] + rests[name]))
        words = {word for word in parts[longest] if word.isalpha()} - final
        if len(short[longest] + rests[longest]) <= SHOWN or not words:
            return short
        word = max(sorted(words), key=lambda word: kept[word])
        kept[word] -= 1
        if len(set(shortened().values())) < len(parts):
            kept[word] += 1
            final.add(word)
        elif kept[word] == SHORTEST:
            final.add(word)


def _link(path: Path, folder: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(os.path.relpath(folder, path.parent), target_is_directory=True)


def _make_entry(entry: Path, label: str, folder: Path) -> None:
    """Make an entry that leet opens: it finds the log `run-<label>.wandb` in a folder `...run-<time>-<label>` only."""
    for file in folder.iterdir():
        name = f"run-{label}.wandb" if file.suffix == ".wandb" else file.name
        if file.suffix == ".wandb" or file.is_dir():
            _link(entry / name, file)
