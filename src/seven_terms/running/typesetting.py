"""From LaTeX sources to the PDF, the same bytes whatever the caller's settings; standard library only."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ..records.atomic import write
from ..records.provenance import commit_time
from ..spec import require

LATEXMK = ("latexmk", "-norc", "-r", "latexmkrc", "-pdf", "-interaction=nonstopmode", "-halt-on-error")
CALLERS = (
    "TEXINPUTS",
    "BIBINPUTS",
    "BSTINPUTS",
    "TEXMFHOME",
    "TEXMFVAR",
    "LATEXMKRCSYS",
    "max_print_line",
)  # no say here
SHOWN = 30  # lines of LaTeX's log


def engine() -> tuple[str, ...]:
    """Return the command that typesets a file, or () where there is no LaTeX."""
    if shutil.which("latexmk") and shutil.which("pdflatex"):
        return LATEXMK
    return ("tectonic",) if shutil.which("tectonic") else ()


def typeset(tex: Path, output: Path) -> None:
    """Typeset `tex` in its folder and put the PDF at `output`; ValueError, with the end of the log, where LaTeX fails.

    What an earlier call left beside `tex` spares time; where LaTeX stumbles over it, it is deleted, and all is done anew.
    """
    command = engine()
    require(bool(command), what="LaTeX", must="latexmk or tectonic must be installed", got="neither")
    made = tex.with_suffix(".pdf")
    with _alone(tex) as held:
        log, status = _run(command, tex, held=held)
        if status:
            for path in tex.parent.glob(f"{tex.stem}.*"):
                if path != tex:
                    path.unlink()
            log, status = _run(command, tex, held=held)
    end = "\n".join(log.splitlines()[-SHOWN:])
    require(status == 0 and made.is_file(), what=f"LaTeX of {str(tex)!r}", must="it must compile", got=f"\n{end}\n")
    write(output, made.read_bytes())


@contextlib.contextmanager
def _alone(tex: Path) -> Iterator[int]:
    """Wait until no LaTeX of a killed call works on the same file; what keeps others waiting is passed on to ours."""
    with open(tex.with_name(f".{tex.stem}.typesetting"), "w", encoding="utf-8") as mark:
        with contextlib.suppress(ImportError, OSError):
            import fcntl

            fcntl.flock(mark, fcntl.LOCK_EX)
        yield mark.fileno()


def _run(command: tuple[str, ...], tex: Path, *, held: int) -> tuple[str, int]:
    environment = {name: value for name, value in os.environ.items() if name not in CALLERS}
    stamp = environment.get("SOURCE_DATE_EPOCH") or str(commit_time() or 0)
    environment |= {"SOURCE_DATE_EPOCH": stamp, "FORCE_SOURCE_DATE": "1", "TZ": "UTC", "LC_ALL": "C"}
    done = subprocess.run(
        [*command, tex.name],
        cwd=tex.parent,
        env=environment,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        pass_fds=(held,) if os.name == "posix" else (),
    )
    return (done.stdout + done.stderr).decode("utf-8", errors="replace"), done.returncode
