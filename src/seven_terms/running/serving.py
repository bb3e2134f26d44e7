"""The server of the warm start: one process imports everything, every job is a fork of it.

It forks at once for each client (`warm.py`) and reads nothing itself, so that no client can hold it up; a fork prints
whatever goes wrong, and takes limits, umask and directory of its client. The server ends by itself when it has been idle;
its forks end with it. Standard library only.
"""

from __future__ import annotations

import ast
import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

IDLE_SECONDS = 20.0
LOOK_SECONDS = 1.0  # at most, from one look to the next: whether it is idle; jobs and signals wake it


def serve(path: Path, main: Callable[[list[str]], int]) -> None:
    """Listen on a socket, fork for every request, and return when idle for IDLE_SECONDS."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    os.chmod(path, 0o600)
    listener.listen(64)
    jobs: dict[int, socket.socket] = {}  # process id -> the client that waits for it
    busy_at = time.monotonic()
    ended = _ended_children()
    try:
        while jobs or time.monotonic() - busy_at < IDLE_SECONDS:
            ready, _, _ = select.select([listener, ended, *jobs.values()], [], [], LOOK_SECONDS)
            if ended in ready:
                ended.recv(4096)
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


def _ended_children() -> socket.socket:
    """Return what can be read from when a child has ended: its client waits no longer than it must."""
    readable, writable = socket.socketpair()
    readable.setblocking(False)
    writable.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler is what wakes up
    signal.set_wakeup_fd(writable.detach(), warn_on_full_buffer=False)
    return readable


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
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
    return (ast.literal_eval(data.decode()), outputs) if data and len(outputs) == 2 else (None, outputs)


def _take_over(request: dict[str, Any]) -> None:
    import resource

    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path += [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one and one not in sys.path]
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


def _die_with_parent() -> None:
    if sys.platform == "linux":
        import ctypes

        parent_death_signal = 1  # PR_SET_PDEATHSIG, prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)
