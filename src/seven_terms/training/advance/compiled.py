"""One update of a stack as one compiled program; kernels are kept on disk and used again by every later process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from ...planning.modes import compiler
from ...spec import require
from ...tasks.storage import own_directory
from .eager import Eager
from .protocol import StackParts


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
    # Torch's own folder is /tmp/torchinductor_<user>, which anybody can make first and fill with code for us to run.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(own_directory("inductor")))
    # In this process: workers of the compiler would outlive a job that is killed.
    torch._inductor.config.compile_threads = 1
    torch._dynamo.config.recompile_limit = 64  # a batch that grows has another shape at each size
    return torch.compile(function, fullgraph=True, dynamic=False)
