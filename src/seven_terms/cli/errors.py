"""What a person reads when something fails: one sentence for what a person can mend, a traceback for what nobody foresaw."""

from __future__ import annotations

import errno
import os
import select
import sys
import traceback

INTERRUPTED = 130
ADVICE = {
    errno.ENOSPC: "make room on that disk, then the same command again",
    errno.EDQUOT: "make room on that disk, then the same command again",
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`), then the same command again",
    errno.EROFS: "take a folder that may be written (HOME, XDG_CACHE_HOME and TMPDIR name those outside the project)",
    errno.EACCES: "take a folder that may be written (HOME, XDG_CACHE_HOME and TMPDIR name those outside the project)",
    errno.EPERM: "take a folder that may be written (HOME, XDG_CACHE_HOME and TMPDIR name those outside the project)",
    errno.ENOLCK: "let TMPDIR name a folder on a disk of this machine: the one there has no file locks",
    errno.ENOTDIR: "move away the file that stands where a folder must be",
    errno.EISDIR: "name a file, not a folder",
    errno.EEXIST: "move away the file that stands where a folder must be",
}


def report(verb: str, error: BaseException) -> int:
    """Say on stderr what went wrong with a verb; return the exit status."""
    if isinstance(error, BrokenPipeError) and _is_read_no_more():
        return 0
    line = sentence(error)
    if line is None:
        traceback.print_exception(error)
        line = f"{type(error).__name__}: this is a mistake of the program; the lines above say where, the results are kept."
    sys.stderr.write(f"seven-terms {verb}: {line}\n")
    sys.stderr.flush()
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1


def _is_read_no_more() -> bool:
    """Return whether the reader of stdout, such as `head`, has closed it; what is left in the buffer then goes nowhere."""
    look = select.poll()
    look.register(sys.stdout.fileno(), select.POLLOUT)
    closed = any(event & select.POLLERR for _, event in look.poll(0))
    if closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return closed


def sentence(error: BaseException) -> str | None:
    """Return the sentence of an error that a person can mend, None for any other."""
    match error:
        case KeyboardInterrupt():
            return "interrupted; the same command resumes from here."
        case FileNotFoundError(filename=str() as name):
            return f"file {name!r} must exist; check its path, or run `make report` to make it."
        case OSError(errno=int() as number, filename=name) if number in ADVICE:
            place = f"file {str(name)!r}" if name is not None else "a file"
            return f"{place}: it must be read or written, got {error.strerror!r}; {ADVICE[number]}."
        case ValueError() | TypeError() if _is_said(error):
            return str(error)
        case MemoryError():
            return "memory: there must be enough of it, got none; let fewer jobs run at a time (`make report CORES=1`)."
    return None


def _is_said(error: BaseException) -> bool:
    """Return whether an error is one of ours, or at least says something: ValueErrors of libraries are shown as they are."""
    return isinstance(error, ValueError) and not isinstance(error, UnicodeError) and bool(str(error))
