"""JAX's programs against ours: three updates of every kind in float64, in both forms, must end at the same parameters.

`python -m bench.jax_check`. In float64 rounding stays below 1e-9 of the way that parameters moved; a rule or a batch that
differs moves tens of percents. What is timed in float32 is the same code.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Iterator

import numpy as np

from seven_terms.records.runs import Stack
from seven_terms.spec import Training
from seven_terms.training.program import StackedProgram
from tests.training.every_kind import covering, every_kind

from .jax_networks import to_torch
from .jax_ways import FORMS, runs_of

COMPARED = 3  # updates
PLANNED = 1_000  # batches grow later than that
TOLERANCE = 1e-6


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.jax_check", description=__doc__)
    parser.add_argument("--scales", nargs="+", default=["laptop", "paper"])
    parser.add_argument("--few", action="store_true", help="few kinds that together hold every word of a kind's name")
    parser.add_argument("--only", default="", help="a part of a kind's name")
    chosen = parser.parse_args()
    stacks = every_kind(*chosen.scales)
    worst, checked = 0.0, set()
    for name, stack in (covering(stacks) if chosen.few else stacks).items():
        kind, training = name.split(";")[0], stack.runs[0].training
        if kind in checked or not training.num_steps or chosen.only not in kind:
            continue
        checked.add(kind)
        found = dict(differences(stack))
        worst = max(worst, *found.values())
        print(f"{kind}: {', '.join(f'{form} {value:.1e}' for form, value in found.items())}", flush=True)
    print(f"{len(checked)} kinds, largest difference {worst:.1e}")
    return int(not worst <= TOLERANCE or not checked)


def differences(stack: Stack) -> Iterator[tuple[str, float]]:
    """Yield each form and how far its parameters and running statistics end from ours, of the way that ours moved."""
    training = dataclasses.replace(stack.runs[0].training, precision="float64", num_steps=PLANNED)
    runs = tuple(dataclasses.replace(run, training=_like(run.training, training)) for run in stack.runs)
    program = StackedProgram(dataclasses.replace(stack, runs=runs))
    start = _numbers(program)
    program.advance(0, COMPARED)
    end, seeds = _numbers(program), [run.seed for run in runs]
    for form in FORMS:
        made = runs_of(training, seeds, form=form, rates=[run.training.optimizer.learning_rate for run in runs])
        made.advance(0, COMPARED)
        found = {**made.state.parameters, **made.state.buffers}
        off = [to_torch(name, np.array(found[name])) - value for name, value in end.items()]
        moved = [value - start[name] for name, value in end.items()]
        yield form, float(np.linalg.norm(_flat(off)) / np.linalg.norm(_flat(moved)))


def _like(run: Training, first: Training) -> Training:
    """Return the training of a run; JAX takes all but its rate from the first one."""
    rate = run.optimizer.learning_rate
    return dataclasses.replace(first, optimizer=dataclasses.replace(first.optimizer, learning_rate=rate))


def _numbers(program: StackedProgram) -> dict[str, np.ndarray]:
    """Return parameters and running statistics."""
    tensors = program.parameters | program.buffers
    is_drawn = {name: name.endswith(".noise") for name in tensors}
    return {name: one[: program.num_runs].numpy().copy() for name, one in tensors.items() if not is_drawn[name]}


def _flat(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([one.ravel() for one in arrays])


if __name__ == "__main__":
    sys.exit(main())
