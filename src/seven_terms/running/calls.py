"""A job ends with the call that started it: what outlives a killed Snakemake would write beside the jobs of the next call.

Standard library only.
"""

from __future__ import annotations

import os
import select
import threading

CALL = "SEVEN_TERMS_CALL"  # where a call runs and its process id: inherited by its jobs
GONE = 143  # the exit status of a job whose call is gone: that of SIGTERM


def name_call() -> None:
    """Tell the jobs that this process starts that they belong to it."""
    os.environ[CALL] = f"{_place()}:{os.getpid()}"


def end_with_call() -> None:
    """Leave this process as soon as the call that started it is gone; nothing, for a job that no call started.

    What is written is whole or not there, so nothing needs to be tidied up.
    """
    place, _, number = os.environ.get(CALL, "").rpartition(":")
    if place != _place() or not number.isdecimal() or not hasattr(os, "pidfd_open"):
        return
    try:
        call = os.pidfd_open(int(number))
    except ProcessLookupError:
        os._exit(GONE)
    except OSError:  # a kernel or a container without this
        return
    threading.Thread(target=_leave_with, args=(call,), daemon=True).start()


def _leave_with(call: int) -> None:
    select.select([call], [], [])
    os._exit(GONE)


def _place() -> str:
    """Return the machine and its space of process ids: a number means nothing elsewhere, as in a cluster's job."""
    try:
        return f"{os.uname().nodename}:{os.readlink('/proc/self/ns/pid')}"
    except (AttributeError, OSError):
        return ""
