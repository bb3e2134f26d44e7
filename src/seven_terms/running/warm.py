"""A warm start: one process imports torch and Lightning, every training job is a fork of it.

Importing takes seconds and a stack often less. The first job of a workflow starts the server; jobs send their arguments
and their output files to it over a Unix socket and wait for the exit status. The server forks at once and reads nothing
itself, so that no client can hold it up; a fork prints whatever goes wrong, and takes limits, umask and directory of its
client. The server ends by itself when it has been idle; a job that is killed takes its fork with it. Without fork, if
the server cannot be reached or dies, a job runs in its own process as if this file did not exist. Standard library only,
and at the top of this file no more of it than a client needs: every job waits for that.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        try:
            socket.send_fds(connection, [json.dumps(_request(arguments)).encode() + b"\n"], [1, 2])
            answer = connection.makefile().readline()
        except OSError:  # the server died while it was asked
            return None
    if not answer.strip():  # it died, and its forks with it: what they wrote is whole or not there
        return None
    status = int(answer)
    if status < 0:
        sys.stderr.write(
            f"seven-terms {arguments[0]}: the process was killed by signal {-status}; memory may be short.\n"
        )
    return status if status >= 0 else 128 - status


def _request(arguments: list[str]) -> dict[str, Any]:
    umask = os.umask(0)
    os.umask(umask)
    import resource

    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in names}
    about = {"arguments": arguments, "directory": os.getcwd(), "environment": dict(os.environ)}
    return about | {"umask": umask, "limits": limits, "nice": os.nice(0)}


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
                if client in ready and _is_gone(client):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
            _reap(jobs)
            busy_at = time.monotonic() if jobs or ready else busy_at
    finally:
        path.unlink(missing_ok=True)


def _is_gone(client: socket.socket) -> bool:
    """Return whether a client has closed its end; a request that its fork has not read yet is not that."""
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _start(listener: socket.socket, main: Callable[[list[str]], int], jobs: dict[int, socket.socket]) -> None:
    client, _ = listener.accept()
    try:
        process = os.fork()
    except OSError:  # no more processes, or no memory for one: the client does its work itself
        client.close()
        return
    if process:
        jobs[process] = client
        return
    listener.close()
    for other in jobs.values():  # the server alone answers the others
        other.close()
    _become(client, main)


def _become(client: socket.socket, main: Callable[[list[str]], int]) -> None:
    """Turn a fork into the job: its files, limits, directory and environment; then run it and leave."""
    status = 1
    try:
        _die_with_parent()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        request, outputs = _read(client)
        if request is None:
            return
        for number, output in zip((1, 2), outputs, strict=True):
            os.dup2(output, number)
        for output in set(outputs) - {1, 2}:
            os.close(output)
        _take_over(request)
        status = main(request["arguments"])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(status)


def _read(client: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Return a client's request and its output files; None when it went away before it had said all."""
    data, outputs, _, _ = socket.recv_fds(client, 1 << 20, 2)
    while data and not data.endswith(b"\n"):
        more = client.recv(1 << 20)
        if not more:
            return None, outputs
        data += more
    return (json.loads(data), outputs) if data and len(outputs) == 2 else (None, outputs)


def _take_over(request: dict[str, Any]) -> None:
    import resource

    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.umask(request["umask"])
    with contextlib.suppress(OSError):
        os.nice(max(request["nice"] - os.nice(0), 0))
    for name, (soft, hard) in request["limits"].items():
        with contextlib.suppress(OSError, ValueError):  # a limit cannot be raised again
            resource.setrlimit(getattr(resource, name), (soft, hard))


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
    import subprocess

    with open(path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
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
        return _await(path, server.poll)


def _await(path: Path, ended: Callable[[], int | None]) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and ended() is None:
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
    source = Path(__file__).resolve().parents[1]
    allocation = os.environ.get("SLURM_JOB_ID", "")  # a fork stays inside the limits and devices of its server
    stamp = hashlib.sha256(f"{sys.executable} {source} {allocation}".encode())
    for file in sorted(source.rglob("*.py")):
        stat = file.stat()
        stamp.update(f"{file.name} {stat.st_mtime_ns} {stat.st_size}".encode())
    return user_directory() / f"{stamp.hexdigest()[:16]}.sock"


def _die_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
