"""Settings of the libraries below torch that a run's numbers depend on; to be made before the first product."""

from __future__ import annotations

import os


def use_strict_products() -> None:
    """Ask MKL for kernels that do not depend on the alignment of their operands, hence not on a run's place in a stack.

    MKL reads the variable at its first call. No cost was measurable at the shapes of this project.
    """
    os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")
