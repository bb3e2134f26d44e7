"""The processes of the contenders, seen from the one that measures them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from .contenders import Contender
from .job import Job

GO = b"go\n"
ROOT = Path(__file__).resolve().parent.parent


class ContenderFailed(Exception):
    """A contender's process ended or reported an error."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """What a contender's run took and where it arrived. `rounds` are the seconds of each chunk after the first."""

    first_seconds: float
    rounds: list[float] = field(default_factory=list)
    losses: list[float]
    distances: list[float]
    peak_bytes: int


class Process:
    """One server (see `server`). The request of `begin` may be sent while it still imports."""

    def __init__(self, module: str, *, cores: Sequence[int], log: IO[bytes], mode: str = "") -> None:
        self.mode, self.started = mode, time.perf_counter()
        self.seconds: list[float] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.server", module, ",".join(map(str, cores))],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": str(len(cores)), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )

    def wait_until_ready(self) -> float:
        """Return the seconds since the process was started, when its imports are done."""
        self._reply()
        return time.perf_counter() - self.started

    def ask(self, what: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self._send(what, arguments)
        return self._reply()

    def begin(self, job: Job) -> None:
        """Start a run and wait for its first pause."""
        self.seconds = []
        self._send("run", dataclasses.asdict(job))
        self.seconds.append(self._reply()["seconds"])

    def go_on(self) -> None:
        """Let the run make its next chunk of steps and wait for its end."""
        self._write(GO)
        self.seconds.append(self._reply()["seconds"])

    def begin_without_waiting(self, job: Job, *, num_pauses: int) -> None:
        """Start a run that goes on by itself at every pause."""
        self._send("run", dataclasses.asdict(job))
        self._write(GO * num_pauses)

    def wait_for_all(self, num_pauses: int) -> Finished:
        """Wait for everything that `begin_without_waiting` has started."""
        self.seconds = [self._reply()["seconds"] for _ in range(num_pauses)]
        return self._finished()

    def finish(self) -> Finished:
        """Let a run pass its last pause and return its outcome."""
        self._write(GO)
        return self._finished()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self.process.wait()

    def _finished(self) -> Finished:
        reply = self._reply()
        first, *rounds = self.seconds
        places = {name: reply[name] for name in ("losses", "distances", "peak_bytes")}
        return Finished(first_seconds=first, rounds=rounds, **places)

    def _send(self, what: str, arguments: dict[str, Any]) -> None:
        request = {"what": what, "arguments": arguments, "mode": self.mode}
        self._write(json.dumps(request).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line)
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise ContenderFailed("its process has ended") from error

    def _reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ContenderFailed("its process has ended")
        reply = json.loads(line)
        if "failed" in reply:
            raise ContenderFailed(reply["failed"])
        return reply


@contextlib.contextmanager
def process_of(contender: Contender, *, cores: Sequence[int], log: IO[bytes]) -> Iterator[Process]:
    process = Process(contender.module, cores=cores, log=log, mode=contender.mode)
    try:
        yield process
    finally:
        process.close()


def usable_cores() -> list[int]:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
