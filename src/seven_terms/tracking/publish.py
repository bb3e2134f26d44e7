"""The mirror to an account: `wandb sync` of what is not uploaded yet, then saved views and a report.

An interrupted call resumes: wandb marks each run that is uploaded, and ids follow from content.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from ..spec import require
from .folders import LOGS
from .mode import is_logged_in, service

AT_A_TIME = 8  # runs that wandb uploads side by side
BATCH = 100  # runs between two lines on the terminal
REACH_SECONDS = 10.0
HIDDEN = "(the key)"


def publish(results_dir: Path) -> str:
    """Upload the mirror of a results folder and return what was done in one line; ValueError says what is missing."""
    wandb_dir = results_dir / "wandb"
    require(
        (wandb_dir / "mirror.json").is_file() and (wandb_dir / "mirror.json").stat().st_size > 0,  # empty: it failed
        what=f"W&B runs of {str(results_dir)!r}",
        must="they must have been written to wandb/",
        got="none",
        do="run `make report` first, without WANDB_MODE=disabled",
    )
    require_service()
    environment = _environment(wandb_dir)
    folders = sorted((wandb_dir / LOGS).iterdir())
    waiting = [folder for folder in folders if not is_uploaded(folder)]
    for first in range(0, len(waiting), BATCH):
        said = _sync(waiting[first : first + BATCH], environment)
        done = sum(map(is_uploaded, waiting))
        require(
            done >= min(first + BATCH, len(waiting)),
            what=f"upload to {service()}",
            must=f"all {len(waiting)} runs must arrive",
            got=f"{done}, {said}",
            do="type the same command again: it resumes",
        )
        print(f"uploaded {done} of {len(waiting)} runs", flush=True)
    links = _save_views(results_dir)
    return f"{len(waiting)} runs uploaded, {len(folders) - len(waiting)} were there already; {links}"


def _save_views(results_dir: Path) -> str:
    from .workspace import save_views

    try:
        return save_views(results_dir)
    except Exception as error:  # of whatever kind the service's client raises
        said = without_key(str(error).splitlines()[0])
        raise ValueError(
            f"W&B workspace and report: they must be saved after the runs, got {type(error).__name__}: {said}; "
            "type the same command again: the runs are there."
        ) from error


def require_service() -> None:
    """Raise ValueError where nobody is logged in, or the service does not answer."""
    require(
        is_logged_in(),
        what=f"W&B account at {service()}",
        must="somebody must be logged in",
        got="no API key",
        do="run `wandb login`, then the same command again",
    )
    try:
        urllib.request.urlopen(service(), timeout=REACH_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answers
    except (OSError, ValueError) as error:
        require(
            False,
            what="W&B",
            must=f"{service()} must answer",
            got=str(getattr(error, "reason", error)),
            do="check the network, then type the same command again; the runs stay in wandb/",
        )


def is_uploaded(folder: Path) -> bool:
    return any(folder.glob("*.wandb.synced"))


def _environment(wandb_dir: Path) -> dict[str, str]:
    """Return the variables for wandb: the caller's, and the folders of these runs' artifacts and of wandb's own logs."""
    own = wandb_dir.resolve() / ".sync"  # without it wandb makes a folder where it is called
    own.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name != "WANDB_MODE"}
    kept |= {"WANDB_DIR": str(own), "WANDB_DATA_DIR": str(own.with_name(".artifacts"))}
    return kept | {"WANDB_ERROR_REPORTING": "false"}


def _sync(folders: list[Path], environment: Mapping[str, str]) -> str:
    """Upload some runs and return the last line of what wandb said, without the key."""
    command = [str(Path(sys.executable).with_name("wandb")), "sync", "--yes", "-n", str(AT_A_TIME)]
    done = subprocess.run(
        [*command, *map(str, folders)], env=dict(environment), capture_output=True, text=True, check=False
    )
    lines = (done.stdout + done.stderr).strip().splitlines() or ["no word"]
    errors = [line for line in lines if "error" in line.lower()] or lines
    return without_key(errors[-1].removeprefix("wandb: "))


def without_key(text: str) -> str:
    """Return a text in which no API key stands."""
    key = os.environ.get("WANDB_API_KEY")
    return text.replace(key, HIDDEN) if key else text
