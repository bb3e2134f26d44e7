"""What a record names without holding it: the code of a user's class, and data files. Both are part of a run's id."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import os
import re
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from .checks import require
from .kinds import Kind

PACKAGE = __name__.partition(".")[0]
INSTALLED = (
    "site-packages",
    "dist-packages",
)  # folders that hold packages of many people: only one's own is followed there
# Classes of these may be named too; their code belongs to the environment, as that of torch does for our own models.
LIBRARIES = ("torch", "torchvision", "torchmetrics", "pytorch_lightning", "lightning", "lightning_fabric")


def content_of(record: Any) -> str:
    """Return a hash of the code and data that decide what a record does; "" where all of it is in this package.

    The code is that of the class, of its bases and of the modules that it names, each with what it imports from its own folder.
    """
    sources, files = (record.sources(), record.files()) if isinstance(record, Kind) else ((), ())
    foreign = sorted(name for name in {*_modules(type(record)), *sources} if _is_somebodys(name))
    if not foreign and not files:
        return ""
    digest = hashlib.sha256()
    for path in sorted({path for name in foreign for path in source_files(name)}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in files:
        digest.update(checksum(find_file(name)).encode())
    return digest.hexdigest()[:16]


@functools.cache
def _modules(kind: type) -> frozenset[str]:
    return frozenset(base.__module__ for base in kind.__mro__)


@functools.cache
def _is_foreign(module: str) -> bool:
    top = module.partition(".")[0]
    return top != PACKAGE and top not in sys.stdlib_module_names


def _is_somebodys(module: str) -> bool:
    return _is_foreign(module) and module.partition(".")[0] not in LIBRARIES


@functools.cache
def source_files(module: str) -> tuple[Path, ...]:
    """Return a module's file and, at any depth, the files of its own folder or package that it imports."""
    top = module.partition(".")[0]
    found = importlib.util.find_spec(top) if top != "__main__" else None
    must, do = "it must be importable", f"install {top!r}, or put its folder on PYTHONPATH"
    must, do = (must, do) if top != "__main__" else ("it must be a file", "put the class into one")
    root = None if found is None else _folder(found)
    require(root is not None, what=f"module {module!r}", must=must, got=f"no module named {top!r}", do=do)
    assert root is not None
    files: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        inside = root.name not in INSTALLED or name.partition(".")[0] == top
        path = _file(root, name) if inside else None
        if name not in files and path is not None:
            files[name] = path
            waiting += _imported(path, name)
    return tuple(sorted(set(files.values())))


def name_of(kind: type) -> str:
    """Return how records name a class: by its name alone in this package, elsewhere as "package.module:Class"."""
    return f"{kind.__module__}:{kind.__qualname__}" if _is_foreign(kind.__module__) else kind.__name__


def import_folders(text: str) -> tuple[str, ...]:
    """Return the folders, outside of installed packages, of all "package.module:Class" that a record's JSON names."""
    folders = set()
    for top in set(re.findall(r'"(\w+)(?:\.\w+)*:\w[\w.]*"', text)):
        found = importlib.util.find_spec(top) if _is_foreign(top) else None
        root = None if found is None else _folder(found)
        if root is not None and root.name not in INSTALLED:
            folders.add(str(root.resolve()))
    return tuple(sorted(folders))


def _folder(found: ModuleSpec) -> Path | None:
    """Return the folder in which a module's file, or a package's folder (with or without `__init__.py`), lies."""
    if found.submodule_search_locations:
        return Path(next(iter(found.submodule_search_locations))).parent
    return None if found.origin is None else Path(found.origin).parent


def _file(root: Path, name: str) -> Path | None:
    path = root.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imported(path: Path, name: str) -> list[str]:
    """Return the dotted names that a file imports, wherever in it; some name what is no module."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def find_file(name: str) -> Path:
    """Return the path of a data file: "package:path/in/it", or a path from here or from a folder of the module path."""
    package, colon, inside = name.partition(":")
    if colon:
        found = importlib.util.find_spec(package)
        must, do = f"the package {package!r} must be installed", f"install {package!r}"
        require(found is not None and found.origin is not None, what=f"data file {name!r}", must=must, got=None, do=do)
        candidates = [Path(found.origin).parent / inside]  # type: ignore[union-attr, arg-type]
    else:
        candidates = [Path(folder, name).expanduser() for folder in ("", *sys.path)]
    path = next((path for path in candidates if os.path.exists(path)), None)  # False for a name that is too long
    do = "name it from the folder where the command is typed or from that of the experiments"
    require(path is not None, what=f"data file {name!r}", must="it must exist", got=str(candidates[0]), do=do)
    assert path is not None
    return path


def checksum(path: Path) -> str:
    """Return the sha256 of a file, or of a folder's file names and contents."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    stamps = tuple((str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _checksum(path, stamps)


@functools.cache
def _checksum(path: Path, stamps: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, _, _ in stamps:
        with open(path / name if name != "." else path, "rb") as file:
            digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()
