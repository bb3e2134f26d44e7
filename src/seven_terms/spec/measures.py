"""Measures: what is read from the metrics of one run, as one number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .claims import Selected


@dataclass(frozen=True, slots=True)
class Last:
    """Value at the last recorded step (of layer / lag / unit `index`); NaN for a diverged run."""

    metric: str
    index: int = -1


@dataclass(frozen=True, slots=True)
class At:
    """Value at the recorded step nearest to `step` (an integer) or to `fraction` of the run."""

    metric: str
    step: int | None = None
    fraction: float | None = None
    index: int = -1


@dataclass(frozen=True, slots=True)
class Best:
    """Best recorded value of the run: `min` or `max`."""

    metric: str
    mode: Literal["min", "max"] = "min"
    index: int = -1


@dataclass(frozen=True, slots=True)
class AtBest:
    """Value at the step at which another metric was best, e.g. the rate at which the loss of a rising rate was lowest."""

    metric: str
    of: str
    mode: Literal["min", "max"] = "min"


@dataclass(frozen=True, slots=True)
class Over:
    """A statistic of the values recorded between two fractions of the run, over all indexes unless one is named."""

    metric: str
    statistic: Literal["mean", "median", "std", "min", "max", "sum", "total_variation", "max_over_median"] = "mean"
    start: float = 0.0
    stop: float = 1.0
    index: int | None = None


@dataclass(frozen=True, slots=True)
class StepsTo:
    """First recorded step at which the metric is `above` or `below` the target; infinity for a miss (censored).

    The target may be another arm's number: `target_of=(arm, measure)` takes the mean of that measure over the arm's
    runs (at its selected rate), so "steps to the plain network's best accuracy" needs no constant. An arm's name means
    all its sweep values are selected; a `Selected` says exactly which runs. An accuracy must be at least the target,
    anything else at most; `above` or `below` beside `target_of` says otherwise and is added to the target.
    """

    metric: str
    above: float | None = None
    below: float | None = None
    target_of: tuple[str | Selected, Measure] | None = None


@dataclass(frozen=True, slots=True)
class Diverged:
    """1 if the run diverged, else 0."""


@dataclass(frozen=True, slots=True)
class Reached:
    """1 if the inner measure is above / below a number, else 0 (a NaN or diverged run counts 0)."""

    measure: Measure
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class LogSlope:
    """Least-squares slope of log(value) over `over`: the recorded step, or the layer/lag index at one step.

    e.g. contraction per step: exp(LogSlope("train_loss", over="step", start=0.5)) squared or not as the metric says.
    """

    metric: str
    over: Literal["step", "log_step", "index"] = "step"
    start: float = 0.0
    stop: float = 1.0
    step: int | None = None  # for over="index": the step, default first recorded
    first_index: int | None = None
    last_index: int | None = None


@dataclass(frozen=True, slots=True)
class Combine:
    """A formula of other measures: `ratio`, `difference`, `product`, `log`, `exp`, `abs`, `negative`, `sqrt`, `square`."""

    formula: Literal["ratio", "difference", "product", "log", "log10", "exp", "abs", "negative", "sqrt", "square"]
    first: Measure
    second: Measure | float | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of the run's own record: a sweep value, a path into the training ("optimizer.learning_rate"), or what a
    named function of `seven_terms.statistics.theory` says of it ("depth_scale"). Wherever a sweep is named, so may these.
    """

    path: str


Measure = Last | At | Best | AtBest | Over | StepsTo | Diverged | Reached | LogSlope | Combine | Setting
