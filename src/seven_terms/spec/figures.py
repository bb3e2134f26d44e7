"""Figures as data: panels of series. The statistics stage computes the numbers, the drawing stage only draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .claims import Selected
from .measures import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A metric over steps (or over its index at one step): mean and 95 % interval over seeds, one line per label.

    On a logarithmic y axis mean and interval are those of the logarithms. `over="index"`: at the recorded step nearest
    to `step`, the first recorded one by default. `index=None` averages over all indexes first. `by` draws one line per
    value of a sweep within each selection. `band="quantiles"`: median and 15-85 % over seeds x indexes instead.
    Infinite or missing values end a line. `between` draws, of the first chosen run alone, the metric in a band from
    one other metric to another: percentiles of a unit, which no mean over seeds would show.
    """

    metric: str
    runs: Mapping[str, Selected]  # label -> runs
    over: Literal["step", "index"] = "step"
    step: int | None = None
    by: str | None = None
    band: Literal["interval", "quantiles", "seeds"] = "interval"
    index: int | None = -1
    between: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCurve:
    """A measure over a sweep value: mean and interval per label. Share with Wilson interval for 0/1 measures.

    Several selections under one label make one line: for what differs by arm, e.g. a batch size with its number of steps.
    """

    measure: Measure
    over: str
    runs: Mapping[str, Selected | tuple[Selected, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """Kaplan-Meier curves of time to an event (a StepsTo measure), with pointwise intervals."""

    measure: Measure
    runs: Mapping[str, Selected]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A measure per label, with every seed as a dot."""

    measure: Measure
    runs: Mapping[str, Selected]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap:
    """Mean of a measure over two sweep values of one selection."""

    measure: Measure
    x: str
    y: str
    runs: Selected


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """A point per run: one measure against another, coloured by label."""

    x: Measure
    y: Measure
    runs: Mapping[str, Selected]


Content = Curve | SweepCurve | Survival | Bars | Heatmap | Cloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A line of theory: `y` constant, `x` constant, or a named function of statistics.theory drawn over the panel's x.

    `arm`: whose training the theory is asked about; by default that of the panel's first runs.
    """

    label: str
    x: float | None = None
    y: float | None = None
    theory: str | None = None
    arm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    title: str
    content: Content
    x_label: str
    y_label: str
    log_x: bool = False
    log_y: bool = False
    y_limits: tuple[float | None, float | None] = (None, None)
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure file of 1 to 4 panels. `summary` marks the panel that stands for the term on the summary page."""

    name: str
    caption: str
    panels: tuple[Panel, ...]
    scales: tuple[str, ...] = ("smoke", "laptop", "paper")
    summary: int | None = None
    options: Mapping[str, object] = field(default_factory=dict)
