"""A process that has imported one contender's libraries and forks for every request, so that each starts with clean memory.

`python -m bench.server MODULE CORES`, with CORES such as 0,1. Requests and replies are lines of JSON on standard input and
output. First reply: {"ready": true}. A "run" request is answered by {"seconds": ...} at every pause of the contender, which
goes on after a line "go", then by its outcome. What ends badly is answered by {"failed": why}.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

from .job import Job

Reply = Callable[[dict[str, Any]], None]


def serve(module: str, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""

    def reply(message: dict[str, Any]) -> None:
        replies.write(json.dumps(message).encode() + b"\n")
        replies.flush()

    importlib.import_module(f"bench.{module}")
    reply({"ready": True})
    while line := requests.readline():
        child = os.fork()
        if child == 0:
            _answer(module, json.loads(line), requests, reply)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            reply({"failed": f"ended by signal {os.WTERMSIG(status)} (9: out of memory?)"})


def _answer(module: str, request: dict[str, Any], requests: BinaryIO, reply: Reply) -> None:
    try:
        reply(_perform(module, request, requests, reply))
    except Exception as error:
        traceback.print_exc()
        reply({"failed": f"{type(error).__name__}: {error}"})
    finally:
        sys.stderr.flush()
        os._exit(0)


def _perform(module: str, request: dict[str, Any], requests: BinaryIO, reply: Reply) -> dict[str, Any]:
    what, arguments = request["what"], request["arguments"]
    if what == "rate":
        from .floor import device_name, product_rate

        return {"rate": product_rate(**arguments), "device": device_name(arguments["accelerator"])}
    job = Job(**arguments)
    if what == "data":
        from .exchange import write_data

        write_data(job)
        return {"written": job.data_path}
    outcome = importlib.import_module(f"bench.{module}").run(job, _pauses(requests, reply), request["mode"])
    return dataclasses.asdict(outcome) | {"peak_bytes": outcome.device_bytes or _peak_memory()}


def _pauses(requests: BinaryIO, reply: Reply) -> Callable[[], None]:
    started = time.perf_counter()

    def pause() -> None:
        nonlocal started
        reply({"seconds": time.perf_counter() - started})
        if not requests.readline():
            raise SystemExit  # nobody is waiting any more
        started = time.perf_counter()

    return pause


def _peak_memory() -> int:
    """Return the largest resident memory of this process in bytes; macOS tells bytes, others KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main() -> None:
    module, cores = sys.argv[1:3]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    warnings.filterwarnings("ignore", message=r"os\.fork\(\)")  # JAX starts its threads in the child, after the fork
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints goes to the log
    with open(0, "rb", buffering=0, closefd=False) as requests:  # unbuffered: children read from it too
        serve(module, requests, replies)


if __name__ == "__main__":
    main()
