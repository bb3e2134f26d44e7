"""Where everything lies in a folder of results: the one place that spells these paths; standard library only.

`results/<scale>` is the whole of a scale. A selection of its experiments has a folder of its own below it, with plan, tables,
figures and report; what is trained is shared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..spec import SCALES, TERMS

SELECTIONS = "selections"
LONGEST = 60  # letters of a selection's name


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of results, by its path; an experiment is "<term>/<name>"."""

    path: Path

    @property
    def shared(self) -> Path:
        """The folder of the whole scale, which holds what all selections share: metrics, checkpoints, W&B runs."""
        return self.path.parent.parent if self.path.parent.name == SELECTIONS else self.path

    def selected(self, only: str) -> Folder:
        """Return the folder of a selection, or this one where nothing is selected."""
        words = sorted(set(only.split()))
        return Folder(self.path / SELECTIONS / selection_name(words)) if words else self

    def plan(self, experiment: str) -> Path:
        return self.path / "plan" / f"{experiment}.json"

    def plans(self) -> list[Path]:
        """Return the plan files that are there, in the order of their terms, by name within a term."""
        order = self.terms()
        last = len(order)
        found = self.path.glob("plan/*/*.json")
        places = {path: order.index(path.parent.name) if path.parent.name in order else last for path in found}
        return sorted(places, key=lambda path: (places[path], path.parent.name, path.stem))

    def terms(self) -> tuple[str, ...]:
        """Return the terms in the order of the experiments, as the plan lists them; without one those of the suite."""
        listed = self.table("plan/experiments")
        if not listed.is_file():
            return TERMS
        rows = listed.read_text(encoding="utf-8").splitlines()[1:]
        return tuple(dict.fromkeys(row.partition("/")[0] for row in rows))

    def metrics_of(self, experiment: str) -> Path:
        return self.shared / "metrics" / experiment

    def metrics(self, experiment: str, stack: str) -> Path:
        return self.metrics_of(experiment) / f"{stack}.parquet"

    def summary(self, experiment: str) -> Path:
        return self.path / "summary" / f"{experiment}.csv"

    def claims(self, experiment: str) -> Path:
        return self.path / "claims" / f"{experiment}.csv"

    def figure(self, name: str) -> Path:
        """Return the path of a figure, "<experiment>/<figure>" or "summary" or "speed/<table>"."""
        return self.path / "figures" / f"{name}.pdf"

    def table(self, name: str) -> Path:
        """Return the path of a table of all experiments: runs, verdicts, noise_floor, comparisons, plan/experiments..."""
        return self.path / f"{name}.csv"

    @property
    def tex(self) -> Path:
        return self.path / "report" / "main.tex"

    @property
    def pdf(self) -> Path:
        return self.path / "seven-terms.pdf"

    @property
    def supplement(self) -> Path:
        return self.path / "seven-terms-supplement.pdf"

    @property
    def page(self) -> Path:
        return self.path / "index.html"


def folder_of(scale: str, *, base_seed: int = 0, only: str = "", results: str = "results") -> Folder:
    """Return the folder of a scale, a base seed and a selection."""
    return Folder(Path(results, f"{scale}-seed{base_seed}" if base_seed else scale)).selected(only)


def selection_name(words: list[str]) -> str:
    """Return a folder's name for a selection: its words, shortened where they are many."""
    name = "+".join(word.replace("/", ".") for word in words)
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 7].rstrip('.+')}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def scales_beside(published_dir: Path | None, *, scale: str) -> tuple[Path, ...]:
    """Return the folders of other scales in a folder such as results/published, the smaller scale first; not those of smoke.

    The largest scale is among them whether there is something in it or not: what it lacks is said in the supplement.
    """
    if published_dir is None:
        return ()
    others = [one for one in SCALES if one not in (scale, "smoke")]
    return tuple(
        published_dir / one for one in others if one == SCALES[-1] or (published_dir / one / "verdicts.csv").is_file()
    )
