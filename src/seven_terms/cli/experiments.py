"""Folders of experiments: the suite's, or one of your own beside it; standard library only."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType

from ..spec import Experiment, require, require_unique

SUITE = "experiments"


def experiments_of(folder: Path) -> tuple[Experiment, ...]:
    """Return the `EXPERIMENTS` of a folder, which is a package; ValueError where it is none, or names something twice."""
    what, path = f"experiments {str(folder)!r}", folder.resolve()
    do = "name a folder with --experiments (EXPERIMENTS=, --config experiments=), or make one with `seven-terms new`"
    require((path / "__init__.py").is_file(), what=what, must="the folder must hold __init__.py", got="none", do=do)
    must, do = "the folder's name must be one of a Python package", "rename it, e.g. my_experiments"
    require(path.name.isidentifier(), what=what, must=must, got=path.name, do=do)
    sys.path.insert(0, str(path.parent))
    package = _imported(path)
    must = "the folder's name must be of no other package"
    found = Path(package.__file__ or "").resolve().parent
    require(found == path, what=what, must=must, got=str(found), do="rename it, e.g. my_experiments")
    must, do = "__init__.py must list EXPERIMENTS", "write `EXPERIMENTS = (question.experiment, ...)`"
    require(hasattr(package, "EXPERIMENTS"), what=what, must=must, got=sorted(vars(package))[:4], do=do)
    experiments = tuple(package.EXPERIMENTS)
    require_unique(what, "names", (experiment.path for experiment in experiments))
    require_unique(what, "claims", (claim.key for experiment in experiments for claim in experiment.claims))
    return experiments


def _imported(path: Path) -> ModuleType:
    try:
        return importlib.import_module(path.name)
    except (AttributeError, NameError, ImportError, SyntaxError, TypeError) as error:
        raise ValueError(f"experiments {path.name!r}: {error} ({place_of(error, path)}).") from error


def place_of(error: BaseException, folder: Path) -> str:
    """Return the last file and line of a folder through which an error went."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).resolve().is_relative_to(folder.resolve())]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else str(folder)


def results_of(folder: Path) -> Path:
    """Return where the results of a folder of experiments lie: those of the suite in `results`, of any other inside it."""
    return Path("results") if is_suite(folder) else folder / "results"


def results_at(options: argparse.Namespace, scale: str) -> Path:
    """Return the results folder that was asked for, or else that of a scale: `make report` and all verbs agree on it."""
    return options.results or results_of(options.experiments) / scale


def is_suite(folder: Path) -> bool:
    return folder.resolve() == Path(SUITE).resolve()
