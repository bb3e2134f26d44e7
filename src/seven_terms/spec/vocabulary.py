"""Short forms of what most experiments say alike: claims, figures, and panels whose labels are those of arms and metrics.

They return the same records as the long forms, with every label spelt out, so that a plan shows what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from .checks import require
from .claims import Claim
from .estimates import Judged
from .experiment import Arm
from .figures import Bars, Cloud, Content, Curve, Figure, Heatmap, Panel, Reference, Survival, SweepCurve
from .measures import Measure, Reached
from .scales import SCALES, Scale
from .selections import Selected
from .spelling import last_part, words

Runs = Mapping[str, Selected]  # label -> runs
SHARES = (-0.03, 1.03)  # the y limits of a share of runs, so that 0 and 1 are seen


def all_runs(*arms: Arm, at: Mapping[str, Any] | None = None) -> dict[str, Selected]:
    """Return label -> runs of each arm, all of them or those at the given swept values."""
    return {arm.label: arm.at(at) for arm in arms}


def best_runs(*arms: Arm, at: Mapping[str, Any] | None = None) -> dict[str, Selected]:
    """Return label -> runs of each arm at its own best of all swept settings that `at` does not fix."""
    return {arm.label: arm.best(at=at) for arm in arms}


def by_name(arms: Iterable[Arm]) -> dict[str, Arm]:
    """Return name -> arm, for arms that are made in a loop."""
    return {arm.name: arm for arm in arms}


def claim(
    key: str,
    statement: str,
    test: Judged,
    *,
    source: str,
    unit: str,
    because: str,
    condition: str = "",
    scales: tuple[Scale, ...] = SCALES,
) -> Claim:
    """Return a claim by its key, "B-SC2" or "B-SC2 (fair)", and what decides it: `estimate.above(0.0)`."""
    id, _, form = key.removesuffix(")").partition(" (")
    require(isinstance(test, Judged), what=f"claim {key!r}", must="a rule must decide it, as in `estimate.above(0.0)`",
            got=test)  # fmt: skip
    return Claim(
        id=id,
        form=form,
        statement=statement,
        source=source,
        estimate=test.estimate,
        rule=test.rule,
        unit=unit,
        because=because,
        condition=condition,
        scales=scales,
    )


def figure(
    name: str,
    caption: str,
    *panels: Panel,
    summary: int | None = None,
    key: int | None = None,
    scales: tuple[Scale, ...] = SCALES,
) -> Figure:
    """Return a figure of 1 to 4 panels; see `Figure` for the panels that `summary` and `key` mark."""
    return Figure(name=name, caption=caption, panels=panels, summary=summary, key=key, scales=scales)


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
    references: tuple[Reference, ...] = (),
) -> Panel:
    """Return a panel with a metric over steps or over its index."""
    content = Curve(metric=metric, runs=runs, over=over, step=step, by=by, band=band, index=index, between=between)
    return _panel(title, content, over, words(metric), references)


def sweep_curve(
    title: str,
    measure: Measure,
    runs: Mapping[str, Selected | tuple[Selected, ...]],
    *,
    over: str,
    references: tuple[Reference, ...] = (),
) -> Panel:
    """Return a panel with a measure over a swept setting; a learning rate's axis is logarithmic."""
    panel = _panel(
        title, SweepCurve(measure=measure, over=over, runs=runs), words(over), _words_of(measure), references
    )
    return panel.axes(log="x") if last_part(over) == "learning_rate" else panel


def survival(title: str, measure: Measure, runs: Runs) -> Panel:
    """Return a panel with the share of runs that have not reached a target, over steps."""
    return _panel(title, Survival(measure=measure, runs=runs), "step", "share of runs not there yet")


def bars(title: str, measure: Measure, runs: Runs, *, references: tuple[Reference, ...] = ()) -> Panel:
    """Return a panel with a measure per label and every seed as a dot."""
    return _panel(title, Bars(measure=measure, runs=runs), "", _words_of(measure), references)


def heatmap(title: str, measure: Measure, runs: Selected, *, x: str, y: str) -> Panel:
    """Return a panel with the mean of a measure over two swept settings."""
    return _panel(title, Heatmap(measure=measure, x=x, y=y, runs=runs), words(x), words(y))


def cloud(title: str, x: Measure, y: Measure, runs: Runs, *, references: tuple[Reference, ...] = ()) -> Panel:
    """Return a panel with a point per run, one measure against another."""
    return _panel(title, Cloud(x=x, y=y, runs=runs), _words_of(x), _words_of(y), references)


def _words_of(measure: Measure) -> str:
    """Return the words for a measure, none where only a person can say what is shown: `Panel.axes` takes them."""
    if isinstance(measure, Reached):
        return "share of runs"
    metric = getattr(measure, "metric", None)
    return words(metric) if isinstance(metric, str) else ""


def _panel(title: str, content: Content, x: str, y: str, references: tuple[Reference, ...] = ()) -> Panel:
    panel = Panel(title=title, content=content, x_label=x, y_label=y, references=references)
    is_share = isinstance(getattr(content, "measure", None), Reached) and not isinstance(content, Heatmap)
    return panel.axes(y_limits=SHARES) if is_share else panel
