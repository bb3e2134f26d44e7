"""What the C library does with memory that tensors free: kept for the next ones, as long as the process lives."""

from __future__ import annotations

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # mallopt(3)
MOST = 2**31 - 1


def keep_freed_memory() -> None:
    """Let a training job keep what it frees; where the C library is another than glibc, nothing is changed.

    Otherwise each large tensor of each update comes from the system and goes back to it, and its pages are made anew: more
    than half of the time of a stack whose activations take tens of megabytes. The job gives all of it back when it ends.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        change = ctypes.CDLL(None).mallopt
        change(M_MMAP_MAX, 0)
        change(M_TRIM_THRESHOLD, MOST)
