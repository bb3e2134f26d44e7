"""Measures: what is read from the metrics of one run, as one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .checked import checked
from .checks import require
from .limits import Fraction, Index, Line, Number

if TYPE_CHECKING:
    from .selections import Selected

WITH_TWO = ("ratio", "difference", "product")  # formulas of two measures


@checked(kw_only=False)
class Last:
    """Value at the last recorded step (of layer / lag / unit `index`); NaN for a diverged run."""

    metric: Line
    index: Index = -1


@checked(kw_only=False)
class At:
    """Value at the recorded step nearest to `step` (an integer) or to `fraction` of the run."""

    metric: Line
    step: Number | None = None
    fraction: Fraction | None = None
    index: Index = -1

    def __post_init__(self) -> None:
        _require_one(self, step=self.step, fraction=self.fraction)


@checked(kw_only=False)
class Best:
    """Best recorded value of the run: `min` or `max`."""

    metric: Line
    which: Literal["min", "max"] = "min"
    index: Index = -1


@checked(kw_only=False)
class AtBest:
    """Value at the step at which another metric was best, e.g. the rate at which the loss of a rising rate was lowest."""

    metric: Line
    of: Line
    which: Literal["min", "max"] = "min"


@checked(kw_only=False)
class Over:
    """A statistic of the values recorded between two fractions of the run, over all indexes unless one is named.

    `detrended_std` is the standard deviation about a straight line over the steps: what is left of a spread when what falls
    all the while is taken out. `displacement` is how far the last value lies from the first, a mean over indexes: a drift,
    to which back and forth adds nothing.
    """

    metric: Line
    statistic: Literal[
        "mean", "median", "std", "detrended_std", "min", "max", "sum", "displacement", "max_over_median"
    ] = "mean"
    start: Fraction = 0.0
    stop: Fraction = 1.0
    index: Index | None = None

    def __post_init__(self) -> None:
        _require_order(self, self.start, self.stop)


@checked(kw_only=False)
class StepsTo:
    """First recorded step at which the metric is `above` or `below` the target; infinity for a miss (censored).

    The target may be another arm's number: `target_of=(arm, measure)` takes the mean of that measure over the arm's
    runs (at its selected rate), so "steps to the plain network's best accuracy" needs no constant. An arm's name means
    all its sweep values are selected; a `Selected` says exactly which runs. An accuracy must be at least the target,
    anything else at most; `above` or `below` beside `target_of` says otherwise and is added to the target.
    """

    metric: Line
    above: float | None = None
    below: float | None = None
    target_of: tuple[str | Selected, Measure] | None = None

    def __post_init__(self) -> None:
        both = self.above is not None and self.below is not None
        must = "one of above, below and target_of must be given, or target_of with one of the others"
        given = (self.above, self.below, self.target_of)
        require(not both and any(one is not None for one in given), what=_name(self), must=must, got=given)


@checked(kw_only=False)
class Diverged:
    """1 if the run diverged, else 0."""


@checked(kw_only=False)
class Reached:
    """1 if the inner measure is above / below a number, else 0 (a NaN or diverged run counts 0)."""

    measure: Measure
    above: float | None = None
    below: float | None = None

    def __post_init__(self) -> None:
        some = self.above is not None or self.below is not None
        require(some, what="Reached", must="above or below must be given", got=(self.above, self.below))
        if self.above is not None and self.below is not None:
            must = "above must be < below"
            require(self.above < self.below, what="Reached", must=must, got=(self.above, self.below))


@checked(kw_only=False)
class LogSlope:
    """Least-squares slope of log(value) over `over`: the recorded step, or the layer/lag index at one step.

    e.g. contraction per step: exp(LogSlope("train_loss", over="step", start=0.5)) squared or not as the metric says.
    """

    metric: Line
    over: Literal["step", "log_step", "index"] = "step"
    start: Fraction = 0.0
    stop: Fraction = 1.0
    step: Number | None = None  # for over="index": the step, default first recorded
    first_index: Number | None = None
    last_index: Number | None = None

    def __post_init__(self) -> None:
        _require_order(self, self.start, self.stop)
        if self.first_index is not None and self.last_index is not None:
            must, indexes = "first_index must be < last_index", (self.first_index, self.last_index)
            require(self.first_index < self.last_index, what=_name(self), must=must, got=indexes)


@checked(kw_only=False)
class Combine:
    """A formula of other measures: `ratio`, `difference`, `product`, `log`, `exp`, `abs`, `negative`, `sqrt`, `square`."""

    formula: Literal["ratio", "difference", "product", "log", "log10", "exp", "abs", "negative", "sqrt", "square"]
    first: Measure
    second: Measure | float | None = None

    def __post_init__(self) -> None:
        both = self.formula in WITH_TWO
        must = "ratio, difference and product need a second measure, the others take none"
        require(both == (self.second is not None), what=f"Combine({self.formula!r})", must=must, got=self.second)


@checked(kw_only=False)
class Setting:
    """A number of the run's own record: a sweep value, a path into the training ("optimizer.learning_rate"), or what a
    named function of `seven_terms.statistics.theory` says of it ("depth_scale"). Wherever a sweep is named, so may these.
    """

    path: Line


Measure = Last | At | Best | AtBest | Over | StepsTo | Diverged | Reached | LogSlope | Combine | Setting


def _name(measure: Last | StepsTo | At | Over | LogSlope) -> str:
    return f"{type(measure).__name__}({measure.metric!r})"


def _require_one(measure: At, **given: float | None) -> None:
    must = f"exactly one of {' and '.join(given)} must be given"
    chosen = [value for value in given.values() if value is not None]
    require(len(chosen) == 1, what=_name(measure), must=must, got=tuple(given.values()))


def _require_order(measure: Over | LogSlope, start: float, stop: float) -> None:
    require(start <= stop, what=_name(measure), must="start must be <= stop", got=(start, stop))
