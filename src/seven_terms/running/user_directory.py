"""This user's own directory for sockets and locks, never part of the results; standard library only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def user_directory() -> Path:
    """Return the directory, made if it is not there; ValueError when somebody else made it."""
    path = Path(tempfile.gettempdir()) / f"seven-terms-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    owner = path.lstat().st_uid
    if owner != os.getuid():
        raise ValueError(f"{path}: it must belong to user {os.getuid()}, got {owner}; delete it, or set TMPDIR.")
    return path
