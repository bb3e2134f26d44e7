"""Measures and estimates of a claim in words, so that the report says what was measured without anyone typing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from ..spec import (
    At,
    AtBest,
    Best,
    BestSetting,
    Combine,
    Correlation,
    Diverged,
    Estimate,
    Last,
    LogSlope,
    Mean,
    Measure,
    Median,
    Over,
    PairedDifference,
    PairedRatio,
    Proportion,
    ProportionDifference,
    Ranked,
    Reached,
    Regret,
    Selected,
    Setting,
    Slope,
    StepsTo,
    WorstDeviation,
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
        case Best(metric=metric, mode=mode):
            return f"{'lowest' if mode == 'min' else 'highest'} {_metric(metric, measure.index)} of the run"
        case AtBest(metric=metric, of=of, mode=mode):
            return f"{words(metric)} where {words(of)} is {'lowest' if mode == 'min' else 'highest'}"
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


def _paired(what: str, *, exact: bool, scale: str = "") -> str:
    return "free of chance, so without interval" if exact else f"{what} over shared seeds, paired t{scale}"


def _share_interval(whose: str, *, exact: bool) -> str:
    return "free of chance, so without interval" if exact else f"{whose}'s interval, seeds as units"


def _slope_of(estimate: Slope, labels: Labels) -> str:
    measure = "" if estimate.measure is None else measure_in_words(estimate.measure, labels)
    if estimate.argbest is None:
        return measure
    if estimate.crosses is None:
        return f"{words(estimate.argbest)} that is best"
    return f"{words(estimate.argbest)} up to which {measure} is at least {estimate.crosses:g}"


def estimate_in_words(estimate: Estimate, labels: Labels) -> str:
    """Return what was computed over the runs, and which interval was put around it."""

    def told(measure: Measure | None) -> str:
        return measure_in_words(measure, labels) if measure is not None else ""

    def runs(selected: Selected) -> str:
        return runs_in_words(selected, labels)

    match estimate:
        case Mean(measure=measure, log=log):
            kind = "geometric mean" if log else "mean"
            return f"{told(measure)}, {runs(estimate.runs)}; {kind} over seeds, Student's t"
        case Median(measure=measure):
            return f"{told(measure)}, {runs(estimate.runs)}; median over seeds, sign test"
        case PairedDifference(measure=measure):
            versus = f"{runs(estimate.runs)} minus {runs(estimate.baseline)}"
            return f"{told(measure)}, {versus}; {_paired('mean difference', exact=estimate.exact)}"
        case PairedRatio(measure=StepsTo() as measure):
            versus = f"{runs(estimate.runs)} over {runs(estimate.baseline)}"
            return f"{told(measure)}, {versus}; ratio of means up to the budget, paired t, each time between two looks"
        case PairedRatio(measure=measure):
            versus = f"{runs(estimate.runs)} over {runs(estimate.baseline)}"
            return f"{told(measure)}, {versus}; {_paired('geometric mean ratio', exact=estimate.exact, scale=' on logarithms')}"
        case Proportion(measure=measure):
            how = _share_interval("Wilson", exact=estimate.exact)
            return f"share of runs with {told(measure)}, {runs(estimate.runs)}; {how}"
        case ProportionDifference(measure=measure):
            versus = f"{runs(estimate.runs)} minus {runs(estimate.baseline)}"
            return f"share of runs with {told(measure)}, {versus}; {_share_interval('Newcombe', exact=estimate.exact)}"
        case Slope():
            what = _slope_of(estimate, labels)
            x, y = (("the logarithm of " if log else "") for log in (estimate.log_x, estimate.log_y))
            among = ", ".join(runs(some) for some in estimate.runs)
            over, how = f"over {x}{words(estimate.over)}", "per seed"
            if estimate.argbest is not None and estimate.crosses is None:
                how = "for the mean over seeds, interpolated, jackknife"
            return f"slope of {y}{what} {over} {how}, {among}; Student's t"
        case BestSetting():
            kind = "largest" if estimate.mode == "largest_reached" else "best"
            against = f" over that of {runs(estimate.baseline)}" if estimate.baseline else ""
            what = f"{kind} {words(estimate.setting)} by {told(estimate.measure)}, {runs(estimate.runs)}{against}"
            if estimate.exact:
                return f"{what}; free of chance, so without interval"
            how = (
                "geometric mean over seeds" if kind == "largest" else "for the mean over seeds, interpolated, jackknife"
            )
            return f"{what}; {how}, Student's t on logarithms"
        case Correlation(first=first, second=second):
            how = "free of chance, so without interval" if estimate.exact else "Fisher's interval"
            return f"Spearman's rank correlation of {told(first)} and {told(second)}; {how}"
        case WorstDeviation(measure=measure, absolute=absolute):
            kind = "absolute" if absolute else "relative"
            what = " and ".join(told(one) for one in (measure if isinstance(measure, tuple) else (measure,)))
            return f"largest {kind} deviation of {what} from what theory says; exact, so without interval"
        case Regret(measure=measure, setting=setting, picked=picked):
            pick = f"the {words(setting)} nearest to the {told(picked)} of {runs(estimate.picks)}"
            against = f"{runs(estimate.runs)} at {pick} minus at the best of the grid"
            return f"{told(measure)}, {against}; mean difference over seeds, paired t"
    assert_never(estimate)
