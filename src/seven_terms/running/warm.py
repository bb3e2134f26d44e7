"""The client of the warm start: a job asks one process, which has imported torch and Lightning, for a fork of itself.

Importing takes seconds and a stack often less. The Snakefile, or the first job, starts the server (`serving.py`); jobs send
their arguments and their output files to it over a Unix socket and wait for the exit status. A job that is killed takes
its fork with it. Without fork, if the server cannot be reached or dies, a job runs in its own process as if this file did
not exist. Every job waits for what is imported here: standard library, and no more of it than each client needs.
"""

from __future__ import annotations

import os
import socket
import sys

from .. import TYPE_CHECKING
from .user_directory import user_folder

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from typing import Any

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
            socket.send_fds(connection, [repr(_request(arguments)).encode() + b"\n"], [1, 2])
            answer = _answer(connection)
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


def start_ahead(*options: str) -> subprocess.Popen:
    """Return a process that starts the server and compiles the kernels while its caller has other things to do.

    It ends with the call that started it, and says nothing: whatever it could not do, the first job does, and says.
    """
    import subprocess

    return subprocess.Popen(
        [sys.executable, "-m", "seven_terms", "warm-up", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _answer(connection: socket.socket) -> bytes:
    """Return the line that the server says, or what there is of it when it dies."""
    answer = b""
    while not answer.endswith(b"\n") and (part := connection.recv(64)):
        answer += part
    return answer


def _request(arguments: list[str]) -> dict[str, Any]:
    """Return what a fork must know of its client, as values that Python reads back; json takes long to import."""
    umask = os.umask(0)
    os.umask(umask)
    import resource

    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in names}
    about = {"arguments": arguments, "directory": os.getcwd(), "environment": dict(os.environ)}
    return about | {"umask": umask, "limits": limits, "nice": os.nice(0)}


def _connect(path: str) -> socket.socket:
    """Return a connection to the server, started if it is not there."""
    try:
        return _dial(path)
    except OSError:
        return _started(path)


def _started(path: str) -> socket.socket:
    import contextlib
    import fcntl
    import subprocess

    with open(f"{path.removesuffix('.sock')}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several first jobs one starts the server
        with contextlib.suppress(OSError):
            return _dial(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        server = subprocess.Popen(
            [sys.executable, "-m", "seven_terms", "serve", "--socket", path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return _await(path, server.poll)


def _await(path: str, ended: Callable[[], int | None]) -> socket.socket:
    import time

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and ended() is None:
        try:
            return _dial(path)
        except OSError:
            time.sleep(0.05)
    raise OSError("the warm server did not start")


def _dial(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _socket_path() -> str:
    """Return the socket of this user, interpreter and source: changed code gets a new server, as has each Slurm job."""
    from hashlib import sha256

    source = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    allocation = os.environ.get("SLURM_JOB_ID", "")  # a fork stays inside the limits and devices of its server
    stamp = sha256(f"{sys.executable} {source} {allocation}".encode())
    for file in _sources(source):
        stat = os.stat(file)
        stamp.update(f"{file} {stat.st_mtime_ns} {stat.st_size}".encode())
    return os.path.join(user_folder(), f"{stamp.hexdigest()[:16]}.sock")


def _sources(folder: str) -> list[str]:
    """Return the Python files below a folder in one order."""
    found = []
    for place, folders, names in os.walk(folder):
        if "__pycache__" in folders:
            folders.remove("__pycache__")
        found += [os.path.join(place, name) for name in names if name.endswith(".py")]
    return sorted(found)
