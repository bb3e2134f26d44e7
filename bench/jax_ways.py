"""JAX among the ways of `python -m bench.kinds`: in both forms, from the same initial numbers, on the same batches."""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import numpy as np

from seven_terms.planning.cost import facts
from seven_terms.spec import Quadratic, Training

from .exchange import arrays_of
from .jax_losses import noise_of
from .jax_stack import Draw, JaxRuns
from .ways import NUM_SEEDS, Timed

FORMS = ("vmap", "map")
MOST_UPDATES = 200  # whose examples are in memory
MOST_BYTES = 6.4e7  # that fresh examples or noise may take there


def timed(training: Training, size: int, *, form: str) -> Timed:
    """Return R runs in JAX; the examples of some hundred updates lie in memory and come round again.

    Noise of a quadratic, most of its work, is drawn in JAX as it is in ours: other numbers, so that losses differ.
    """
    seeds, task = [index % NUM_SEEDS for index in range(size)], training.task
    draw = noise_of(task) if isinstance(task, Quadratic) and (training.batch_size or 1) == 1 else None
    runs = runs_of(training, seeds, form=form, rates=[training.optimizer.learning_rate] * size, draw=draw)
    at = [0]

    def go(left: int) -> None:
        while left:
            part = min(left, runs.num_updates - at[0])
            runs.advance(at[0], at[0] + part)
            at[0], left = (at[0] + part) % runs.num_updates, left - part

    losses = None if draw else lambda: np.array(runs.state.loss).tolist()
    return Timed(go=go, num_runs=size, losses=losses)


def runs_of(
    training: Training, seeds: Sequence[int], *, form: str, rates: Sequence[float], draw: Draw | None = None
) -> JaxRuns:
    """Return runs of these seeds and rates, compiled in the training's precision."""
    jax.config.update("jax_enable_x64", training.precision == "float64")
    drawn = sorted(set(seeds))
    arrays = arrays_of(training, drawn, num_updates=_num_updates(training, len(drawn)))
    seed_R = [drawn.index(seed) for seed in seeds]
    return JaxRuns(training, arrays, seed_R=seed_R, rates=rates, form=form, draw=draw)


def _num_updates(training: Training, num_seeds: int) -> int:
    """Return how many updates to lay out: as many as memory allows for what is drawn afresh for each."""
    is_point = facts(training).speed == "point"
    values = training.model.dimension if is_point else (training.batch_size or 1) * math.prod(training.task.input_shape)
    return int(min(max(MOST_BYTES / (8 * num_seeds * values), 4), MOST_UPDATES))
