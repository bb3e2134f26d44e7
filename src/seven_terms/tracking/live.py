"""A long stack as one W&B run while it trains, for those who ask: the same numbers as a line on the terminal.

W&B works in a process of its own, which reads one line of JSON a look. Whatever happens there, a crash, a hang, no
network, ends the live run with one sentence: the training writes without waiting, and waits a bounded time at its end.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .content import AXIS
from .mode import is_logged_in, wandb_mode
from .publish import without_key

CLOSE_SECONDS = 15.0
INIT_SECONDS = 30.0
NAMES = ("experiment", "stack", "step", "num_runs", "num_steps")
COMMAND = (sys.executable, "-m", "seven_terms.tracking.live")


class LiveRun:
    """One stack's run; starts with the first look. `command` reads from its standard input what W&B receives."""

    def __init__(
        self,
        folder: Path,
        *,
        experiment: str,
        stack: str,
        command: Sequence[str] = COMMAND,
        close_seconds: float = CLOSE_SECONDS,
    ) -> None:
        self.names = {"experiment": experiment, "stack": stack}
        self.folder, self.command, self.close_seconds = folder, command, close_seconds
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ended = False

    def tell(self, look: Mapping[str, Any]) -> None:
        """Print a look and send it, without waiting for anybody."""
        look = self.names | dict(look)
        print(line_of(look), flush=True)
        if self.is_ended:
            return
        try:
            if self.process is None:
                self._start()
            self._send(json.dumps(look).encode() + b"\n")
        except BlockingIOError:
            self._end("it reads nothing")
        except OSError as error:
            self._end(f"{type(error).__name__}: {error.strerror}")

    def close(self) -> None:
        """Let W&B finish, for a bounded time."""
        if self.process is None or self.is_ended:
            return
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            status = self.process.wait(self.close_seconds)
        except subprocess.TimeoutExpired:
            self._end(f"it did not finish in {self.close_seconds:g} s")
            return
        if status:
            self._end(f"it ended with status {status}")
        else:
            self.errors.close()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        self.process = subprocess.Popen(
            [*self.command, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            start_new_session=True,
            bufsize=0,
        )
        assert self.process.stdin is not None
        os.set_blocking(self.process.stdin.fileno(), False)

    def _send(self, line: bytes) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        if os.write(self.process.stdin.fileno(), line) < len(line):
            raise BlockingIOError

    def _end(self, why: str) -> None:
        """Stop W&B's process, with what it started, and say why in one sentence."""
        self.is_ended = True
        said = ""
        if self.process is not None:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            assert self.process.stdin is not None
            self.process.stdin.close()
            with self.errors:
                self.errors.seek(0)
                lines = self.errors.read().decode(errors="replace").strip().splitlines()
            said = f" ({without_key(lines[-1])[:300]})" if lines else ""
        sys.stderr.write(f"seven-terms: the live W&B run ended, the training is as it was: {why}{said}.\n")
        sys.stderr.flush()


def line_of(look: Mapping[str, Any]) -> str:
    """Return a look as a line for the terminal."""
    loss = next((name for name in look if name.endswith("_loss/p50")), None)
    parts = [
        f"{look['experiment']} {look['stack'][:8]}: {look['progress']:.0%}, step {look['step']:,} of {look['num_steps']:,}"
    ]
    if loss is not None:
        low, middle, high = (f"{look[loss[:-2] + end]:.3g}" for end in ("10", "50", "90"))
        parts.append(
            f"{loss[:-4].replace('_', ' ')} {middle} ({low} to {high} in the middle 80 % of {look['num_runs']} runs)"
        )
    rates = f"{look['learning_rate/min']:.3g} to {look['learning_rate/max']:.3g}"
    parts += [f"{look['share_diverged']:.0%} diverged", f"{look['run_steps_per_second']:,.0f} run-steps/s"]
    return ", ".join([*parts, f"{look['memory_bytes'] / 1e6:,.0f} MB", f"learning rate {rates}"])


def log_all(folder: Path) -> None:
    """Log the looks on standard input to one W&B run, through Lightning's own logger: the work of the process."""
    logger = None
    for line in sys.stdin:
        look = json.loads(line)
        if logger is None:
            logger = _logger(folder, look)
            logger.experiment.define_metric(AXIS)
            logger.experiment.define_metric("*", step_metric=AXIS)
        logger.log_metrics({AXIS: look["step"]} | {name: value for name, value in look.items() if name not in NAMES})
    if logger is not None:
        logger.experiment.finish()


def _logger(folder: Path, look: Mapping[str, Any]):
    from pytorch_lightning.loggers import WandbLogger

    from .write import project, settings

    options = settings()
    options.init_timeout = INIT_SECONDS
    is_online = wandb_mode() == "online" and is_logged_in()
    folders = {"WANDB_DATA_DIR": "artifacts", "WANDB_CACHE_DIR": "cache", "WANDB_CONFIG_DIR": "config"}
    os.environ.update({name: str(folder.resolve() / path) for name, path in folders.items()})
    os.environ.update(WANDB_SILENT="true", WANDB_ERROR_REPORTING="false")
    return WandbLogger(
        name=f"{look['experiment']}/live-{look['stack'][:8]}",
        project=project(),
        entity=os.environ.get("WANDB_ENTITY") or None,
        save_dir=str(folder),
        offline=not is_online,
        id=f"live-{look['stack']}",  # a training that goes on goes on in the same run
        group=look["experiment"],
        job_type="live",
        tags=["live", look["experiment"].partition("/")[0]],
        config={"kind": "live", **{name: look[name] for name in NAMES if name != "step"}},
        settings=options,
    )


if __name__ == "__main__":
    log_all(Path(sys.argv[1]))
