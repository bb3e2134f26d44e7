"""One update of a stack as one compiled program; kernels are kept on disk and used again by every later process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...planning.modes import compiler
from ...spec import require
from . import kept
from .eager import Eager
from .protocol import StackParts

FOLDER = "TORCHINDUCTOR_CACHE_DIR"


class Compiled(Eager):
    """Eager updates, each one compiled program: the run axis is padded and copied alike for every stack."""

    is_compiled: ClassVar[bool] = True

    def __init__(self, parts: StackParts) -> None:
        super().__init__(parts)
        self.next = compiled(self.updated)

    def position(self, number: int) -> int | Tensor:
        return torch.tensor(number)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled for the shapes it is called with; ValueError without a C++ compiler."""
    require(
        compiler() is not None,
        what="training",
        must="a C++ compiler must be present, because the plan compiles this stack",
        got="none",
        do="install one (Debian and Ubuntu: `apt-get install g++`), or plan with `--compiling never`",
    )
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    # Torch's own folder is /tmp/torchinductor_<user>, which anybody can make first and fill with code for us to run.
    # Importing parts of torch already sets the variable to that; somebody else's choice stays.
    if os.environ.get(FOLDER) in (None, default_cache_dir()):
        os.environ[FOLDER] = str(kept.folder())
    # In this process: workers of the compiler would outlive a job that is killed.
    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.recompile_limit = 64  # a batch that grows has another shape at each size
    return _sealing(torch.compile(function, fullgraph=True, dynamic=False), Path(os.environ[FOLDER]))


def _sealing(program: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """Return a program that has what it compiled sealed, at its first update and where a batch has another shape."""
    from torch._dynamo.utils import counters  # seconds, which other modes are spared

    num_sealed = 0

    def update(*arguments: Any) -> Any:
        nonlocal num_sealed
        result = program(*arguments)
        if (number := counters["stats"]["unique_graphs"]) != num_sealed:
            kept.seal(folder)
            num_sealed = number
        return result

    return update
