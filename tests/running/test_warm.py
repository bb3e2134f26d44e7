"""The warm start: forks answer as a process of their own would, and nothing is left behind."""

import importlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from seven_terms.running import warm

HANGS = 600.0  # seconds after which a test fails


def run_verb(arguments):
    """Stand for the command line: print, fail, or sleep as told."""
    print("forked says", *arguments, flush=True)
    if arguments[0] == "sleep":
        time.sleep(60)
    if arguments[0] == "pause":
        time.sleep(1)  # the server waits by then
    if arguments[0] == "import":
        print(importlib.import_module(arguments[1]).WORD, flush=True)
        return 0
    return int(arguments[1])


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve in a process of its own; its socket is where `run_warm` looks."""
    path = tmp_path / "warm.sock"
    code = (
        "import signal, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path;"
        "from seven_terms.running import serving; from tests.running.test_warm import run_verb; serving.IDLE_SECONDS = 1e9;"
        "serving.LOOK_SECONDS = 1e6;"  # whatever the tests see it do, it was woken for
        "signal.signal(signal.SIGUSR1, lambda *_: setattr(serving, 'IDLE_SECONDS', 0.0));"
        "serving.serve(Path(sys.argv[1]), run_verb)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path), os.getcwd()])
    monkeypatch.setattr(warm, "_socket_path", lambda: str(path))
    deadline = time.monotonic() + HANGS
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    yield process
    end_when_idle(process)
    assert not path.exists()


def end_when_idle(server: subprocess.Popen) -> None:
    """Tell the server that it may end as soon as nobody works, however busy the machine is, and wait for that."""
    if server.poll() is None:
        server.send_signal(signal.SIGUSR1)
    assert server.wait(timeout=HANGS) == 0


def test_a_fork_returns_its_exit_status_and_writes_where_the_caller_writes(server, capfd):
    assert warm.run_warm(["echo", "0"]) == 0
    assert warm.run_warm(["echo", "3"]) == 3
    assert capfd.readouterr().out == "forked says echo 0\nforked says echo 3\n"


def test_the_end_of_a_job_wakes_the_server(server):
    answers = []
    client = threading.Thread(target=lambda: answers.append(warm.run_warm(["pause", "3"])), daemon=True)
    client.start()
    client.join(timeout=30)
    if not answers:
        server.kill()
    assert answers == [3]


def test_several_jobs_run_at_a_time(server):
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(warm.run_warm(["echo", "0"]))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 6


def test_a_killed_caller_takes_its_fork_along(server, tmp_path):
    code = (
        "import sys; from seven_terms.running import warm;"
        "warm._socket_path = lambda: sys.argv[1]; warm.run_warm(['sleep', '0'])"
    )
    caller = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "warm.sock")], stdout=subprocess.PIPE)
    assert caller.stdout.readline() == b"forked says sleep 0\n"
    caller.kill()
    caller.wait()
    caller.stdout.close()
    end_when_idle(server)  # it would not end while a job runs


def test_the_server_can_be_there_before_the_first_job(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert warm.start_ahead("--compiling", "never").wait(HANGS) == 0
    with warm._dial(warm._socket_path()) as connection:
        server = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    os.kill(server, signal.SIGTERM)


def test_without_the_server_a_job_runs_in_its_own_process(monkeypatch):
    monkeypatch.setenv("SEVEN_TERMS_WARM", "0")
    assert warm.run_warm(["echo", "0"]) is None


def test_a_slurm_job_has_a_server_of_its_own(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    paths = [warm._socket_path()]
    for job in ("17", "18"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        paths.append(warm._socket_path())
    assert len(set(paths)) == 3


def test_changed_code_of_any_stage_gets_a_new_server(tmp_path, monkeypatch):
    file = tmp_path / "seven_terms" / "figures" / "style.py"
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(warm, "__file__", str(tmp_path / "seven_terms" / "running" / "warm.py"))
    paths = []
    for text in ("1", "12"):
        file.write_text(text)
        paths.append(warm._socket_path())
    assert len(set(paths)) == 2


def test_the_server_imports_all_it_needs_without_touching_cuda():
    """CUDA cannot be used in a fork of a process that has used it."""
    code = """
import argparse
import sys
import torch
from seven_terms.cli import verbs as command

def refuse(*_):
    raise AssertionError("CUDA was touched")

for name in ("is_available", "device_count", "current_device", "_lazy_init"):
    setattr(torch.cuda, name, refuse)
command.serve = lambda path, run: print("serving", "seven_terms.training" in sys.modules)
command.serve_warm(argparse.Namespace(socket=None))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "serving True\n", done.stderr


def test_a_fork_finds_the_modules_that_its_client_would_find(server, tmp_path, monkeypatch, capfd):
    (tmp_path / "of_somebody.py").write_text("WORD = 'found'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert warm.run_warm(["import", "of_somebody"]) == 0
    assert capfd.readouterr().out.endswith("found\n")


def test_a_client_of_the_server_imports_little():
    """Every job waits for what its client imports."""
    code = "import sys; from seven_terms.cli import entry; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"argparse", "contextlib", "json", "pathlib", "re", "subprocess", "tempfile", "typing"}
    assert not slow & set(done.stdout.split())
