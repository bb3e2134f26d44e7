"""Which W&B runs `make browse` opens: all of a results folder, those of a selection, of a term or of an experiment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..records.folder import Folder
from ..spec import require


def browse(results_dir: Path, *, only: Sequence[str] = (), term: str = "") -> None:
    """Become `wandb leet` on the runs that are asked for."""
    wandb = str(Path(sys.executable).with_name("wandb"))
    os.execv(wandb, [wandb, "leet", str(folder_to_browse(results_dir, only=only, term=term))])


def folder_to_browse(results_dir: Path, *, only: Sequence[str] = (), term: str = "") -> Path:
    """Return the folder for leet; ValueError where nobody wrote it.

    `only` names a selection, as of `make report ONLY=`; `term` narrows to a term or <term>/<name>. Where there is no
    such selection its runs are looked for among those of the whole scale, and those of a term in the selection of that name.
    """
    whole, words = Folder(results_dir), sorted({word for words in only for word in words.split()})
    places = [whole.selected(" ".join(words)).path / "wandb" / term]
    if len(words) == 1 and not term:
        places.append(whole.path / "wandb" / words[0])
    if term and not words:
        places.append(whole.selected(term).path / "wandb")
    found = [place for place in places if place.is_dir() and any(place.glob("run-*"))]
    names = " ".join(words) or term
    scale, is_other_seed, seed = whole.path.name.partition("-seed")
    given = [
        f"SCALE={scale}",
        *([f"BASE_SEED={seed}"] if is_other_seed else []),
        *([f'ONLY="{names}"'] if names else []),
    ]
    require(
        bool(found),
        what=f"W&B runs of {names or 'all experiments'!r} in {str(whole.path)!r}",
        must="they must have been written",
        got=_written(whole),
        do=f"run `make report {' '.join(given)}` first, without WANDB_MODE=disabled",
    )
    return found[0]


def _written(whole: Folder) -> list[str]:
    """Return the folders of W&B runs that there are, of everything or of selections."""
    paths = [whole.path / "wandb", *sorted(whole.path.glob("selections/*/wandb"))]
    return [str(path) for path in paths if any(path.glob("run-*"))]
