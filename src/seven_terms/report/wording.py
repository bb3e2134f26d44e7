"""Measures and estimates of a claim in words, so that the report says what was measured without anyone typing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from ..spec import (
    At,
    AtBest,
    Best,
    Combine,
    Diverged,
    Estimate,
    Last,
    LogSlope,
    Measure,
    Over,
    Ranked,
    Reached,
    Selected,
    Setting,
    StepsTo,
)

Labels = Mapping[str, str]  # arm -> label
_STATISTICS = {
    "detrended_std": "standard deviation about a straight line",
    "displacement": "displacement from first to last",
    "max_over_median": "largest over median",
    "std": "standard deviation",
    "min": "lowest value",
    "max": "highest value",
}
_SIGNS = {"ratio": "over", "difference": "minus", "product": "times"}
_RANKS = {-1: "largest", -2: "second largest", 0: "smallest", 1: "second smallest"}
_FUNCTIONS = {
    "log": "logarithm of",
    "log10": "decimal logarithm of",
    "exp": "exponential of",
    "abs": "size of",
    "negative": "minus",
    "sqrt": "square root of",
    "square": "square of",
}


def words(name: str) -> str:
    return name.replace("_", " ")


def measure_in_words(measure: Measure | float, labels: Labels) -> str:
    """Return e.g. "final test loss", to stand after "the"."""
    match measure:
        case Last(metric=metric):
            return f"final {_metric(metric, measure.index)}"
        case At(metric=metric, step=step, fraction=fraction):
            return f"{_metric(metric, measure.index)} at {f'step {step}' if step is not None else _fraction(fraction)}"
        case Best(metric=metric, which=which):
            return f"{'lowest' if which == 'min' else 'highest'} {_metric(metric, measure.index)} of the run"
        case AtBest(metric=metric, of=of, which=which):
            return f"{words(metric)} where {words(of)} is {'lowest' if which == 'min' else 'highest'}"
        case Over(metric=metric, statistic=statistic):
            part = "" if (measure.start, measure.stop) == (0.0, 1.0) else _part(measure.start, measure.stop)
            return f"{_STATISTICS.get(statistic, statistic)} of {_metric(metric, measure.index)}{part}"
        case StepsTo():
            return _steps_in_words(measure, labels)
        case Reached(measure=inner, above=above, below=below):
            limit = f"above {above:g}" if above is not None else f"below {below:g}"
            return f"{measure_in_words(inner, labels)} {limit}"
        case LogSlope(metric=metric, over=over):
            return f"slope of the logarithm of {words(metric)} over {words(over)}"
        case Diverged():
            return "divergence"
        case Setting(path=path):
            return words(path.rsplit(".", 1)[-1])
        case Combine():
            return _formula_in_words(measure, labels)
        case float() | int():
            return f"{measure:g}"
    assert_never(measure)


def _metric(metric: str, index: int | None) -> str:
    return words(metric) if index in (-1, None) else f"{words(metric)} ({index})"


def _fraction(fraction: float | None) -> str:
    return f"{100 * (fraction or 0.0):g} % of the run"


def _part(start: float, stop: float) -> str:
    return f" between {100 * start:g} % and {100 * stop:g} % of the run"


def _steps_in_words(measure: StepsTo, labels: Labels) -> str:
    metric = words(measure.metric)
    if measure.target_of:
        arm, target = measure.target_of
        whose = runs_in_words(arm, labels) if isinstance(arm, Selected) else f"“{labels[arm]}”"
        reached = f"the {measure_in_words(target, labels)} of {whose}"
        offset = measure.above or measure.below or 0.0
        away = f"{abs(offset):g} {'above' if offset > 0 else 'below'} " if offset else ""
        return f"number of steps until {metric} reaches {away}{reached}"
    limit = f"above {measure.above:g}" if measure.above is not None else f"below {measure.below:g}"
    return f"number of steps until {metric} is {limit}"


def _formula_in_words(measure: Combine, labels: Labels) -> str:
    first = measure_in_words(measure.first, labels)
    if measure.formula in _SIGNS and measure.second is not None:
        return f"{first} {_SIGNS[measure.formula]} {measure_in_words(measure.second, labels)}"
    return f"{_FUNCTIONS[measure.formula]} {first}"


def runs_in_words(runs: Selected, labels: Labels) -> str:
    """Return e.g. ‹“linear to zero” at num steps = 1500 and its own best learning rate›."""
    fixed = [_fixed(words(name), value) for name, value in runs.where.items()]
    chosen = " and ".join(words(name) for name in runs.best)
    if chosen:
        times = "" if runs.times == 1.0 else f"{runs.times:g} times "
        whose = f"{times}the {{}} that is best for “{labels[runs.best_of]}”" if runs.best_of else "its own best {}"
        fixed.append(whose.format(chosen))
    given = "" if runs.given is None else f", of the runs with {measure_in_words(runs.given, labels)}"
    return f"“{labels[runs.arm]}”" + (f" at {' and '.join(fixed)}" if fixed else "") + given


def _fixed(name: str, value: object) -> str:
    if isinstance(value, Ranked):
        return f"the {_RANKS.get(value.position, f'{value.position + 1}th smallest')} {name}"
    return f"{name} = {_value(value)}"


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


@dataclass(frozen=True, slots=True)
class Words:
    """How a measure and a selection of runs are said, with the labels of an experiment's arms."""

    labels: Labels

    def measure(self, measure: Measure | float) -> str:
        return measure_in_words(measure, self.labels)

    def runs(self, runs: Selected) -> str:
        return runs_in_words(runs, self.labels)


def estimate_in_words(estimate: Estimate, labels: Labels) -> str:
    """Return what was computed over the runs, and which interval was put around it."""
    return estimate.in_words(Words(labels))
