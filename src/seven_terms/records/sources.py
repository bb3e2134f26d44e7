"""The code that a stage consists of: its own files and every file of the package that they import; standard library only."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def source_id(*parts: str) -> str:
    """Return a hash of the sources of these parts ("statistics", "records.tables"): it changes when their code does."""
    digest = hashlib.sha256()
    for path in source_files(*parts):
        digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]


def source_files(*parts: str) -> list[Path]:
    """Return the files of these parts and of all that they import from the package, at any depth, sorted."""
    found: set[Path] = set()
    waiting = [path for part in parts for path in _files(part.split("."))]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += imports_of(path)
    return sorted(found)


@cache
def imports_of(path: Path) -> frozenset[Path]:
    """Return the files of the package that a file imports, wherever in it."""
    package = path.relative_to(PACKAGE).parts[:-1]
    found: set[Path] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").partition(".")[0] == PACKAGE.name):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            module = (node.module or "").split(".") if node.module else []
            base = (*parents, *(module if node.level else module[1:]))
            for names in (base, *((*base, alias.name) for alias in node.names)):
                found |= {file for depth in range(len(names) + 1) for file in _module(names[:depth])}
    return frozenset(found)


def _module(names: tuple[str, ...]) -> list[Path]:
    path = PACKAGE.joinpath(*names)
    return [file for file in (path.with_suffix(".py") if names else path, path / "__init__.py") if file.is_file()]


def _files(names: list[str]) -> list[Path]:
    path = PACKAGE.joinpath(*names)
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    assert files
    assert all(file.is_file() for file in files), f"no part {'.'.join(names)!r}"
    return files
