"""Samples: the numbers per seed behind an interval, kept with a claim so that others can judge it at any level, or pool it.

A sample is a method's name and its columns, one entry a seed. Two sets of seeds are one sample when they are put together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from . import intervals
from .intervals import Interval

METHODS: Mapping[str, Callable[..., Interval]] = {
    "mean": intervals.student,
    "geometric mean": intervals.student_log,
    "ratio of means": intervals.ratio_of_means,
    "largest mean": intervals.largest_mean,
    "median": intervals.median,
    "share": intervals.share,
    "difference of shares": intervals.share_difference,
    "rank correlation": intervals.spearman,
}
LOGARITHMIC = ("geometric mean", "ratio of means")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """`up`, `down`: the truth may lie anywhere on that side, down to `floor`, because some values are bounds."""

    method: str
    columns: Mapping[str, tuple[float, ...]]
    up: bool = False
    down: bool = False
    floor: float = -math.inf

    @property
    def size(self) -> int:
        return min((len(column) for column in self.columns.values()), default=0)

    def interval(self) -> Interval:
        columns = {name: np.array(column, dtype=float) for name, column in self.columns.items()}
        return METHODS[self.method](**columns).opened(up=self.up, down=self.down, floor=self.floor)

    def text(self) -> str:
        """Return JSON that `read_sample` reads."""
        bounds = {"up": self.up, "down": self.down, "floor": self.floor}
        return json.dumps({"method": self.method, "columns": dict(self.columns), **bounds})


def sample_of(method: str, *, up: bool = False, down: bool = False, **columns: np.ndarray) -> Sample:
    return Sample(
        method=method,
        columns={name: tuple(np.asarray(column, dtype=float).tolist()) for name, column in columns.items()},
        up=up,
        down=down,
        floor=0.0 if method in LOGARITHMIC else -math.inf,
    )


def read_sample(text: str) -> Sample | None:
    """Return a sample from its JSON; None for the empty text of a claim without one."""
    if not text:
        return None
    record = json.loads(text)
    columns = {name: tuple(column) for name, column in record.pop("columns").items()}
    return Sample(columns=columns, **record)


def pooled(first: Sample, second: Sample) -> Sample:
    """Return both sets of seeds as one sample."""
    columns = {name: first.columns[name] + second.columns[name] for name in first.columns}
    up, down = first.up or second.up, first.down or second.down
    return Sample(method=first.method, columns=columns, up=up, down=down, floor=first.floor)


def heterogeneity(first: Interval, second: Interval, *, logarithmic: bool) -> float:
    """Return the p-value of Cochran's Q for two effects, their errors read off their intervals; NaN where they have none."""
    ends = [(one.effect, one.low, one.high) for one in (first, second)]
    if logarithmic:
        ends = [tuple(math.log(end) if end > 0 else -math.inf for end in one) for one in ends]
    widths = [high - low for _, low, high in ends]
    if not all(0.0 < width < math.inf for width in widths):
        return math.nan
    variance = sum((width / (2.0 * intervals.Z)) ** 2 for width in widths)
    return float(stats.chi2.sf((ends[0][0] - ends[1][0]) ** 2 / variance, 1))
