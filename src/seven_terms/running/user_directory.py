"""This user's own directory for sockets and locks, never part of the results; standard library only."""

from __future__ import annotations

import os

from .. import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TEMPORARY = ("TMPDIR", "TEMP", "TMP")  # variables that name it, in the order of `tempfile`, which takes long to import


def user_directory() -> Path:
    """Return the directory, made if it is not there; ValueError when somebody else made it."""
    from pathlib import Path

    return Path(user_folder())


def user_folder() -> str:
    """Return its path as text, for a client of the warm server, which does without pathlib."""
    places = [os.environ[name] for name in TEMPORARY if os.environ.get(name)] + ["/tmp"]
    place = next((one for one in places if os.access(one, os.W_OK | os.X_OK)), os.curdir)
    path = os.path.join(os.path.abspath(place), f"seven-terms-{os.getuid()}")
    os.makedirs(path, mode=0o700, exist_ok=True)
    owner = os.lstat(path).st_uid
    if owner != os.getuid():
        raise ValueError(f"{path}: it must belong to user {os.getuid()}, got {owner}; delete it, or set TMPDIR.")
    return path
