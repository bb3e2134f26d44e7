"""The experiments of a folder: those that a term lists, in its order, or all that there are, by their files."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from .checks import require, require_unique


def questions(package: str, *names: str) -> tuple[Any, ...]:
    """Return the `experiment` of each named file of a term's package, in this order; ValueError where a file is not named."""
    forgotten = sorted(set(_children(package)) - set(names))
    must, do = "questions must name every file of the term once", "add the file, or begin its name with _"
    require(not forgotten, what=f"package {package!r}", must=must, got=f"none of {forgotten}", do=do)
    require_unique(f"package {package!r}", "names of questions", names)
    return tuple(importlib.import_module(f"{package}.{name}").experiment for name in names)


def collect(package: str) -> tuple[Any, ...]:
    """Return the `experiment` of every file <term>/<question>.py of a package, by name; files without one are passed over.

    `EXPERIMENTS = collect(__name__)` is all that the package's `__init__.py` needs.
    """
    found = []
    for term in sorted(_children(package)):
        for question in sorted(_children(f"{package}.{term}")):
            module = importlib.import_module(f"{package}.{term}.{question}")
            if hasattr(module, "experiment"):
                found.append(module.experiment)
    return tuple(found)


def _children(package: str) -> list[str]:
    module = importlib.import_module(package)
    return [one.name for one in pkgutil.iter_modules(getattr(module, "__path__", ())) if not one.name.startswith("_")]
