"""What WANDB_MODE and WANDB_RUNS may say, known before anything is trained; standard library only."""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ..spec import require

MODES = ("offline", "online", "disabled")
RUNS = ("selected", "all")
SERVICE = "https://api.wandb.ai"


def wandb_mode(environment: Mapping[str, str] = os.environ) -> str:
    """Return WANDB_MODE, `offline` where it is not set; ValueError for what it may not be."""
    return _one_of(MODES, "WANDB_MODE", environment)


def wandb_runs(environment: Mapping[str, str] = os.environ) -> str:
    """Return WANDB_RUNS, which runs are mirrored, `selected` where it is not set; ValueError for what it may not be."""
    return _one_of(RUNS, "WANDB_RUNS", environment)


def _one_of(choices: tuple[str, ...], name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, choices[0])
    require(
        value in choices,
        what=name,
        must=f"it must be {', '.join(choices[:-1])} or {choices[-1]}",
        got=value,
        do=f"try `{name}={choices[0]}`",
    )
    return value


def warning(environment: Mapping[str, str] = os.environ) -> str:
    """Return what must be said before a training whose runs cannot be uploaded, or nothing."""
    if wandb_mode(environment) != "online" or is_logged_in(environment):
        return ""
    return (
        "WANDB_MODE=online, but nobody is logged in to W&B: runs stay offline until `wandb login` and "
        "`make publish-wandb`; training does not wait for it."
    )


def is_live(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a long stack is shown while it trains: WANDB_LIVE=1, or WANDB_MODE=online without WANDB_LIVE=0."""
    mode = wandb_mode(environment)
    asked = _one_of(("", "0", "1"), "WANDB_LIVE", environment)
    return mode != "disabled" and (asked == "1" or (mode == "online" and asked == ""))


def remove_failed(wandb_dir: Path) -> None:
    """Delete what stands for a mirror that failed, empty files, so that it is tried again."""
    for path in (wandb_dir / "runs.json", wandb_dir / "mirror.json"):
        if path.is_file() and not path.stat().st_size:
            path.unlink()


def is_logged_in(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether there is an API key for the service, in the environment or in the netrc file; the key is not read out."""
    if environment.get("WANDB_API_KEY"):
        return True
    try:
        path = Path(environment.get("NETRC") or Path(environment.get("HOME", "~"), ".netrc")).expanduser()
        return netrc.netrc(str(path)).authenticators(urlsplit(service(environment)).hostname or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def service(environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the W&B server: WANDB_BASE_URL, or the public service."""
    return environment.get("WANDB_BASE_URL") or SERVICE
