"""The compiled kernels: made at the first use on a machine, kept in the user's cache folder, loaded with ctypes.

A library for each part of the source and each precision of networks; points are always in double precision.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from ....planning.modes import compiler
from ....records.atomic import is_whole, write
from ....spec import require
from ....tasks.storage import locked, own_directory
from .border import Precision, opened

SOURCE = Path(__file__).resolve().parent / "kernels.cpp"
TUNING = "-march=native" if platform.machine() in ("x86_64", "AMD64") else "-mcpu=native"
# Sums keep their order and NaN stays NaN; a product and a sum become one operation wherever the processor has it.
FLAGS = (
    *("-std=c++17", "-O3", TUNING, "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
    *("-fvisibility=hidden", "-shared", "-fPIC"),
)
Part = Literal["networks", "images", "points"]
FLAGS_OF: Mapping[tuple[Precision, Part], tuple[str, ...]] = {  # what most jobs wait for comes first
    ("float32", "networks"): FLAGS,
    ("float32", "images"): (*FLAGS, "-DIMAGES"),
    ("float32", "points"): (*FLAGS, "-DPOINTS"),
    ("float64", "networks"): (*FLAGS, "-DREAL=double"),
    ("float64", "images"): (*FLAGS, "-DREAL=double", "-DIMAGES"),
}


@functools.cache
def kernels(precision: Precision, part: Part = "networks") -> ctypes.CDLL:
    """Return the library; ValueError when there is no compiler or it fails."""
    flags = FLAGS_OF[precision, part]
    path = library_path(flags)
    if not is_whole(path):  # not there yet, or damaged: a flipped bit of code would train other numbers
        with locked(path):  # of the first jobs of a report one compiles
            if not is_whole(path):
                compile_kernels(path, flags)
    return opened(path, precision)


def compile_ahead() -> None:
    """Compile what is missing, two at a time; whatever goes wrong is said by the job that needs one.

    All but images in double precision, which nobody trains without asking for it.
    """
    if compiler():
        with ThreadPoolExecutor(max_workers=2) as pool:
            for made in [pool.submit(kernels, *key) for key in FLAGS_OF if key != ("float64", "images")]:
                made.exception()


def library_path(flags: tuple[str, ...] = FLAGS) -> Path:
    """Return where the kernels of this source, compiler and processor are kept."""
    found = os.path.realpath(compiler() or "")
    version = os.stat(found) if compiler() else None
    stamp = (found, version and (version.st_size, version.st_mtime_ns), flags, _processor())
    digest = hashlib.sha256(repr(stamp).encode())
    for path in sorted(SOURCE.parent.glob("*.[hc]*")):
        digest.update(path.read_bytes())
    return own_directory("kernels") / f"{digest.hexdigest()[:16]}.so"


def compile_kernels(path: Path, flags: tuple[str, ...] = FLAGS) -> None:
    """Compile into `path`, which appears whole or not at all."""
    found = compiler()
    require(
        found is not None,
        what="training",
        must="a C++ compiler must be present, because the plan trains this stack with compiled kernels",
        got="none",
        do="install one (Debian and Ubuntu: `apt-get install g++`), or plan with `--compiling never`",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # of its own: a home may be shared by several machines
        temporary = Path(folder) / path.name
        words = [str(found), *flags, str(SOURCE), "-o", str(temporary)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            write(path, temporary.read_bytes())
    require(
        done.returncode == 0,
        what=f"C++ compiler {found!r}",
        must=f"it must compile {SOURCE.name}",
        got=next((line for line in done.stderr.splitlines() if "error" in line), done.stderr[-200:]),
        do="install another (GCC 9 or Clang 10 and newer are known to work), or plan with `--compiling never`",
    )


def _processor() -> str:
    """Return what the compiler goes by: a folder in a shared home may be read by processors of several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
