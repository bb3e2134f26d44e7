"""The ways to run a grid, by name. Another mode of an existing way is one more line here.

Every contender trains the same runs in float32: same data, same initial parameters, same batches in the same order, same
update rule. It runs in a process of its own, bound to as many cores as it has threads. `module` has a function
run(job, pause, mode) -> Outcome.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from seven_terms.planning.modes import compiler


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """`stacked`: all runs advance together; otherwise one after the other, and one run is timed for all of them.

    `both_threads`: also measured on two threads. What trains one small run at a time gains nothing from a second one;
    compiling for two threads too would take minutes. `recurrent`: whether it trains recurrent networks (the plan never
    compiles them).
    """

    name: str
    module: str
    mode: str = ""
    stacked: bool = True
    both_threads: bool = True
    recurrent: bool = True


CONTENDERS = (
    Contender(name="ours", module="stacked", mode="planned", both_threads=False),
    Contender(name="ours, eager", module="stacked", mode="eager"),
    Contender(name="ours, compiled", module="stacked", mode="compiled", both_threads=False, recurrent=False),
    Contender(name="JAX, vmap and scan", module="jax_stack", mode="vmap"),
    Contender(name="JAX, scan run by run", module="jax_stack", mode="map", both_threads=False),
    Contender(name="plain PyTorch loop", module="plain_loop", stacked=False, both_threads=False),
    Contender(name="Lightning, one process", module="lightning_fits", stacked=False, both_threads=False),
)
OURS = (
    "ours"  # what ratios refer to: kernels where there are some for the network, otherwise eager, as the plan chooses
)
FITS = "Lightning, one process"
PROCESSES = "Lightning, a process a run"  # derived from FITS and the start of a process


def available(contender: Contender, *, accelerator: str) -> bool:
    """Return whether it can run here: compiling needs a C++ compiler, JAX is an optional extra for processors."""
    if contender.mode == "compiled":
        return compiler() is not None
    if contender.module != "jax_stack":
        return True
    return accelerator == "cpu" and importlib.util.find_spec("jax") is not None
