"""An interrupted workflow leaves no process and no lock behind, and the same command goes on."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seven_terms.running.stale_locks import remove_stale_locks, remove_unreadable_records

from .checkout import copy_checkout

TARGET = "results/smoke/summary/batch_norm/batch_size.csv"
HOLD = """
import sys
from pathlib import Path
from seven_terms.running.stale_locks import remove_stale_locks, remove_unreadable_records
mark = remove_stale_locks(Path(sys.argv[1]))
print("alive", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locked(tmp_path) -> Path:
    """Return a .snakemake folder with the lock files of a call."""
    folder = tmp_path / ".snakemake"
    (folder / "locks").mkdir(parents=True)
    for name in ("0.input.lock", "0.output.lock"):
        (folder / "locks" / name).write_text("results/smoke/runs.csv\n")
    return folder


def call(folder: Path) -> subprocess.Popen:
    """Return a living call that has done its check."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdout
    assert process.stdout.readline() == b"alive\n"
    return process


def test_locks_stay_while_any_call_lives_and_go_with_the_last_killed_one(locked, capsys):
    first = call(locked)
    locks = list((locked / "locks").iterdir())
    assert locks == []  # nobody was there
    (locked / "locks" / "1.output.lock").write_text("results/laptop/runs.csv\n")
    second = call(locked)
    first.kill()
    first.communicate()
    for left in (1, 0):
        mark = remove_stale_locks(locked)
        assert mark
        mark.close()
        assert len(list((locked / "locks").iterdir())) == left
        second.kill()
        second.communicate()
    said = "seven-terms: an earlier call was killed; its lock on this folder is removed.\n"
    assert capsys.readouterr().err == said


def test_a_damaged_record_of_snakemakes_is_removed_with_what_it_tells_of_but_for_metrics(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, record in (("a.csv", b"\xe4\x00"), ("b.csv", b"{}"), ("m.parquet", b"{")):
        (tmp_path / name).write_text("made", encoding="utf-8")
        place = tmp_path / ".snakemake" / "metadata" / base64.urlsafe_b64encode(name.encode()).decode()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(record)
    remove_unreadable_records(tmp_path / ".snakemake")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".snakemake", "b.csv", "m.parquet"]
    assert [base64.urlsafe_b64decode(path.name) for path in (tmp_path / ".snakemake" / "metadata").iterdir()] == [
        b"b.csv"
    ]
    assert "Snakemake's record of a.csv is damaged; it is removed." in capsys.readouterr().err


@pytest.fixture
def checkout(project, tmp_path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    return copy_checkout(project, folder)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("sign", "kill"),
    [(signal.SIGINT, os.killpg), (signal.SIGHUP, os.killpg), (signal.SIGKILL, os.killpg), (signal.SIGKILL, os.kill)],
    ids=["Ctrl-C", "hang-up", "kill", "Snakemake alone killed"],
)
def test_an_interrupted_workflow_leaves_nothing_and_goes_on(checkout, tmp_path, sign, kill):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "snakemake", "--config", "scale=smoke", "--cores", "2", "--", TARGET]
    options = {"cwd": checkout, "env": os.environ | {"PATH": path, "TMPDIR": str(temporary)}}
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        first = subprocess.Popen(command, **options, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: len(finished(checkout)) > 2 and jobs_of(temporary))
        kill(first.pid, sign)
        assert first.wait(timeout=600) != 0
    wait_until(lambda: not jobs_of(temporary))
    done = {path: path.stat().st_mtime_ns for path in finished(checkout)}
    assert done
    assert not (checkout / TARGET).exists()
    assert bool(list(checkout.glob(".snakemake/locks/*"))) == (sign != signal.SIGINT)  # others leave Snakemake no time
    again = subprocess.run(command, **options, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert (checkout / TARGET).exists()
    assert {path: path.stat().st_mtime_ns for path in done} == done
    wait_until(lambda: not processes_of(temporary))


def finished(checkout: Path) -> list[Path]:
    """Return the metrics whose jobs have ended, as Snakemake sees it."""
    marks = (checkout / ".snakemake" / "incomplete").glob("*")
    incomplete = {base64.b64decode(mark.name).decode() for mark in marks}
    metrics = checkout.glob("results/smoke/metrics/*/*/*.parquet")
    return [path for path in metrics if str(path.relative_to(checkout)) not in incomplete]


def jobs_of(temporary: Path) -> list[str]:
    """Return the processes that work: forks of the warm server, but not itself or W&B's service, which end when idle."""
    working = [line for line in processes_of(temporary) if "wandb-core" not in line]
    servers = [line for line in working if "-m seven_terms serve" in line]
    return [line for line in working if line not in servers] + servers[1:]


def processes_of(temporary: Path) -> list[str]:
    """Return the command lines of the living processes that were started with this folder for temporary files."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            if f"TMPDIR={temporary}".encode() in environment:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return [line for line in found if line]


def wait_until(condition: Callable[[], object], *, seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
