"""Figures as data: panels of series. The statistics stage computes the numbers, the drawing stage only draws them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from .checked import checked
from .checks import require
from .kinds import Kind
from .limits import FileName, Index, Label, LabelOrNone, Line, Number, Sized
from .measures import Measure
from .scales import SCALES, Scale
from .selections import Selected
from .spelling import words

Logarithmic = Literal["", "x", "y", "xy"]  # which axes are
Series = Annotated[Mapping[LabelOrNone, Selected], Sized(least=1, most=100)]  # label -> runs


class Content(Kind):
    """What a panel shows of runs.

    `rows` names a function (content, results, log=) -> rows of the summary, `drawing` one (axes, panel, rows, look=) -> labels
    of which nothing can be drawn. Kinds that draw the same numbers differently share `rows`.
    """

    __slots__ = ()
    rows: ClassVar[str] = ""
    drawing: ClassVar[str] = ""
    legend: ClassVar[bool] = True  # whether colour tells labels apart, and not position
    lines: ClassVar[bool] = False  # whether a label may stand beside its line
    scaled: ClassVar[bool] = True  # whether the axes are those of numbers, with scales and ticks
    caption: ClassVar[str] = ""  # what its marks are, where they are not means with 95 % intervals
    runs: Any  # a `Selected`, or label -> `Selected`


MOST_LINES = 24  # of band "seeds": more cannot be told apart, and weigh megabytes


@checked
class Curve(Content):
    """A metric over steps (or over its index at one step): mean and 95 % interval over seeds, one line per label.

    On a logarithmic y axis mean and interval are those of the logarithms. `over="index"`: at the recorded step nearest
    to `step`, the first recorded one by default. `index=None` averages over all indexes first. `by` draws one line per
    value of a sweep within each selection. `band="quantiles"`: median and 15-85 % over seeds x indexes instead.
    Infinite or missing values end a line. `between` draws, of the first chosen run alone, the metric in a band from
    one other metric to another: percentiles of a unit, which no mean over seeds would show. `band="seeds"`: a line each for the
    first `MOST_LINES` seeds.
    """

    metric: Line
    runs: Series
    over: Literal["step", "index"] = "step"
    step: Number | None = None
    by: str | None = None
    band: Literal["interval", "quantiles", "seeds"] = "interval"
    index: Index | None = -1
    between: tuple[str, str] | None = None

    def label_at(self, label: str, value: str) -> str:
        """Return the label of the line at one value of `by`: "ReLU, width = 64"."""
        return label if self.by is None else f"{label}, {words(self.by)} = {value}"

    rows = "seven_terms.statistics.panels:curve"
    drawing = "seven_terms.figures.curve:draw_curve"
    lines = True


@checked
class SweepCurve(Content):
    """A measure over a sweep value: mean and interval per label. Share with Wilson interval for 0/1 measures.

    Several selections under one label make one line: for what differs by arm, e.g. a batch size with its number of steps.
    """

    measure: Measure
    over: Line
    runs: Annotated[
        Mapping[LabelOrNone, Selected | Annotated[tuple[Selected, ...], Sized(least=1)]], Sized(least=1, most=100)
    ]

    rows = "seven_terms.statistics.panels:sweep_curve"
    drawing = "seven_terms.figures.sweep:draw_sweep"
    lines = True


@checked
class Survival(Content):
    """Kaplan-Meier curves of time to an event (a StepsTo measure), with pointwise intervals."""

    measure: Measure
    runs: Series

    rows = "seven_terms.statistics.panels:survival"
    drawing = "seven_terms.figures.survival:draw_survival"


@checked
class Bars(Content):
    """A measure per label, with every seed as a dot."""

    measure: Measure
    runs: Series

    rows = "seven_terms.statistics.panels:bars"
    drawing = "seven_terms.figures.bars:draw_bars"
    legend = False


@checked
class Heatmap(Content):
    """Mean of a measure over two sweep values of one selection."""

    measure: Measure
    x: Line
    y: Line
    runs: Selected

    rows = "seven_terms.statistics.panels:heatmap"
    drawing = "seven_terms.figures.heatmap:draw_heatmap"
    legend = False
    scaled = False


@checked
class Cloud(Content):
    """A point per run: one measure against another, coloured by label."""

    x: Measure
    y: Measure
    runs: Series

    rows = "seven_terms.statistics.panels:cloud"
    drawing = "seven_terms.figures.cloud:draw_cloud"


@checked
class Reference:
    """A line of theory: `y` constant, `x` constant, or a named function of statistics.theory drawn over the panel's x.

    `arm`: whose training the theory is asked about; by default that of the panel's first runs.
    """

    label: Label
    x: float | None = None
    y: float | None = None
    theory: str | None = None
    arm: str | None = None

    def __post_init__(self) -> None:
        given = [one for one in (self.x, self.y, self.theory) if one is not None]
        must = "exactly one of x, y and theory must be given"
        require(len(given) == 1, what=f"reference {self.label!r}", must=must, got=(self.x, self.y, self.theory))


@checked
class Panel:
    title: str
    content: Content
    x_label: str
    y_label: str
    log_x: bool = False
    log_y: bool = False
    y_limits: tuple[float | None, float | None] = (None, None)
    references: tuple[Reference, ...] = ()

    def __post_init__(self) -> None:
        low, high = self.y_limits
        ordered = low is None or high is None or low < high
        require(ordered, what=f"panel {self.title!r}", must="y_limits must increase", got=self.y_limits)

    def axes(
        self,
        x: str | None = None,
        y: str | None = None,
        *,
        log: Logarithmic | None = None,
        y_limits: tuple[float | None, float | None] | None = None,
    ) -> Panel:
        """Return this panel with other labels of its axes, scales or limits; what is not given stays."""
        given: dict[str, Any] = {"x_label": x, "y_label": y, "y_limits": y_limits}
        given |= {} if log is None else {"log_x": "x" in log, "log_y": "y" in log}
        return dataclasses.replace(self, **{name: value for name, value in given.items() if value is not None})


@checked
class Figure:
    """One figure file of 1 to 4 panels.

    `summary` marks the panel that stands for the term among the seven answers, `key` the one that stands for the experiment
    in the main text; without a mark that is the first panel of the first figure.
    """

    name: FileName
    caption: Line
    panels: Annotated[tuple[Panel, ...], Sized(least=1, most=4)]
    scales: Annotated[tuple[Scale, ...], Sized(least=1, unique=True)] = SCALES
    summary: Number | None = None
    key: Number | None = None

    def __post_init__(self) -> None:
        unsaid = [panel.title for panel in self.panels if not panel.y_label]
        must, do = "the y axis must say what is measured", 'add .axes(y="...") to the panel'
        require(not unsaid, what=f"figure {self.name!r}", must=must, got=unsaid, do=do)
        last = len(self.panels) - 1
        for name, number in (("summary", self.summary), ("key", self.key)):
            must = f"{name} must be the number of a panel, 0 to {last}, or None"
            require((number or 0) <= last, what=f"figure {self.name!r}", must=must, got=number)
