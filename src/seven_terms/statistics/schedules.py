"""What convex theory says of a schedule: the bound on its last iterate, at the peak rate that is best for the bound."""

from __future__ import annotations

import numpy as np

from ..spec import Training


def last_iterate_bound(training: Training) -> float:
    """Return the bound on the loss after the last update, for gradients of norm 1 and a start at distance 1.

    The bound for any schedule of Defazio et al. 2023 and Schaipp et al. 2025: T_1 / rate + rate T_2, lowest 2 sqrt(T_1 T_2).
    """
    factors = np.array([training.schedule.factor(step, training.num_steps) for step in range(training.num_steps)])
    factors = factors[factors > 0]  # a rate of zero moves nothing
    left, squares = (
        np.cumsum(values[::-1])[::-1] for values in (factors, factors**2)
    )  # sums from each step to the end
    later = factors[:-1] * squares[:-1] / (left[1:] * left[:-1])
    return float(2.0 * np.sqrt(0.5 / left[0] * 0.5 * (squares[0] / left[0] + later.sum())))
