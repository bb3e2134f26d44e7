"""Where numbers come from: commit, dirty flag, versions, hardware; standard library only."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "pytorch-lightning", "numpy", "pandas", "pyarrow")


def provenance(*, device: str = "cpu") -> dict[str, Any]:
    """Return commit (with "+" when the tree is dirty), package versions, processor, cores and Python version."""
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "processor": processor(),
        "num_cores": os.cpu_count(),
        "device": device,
    }


def commit() -> str:
    """Return the short commit of the checkout that holds this file, or "unknown" outside one."""
    here = Path(__file__).resolve().parent
    revision = _git("rev-parse", "--short=12", "HEAD", cwd=here)
    if not revision:
        return "unknown"
    return revision + ("+" if _git("status", "--porcelain", "--untracked-files=no", cwd=here) else "")


def commit_time() -> int | None:
    """Return the commit's time in seconds since 1970, for SOURCE_DATE_EPOCH."""
    stamp = _git("log", "-1", "--format=%ct", cwd=Path(__file__).resolve().parent)
    return int(stamp) if stamp else None


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
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
    try:
        done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
