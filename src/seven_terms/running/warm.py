"""A warm start: one process imports torch and Lightning, every training job is a fork of it.

Importing takes seconds and a stack often less. The first job of a workflow starts the server; jobs send their arguments
and their output files to it over a Unix socket and wait for the exit status. The server ends by itself when it has been
idle; a job that is killed takes its fork with it. Without fork, or if anything here fails, a job trains in its own
process as if this file did not exist. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .user_directory import user_directory

IDLE_SECONDS = 20.0
START_SECONDS = 60.0


def run_warm(arguments: list[str]) -> int | None:
    """Return the exit status of `seven-terms <arguments>` run by the server, or None when there is no warm start."""
    if not hasattr(os, "fork") or os.environ.get("SEVEN_TERMS_WARM", "1") == "0":
        return None
    try:
        connection = _connect(_socket_path())
    except (OSError, ValueError):
        return None
    with connection:
        request = {"arguments": arguments, "directory": os.getcwd(), "environment": dict(os.environ)}
        socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], [1, 2])
        answer = connection.makefile().readline()
    return int(answer) if answer.strip() else 1


def serve(path: Path, main: Callable[[list[str]], int]) -> None:
    """Listen on a socket, fork for every request, and return when idle for IDLE_SECONDS."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    os.chmod(path, 0o600)
    listener.listen(64)
    jobs: dict[int, socket.socket] = {}  # process id -> the client that waits for it
    busy_at = time.monotonic()
    try:
        while jobs or time.monotonic() - busy_at < IDLE_SECONDS:
            ready, _, _ = select.select([listener, *jobs.values()], [], [], 0.05 if jobs else 1.0)
            if listener in ready:
                _start(listener, main, jobs)
            for process, client in list(jobs.items()):
                if client in ready:  # a waiting client sends nothing: readable means gone
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            _reap(jobs)
            busy_at = time.monotonic() if jobs or ready else busy_at
    finally:
        path.unlink(missing_ok=True)


def _start(listener: socket.socket, main: Callable[[list[str]], int], jobs: dict[int, socket.socket]) -> None:
    client, _ = listener.accept()
    data, outputs, _, _ = socket.recv_fds(client, 1 << 20, 2)
    while data and not data.endswith(b"\n"):
        data += client.recv(1 << 20)
    if not data:
        client.close()
        return
    process = os.fork()
    if process:
        for output in outputs:
            os.close(output)
        jobs[process] = client
        return
    listener.close()
    _become(json.loads(data), outputs, main)


def _become(request: dict, outputs: list[int], main: Callable[[list[str]], int]) -> None:
    """Turn a fork into the job: its files, directory and environment; then run it and leave."""
    status = 1
    try:
        _die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, output in zip((1, 2), outputs, strict=True):
            os.dup2(output, number)
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(request["environment"])
        status = main(request["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _reap(jobs: dict[int, socket.socket]) -> None:
    for process in list(jobs):
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            with jobs.pop(process) as client, contextlib.suppress(OSError):
                client.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _connect(path: Path) -> socket.socket:
    """Return a connection to the server, started if it is not there."""
    with contextlib.suppress(OSError):
        return _dial(path)
    import fcntl

    with open(path.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several first jobs one starts the server
        with contextlib.suppress(OSError):
            return _dial(path)
        path.unlink(missing_ok=True)
        server = subprocess.Popen(
            [sys.executable, "-m", "seven_terms", "serve", "--socket", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return _await(path, server)


def _await(path: Path, server: subprocess.Popen) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            return _dial(path)
        time.sleep(0.05)
    raise OSError("the warm server did not start")


def _dial(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def _socket_path() -> Path:
    """Return the socket of this user, interpreter and source: changed code gets a new server, as has each Slurm job."""
    source = Path(__file__).resolve().parent
    allocation = os.environ.get("SLURM_JOB_ID", "")  # a fork stays inside the limits and devices of its server
    stamp = hashlib.sha256(f"{sys.executable} {source} {allocation}".encode())
    for file in sorted(source.rglob("*.py")):
        stat = file.stat()
        stamp.update(f"{file.name} {stat.st_mtime_ns} {stat.st_size}".encode())
    return user_directory() / f"{stamp.hexdigest()[:16]}.sock"


def _die_with_parent() -> None:
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
