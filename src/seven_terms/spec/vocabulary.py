"""Short forms of what most figures say alike: a series is called as its arm, an axis as its metric or swept setting.

They return the same records as the long forms, with every label spelt out, so that a plan shows what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from .checks import require
from .experiment import Arm
from .figures import Bars, Cloud, Curve, Heatmap, Panel, Survival, SweepCurve
from .measures import Measure
from .selections import Selected
from .spelling import words

Runs = Mapping[str, Selected]  # label -> runs


def all_runs(*arms: Arm, at: Mapping[str, Any] | None = None) -> dict[str, Selected]:
    """Return label -> runs of each arm, all of them or those at the given swept values."""
    return {arm.label: arm.at(at) for arm in arms}


def best_runs(*arms: Arm, at: Mapping[str, Any] | None = None) -> dict[str, Selected]:
    """Return label -> runs of each arm at its own best of all swept settings that `at` does not fix."""
    return {arm.label: arm.best(at=at) for arm in arms}


def by_name(arms: Iterable[Arm]) -> dict[str, Arm]:
    """Return name -> arm, for arms that are made in a loop."""
    return {arm.name: arm for arm in arms}


def curve(
    title: str,
    metric: str,
    runs: Runs,
    *,
    over: Literal["step", "index"] = "step",
    step: int | None = None,
    by: str | None = None,
    band: Literal["interval", "quantiles", "seeds"] = "interval",
    index: int | None = -1,
    between: tuple[str, str] | None = None,
    x_label: str | None = None,
    y_label: str | None = None,
    **panel: Any,
) -> Panel:
    """Return a panel with a metric over steps or over its index."""
    content = Curve(metric=metric, runs=runs, over=over, step=step, by=by, band=band, index=index, between=between)
    return _panel(title, content, (x_label, over), (y_label, words(metric)), panel)


def sweep_curve(
    title: str,
    measure: Measure,
    runs: Mapping[str, Selected | tuple[Selected, ...]],
    *,
    over: str,
    x_label: str | None = None,
    y_label: str | None = None,
    **panel: Any,
) -> Panel:
    """Return a panel with a measure over a swept setting."""
    content = SweepCurve(measure=measure, over=over, runs=runs)
    return _panel(title, content, (x_label, words(over)), (y_label, _metric_words(measure)), panel)


def survival(
    title: str, measure: Measure, runs: Runs, *, x_label: str = "step", y_label: str = "share of runs not there yet"
) -> Panel:
    """Return a panel with the share of runs that have not reached a target, over steps."""
    return _panel(title, Survival(measure=measure, runs=runs), (x_label, ""), (y_label, ""), {})


def bars(
    title: str, measure: Measure, runs: Runs, *, x_label: str = "", y_label: str | None = None, **panel: Any
) -> Panel:
    """Return a panel with a measure per label and every seed as a dot."""
    return _panel(title, Bars(measure=measure, runs=runs), (x_label, ""), (y_label, _metric_words(measure)), panel)


def heatmap(
    title: str,
    measure: Measure,
    runs: Selected,
    *,
    x: str,
    y: str,
    x_label: str | None = None,
    y_label: str | None = None,
    **panel: Any,
) -> Panel:
    """Return a panel with the mean of a measure over two swept settings."""
    content = Heatmap(measure=measure, x=x, y=y, runs=runs)
    return _panel(title, content, (x_label, words(x)), (y_label, words(y)), panel)


def cloud(
    title: str,
    x: Measure,
    y: Measure,
    runs: Runs,
    *,
    x_label: str | None = None,
    y_label: str | None = None,
    **panel: Any,
) -> Panel:
    """Return a panel with a point per run, one measure against another."""
    return _panel(title, Cloud(x=x, y=y, runs=runs), (x_label, _metric_words(x)), (y_label, _metric_words(y)), panel)


def _metric_words(measure: Measure) -> str | None:
    """Return the words for a measure of one metric, None where only a person can say what is shown."""
    metric = getattr(measure, "metric", None)
    return words(metric) if isinstance(metric, str) else None


Label = tuple[str | None, str | None]  # as given, and by default


def _panel(title: str, content: Any, x_label: Label, y_label: Label, panel: Mapping[str, Any]) -> Panel:
    x, y = (default if given is None else given for given, default in (x_label, y_label))
    missing = "x_label" if x is None else "y_label" if y is None else ""
    must = "the label must be given where the measure is not that of one metric"
    require(not missing, what=f"panel {title!r}", must=must, got=None, do=f"add {missing}=")
    return Panel(title=title, content=content, x_label=x or "", y_label=y or "", **panel)
