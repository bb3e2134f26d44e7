"""All experiments of a folder, found by their files: for folders without a list of their own."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


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
