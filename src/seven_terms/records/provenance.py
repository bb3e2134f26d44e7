"""Where numbers come from: commit, dirty flag, versions, hardware; standard library only."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "pytorch-lightning", "numpy", "pandas", "pyarrow")


def provenance(*, device: str = "cpu") -> dict[str, Any]:
    """Return commit (with "+" when the tree is dirty), package versions, processor, cores and Python version."""
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "versions": dict(versions()),
        "processor": processor(),
        "num_cores": os.cpu_count(),
        "device": device,
    }


@functools.cache
def versions() -> Mapping[str, str]:
    """Return the versions of PACKAGES: those that this process found first, as it is with what it imported."""
    return {name: _version(name) for name in PACKAGES}


def commit() -> str:
    """Return the short commit of the checkout that holds this file, or "unknown" outside one."""
    here = Path(__file__).resolve().parent
    revision = _git("rev-parse", "--short=12", "HEAD", cwd=here)
    if not revision:
        return "unknown"
    return revision + ("+" if _git("status", "--porcelain", "--untracked-files=no", cwd=here) else "")


def commit_warning() -> str:
    """Return what to say where the commit is unknown, or ""."""
    if commit() != "unknown":
        return ""
    here = Path(__file__).resolve().parent
    said = _asked_git("rev-parse", "HEAD", cwd=here)[1].splitlines() or ["there is no git"]
    do = "this is a copy without its history"
    if "ownership" in said[0]:
        do = "the checkout belongs to another user: `git config --global --add safe.directory '*'` lets git read it"
    return f"commit of this checkout: git must tell it, got {said[0]!r}; results and report will say 'unknown' ({do})."


def commit_time() -> int | None:
    """Return the commit's time in seconds since 1970, for SOURCE_DATE_EPOCH."""
    stamp = _git("log", "-1", "--format=%ct", cwd=Path(__file__).resolve().parent)
    return int(stamp) if stamp else None


@functools.cache
def processor() -> str:
    """Return the name of this machine's processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _git(*arguments: str, cwd: Path) -> str:
    return _asked_git(*arguments, cwd=cwd)[0]


def _asked_git(*arguments: str, cwd: Path) -> tuple[str, str]:
    """Return what git answered, nothing where it failed, and what it complained of."""
    try:
        done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    answer, complaint = (part.decode("utf-8", errors="replace").strip() for part in (done.stdout, done.stderr))
    return (answer if done.returncode == 0 else ""), complaint
