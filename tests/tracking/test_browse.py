"""W&B's terminal browser on the mirror, driven as a person would: start, filter, select, see a chart."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from seven_terms.tracking.mirror import mirror

from .results import make_results

SEVEN_TERMS = Path(sys.executable).with_name("seven-terms")
COLUMNS = 160  # of 170 on, leet gives its list more room


@pytest.fixture
def terminal(tmp_path):
    """Return a function that sends keys to `seven-terms browse` on a mirror, or nothing, and returns what the screen shows."""
    assert shutil.which("tmux"), (
        "tmux must be installed to drive a terminal; `sh setup/tmux.sh` or `apt-get install tmux`."
    )
    before = dict(os.environ)
    short = Path(tempfile.mkdtemp(dir="/tmp"))  # a long path, which the last line shows, leaves no room for the filter
    folder = make_results(short / "laptop")  # a fresh one: leet keeps its filter in the folder it shows
    mirror(folder)
    os.environ.clear()
    os.environ.update(before)
    socket = Path(tempfile.mkdtemp()) / "s"  # a short path: a socket takes no long one
    tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    command = (
        f"cd {tmp_path} && env HOME={tmp_path} WANDB_ERROR_REPORTING=false {SEVEN_TERMS} browse --results {folder}"
    )
    subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", "40", "-s", "leet", command], check=True)

    def screen(*keys: str, until: str) -> str:
        for key in keys:
            subprocess.run([*tmux, "send-keys", "-t", "leet", key], check=True)
        deadline = time.monotonic() + 120
        while True:
            shown = subprocess.run(
                [*tmux, "capture-pane", "-p", "-t", "leet"], capture_output=True, text=True, check=True
            )
            if until in shown.stdout:
                return shown.stdout
            assert time.monotonic() < deadline, shown.stdout
            time.sleep(0.2)

    yield screen
    subprocess.run([*tmux, "kill-server"], check=False)
    shutil.rmtree(socket.parent)
    shutil.rmtree(short)


def test_every_run_is_listed_with_its_whole_name_found_by_it_and_drawn(terminal):
    shown = terminal(until="rates-wide-sweep")
    assert "Runs [10 items]" in shown
    for name in ("overview", "rates-plain-lr=0.5-s0", "rates-wide-lr=0.1-w=8-s1", "rates-plain-sweep"):
        assert f" run-{name}-" in shown or f" run-{name}..." in shown  # whole, not cut
    shown = terminal("f", *"plain-lr", until="Runs [2 filtered from 10 total]")
    assert "-overview" not in shown
    terminal("Enter", until="(f to change")
    shown = terminal("Space", until="validation_loss")
    assert "batch_loss" in shown
