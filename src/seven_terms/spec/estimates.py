"""Estimates: many runs to one number with a 95 % interval. Each says what it reads, what computes it, and itself in words.

Standard library only: `compute` names a function (estimate, results) -> (sample or interval, the groups of runs behind it,
notes), which is imported when there are results.

Long, because every built-in estimate stands here with its words: one file to read for who adds one.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal, Protocol

from .checked import checked
from .checks import require
from .kinds import Kind
from .limits import Line, Sized
from .measures import Measure, StepsTo
from .rules import Above, Below, Rule, Within
from .selections import Selected


class Wording(Protocol):
    """What an estimate's own words are put together from."""

    def measure(self, measure: Measure | float, /) -> str: ...

    def runs(self, runs: Selected, /) -> str: ...


class Estimate(Kind):
    """One number with an interval over runs. `chooses`: whether a setting is chosen on the selection's metric for it."""

    __slots__ = ()
    compute: ClassVar[str] = ""

    @abstractmethod
    def in_words(self, say: Wording) -> str:
        """Return what is computed over the runs, and which interval is put around it."""

    @property
    def settings(self) -> tuple[str, ...]:
        """The swept settings, or numbers of the record, that it names besides those of its selections."""
        return ()

    @property
    def chooses(self) -> bool:
        return False

    def by(self, rule: Rule) -> Judged:
        """Return this number together with the rule that judges it; `above`, `below` and `within` are the usual rules."""
        return Judged(self, rule)

    def above(self, threshold: float) -> Judged:
        return self.by(Above(threshold))

    def below(self, threshold: float) -> Judged:
        return self.by(Below(threshold))

    def within(self, low: float, high: float) -> Judged:
        return self.by(Within(low, high))


@dataclass(frozen=True, slots=True)
class Judged:
    """What decides a claim: a number, and which numbers agree with the statement."""

    estimate: Estimate
    rule: Rule


@checked(kw_only=False)
class Mean(Estimate):
    """Mean over seeds, Student t. `log`: geometric mean."""

    measure: Measure
    runs: Selected
    _: KW_ONLY
    log: bool = False

    compute = "seven_terms.statistics.estimates:mean"

    def in_words(self, say: Wording) -> str:
        kind = "geometric mean" if self.log else "mean"
        return f"{say.measure(self.measure)}, {say.runs(self.runs)}; {kind} over seeds, Student's t"


@checked(kw_only=False)
class Median(Estimate):
    """Median over seeds with the interval of the sign test; seeds without a value may lie anywhere."""

    measure: Measure
    runs: Selected

    compute = "seven_terms.statistics.estimates:median"

    def in_words(self, say: Wording) -> str:
        return f"{say.measure(self.measure)}, {say.runs(self.runs)}; median over seeds, sign test"


@checked(kw_only=False)
class PairedDifference(Estimate):
    """Mean over shared seeds of measure(runs) - measure(baseline), Student t.

    A diverged run counts as the worst finite value of the runs compared, and the interval is open on the side where the
    true difference lies. `exact`: the runs are free of chance, so that one seed says all and there is no interval.
    """

    measure: Measure
    runs: Selected
    baseline: Selected
    _: KW_ONLY
    exact: bool = False

    compute = "seven_terms.statistics.estimates:paired"

    def in_words(self, say: Wording) -> str:
        versus = f"{say.runs(self.runs)} minus {say.runs(self.baseline)}"
        return f"{say.measure(self.measure)}, {versus}; {_paired('mean difference', exact=self.exact)}"


@checked(kw_only=False)
class PairedRatio(Estimate):
    """Geometric mean over shared seeds of measure(runs) / measure(baseline), Student t on logs.

    Of steps to a target it is the ratio of mean times, restricted to the shorter budget: a miss counts as the budget, a time
    lies between the look that found it and the one before, and the interval holds both ends. `exact` as for
    `PairedDifference`.
    """

    measure: Measure
    runs: Selected
    baseline: Selected
    _: KW_ONLY
    exact: bool = False

    compute = "seven_terms.statistics.estimates:paired"

    def in_words(self, say: Wording) -> str:
        versus = f"{say.runs(self.runs)} over {say.runs(self.baseline)}"
        how = _paired("geometric mean ratio", exact=self.exact, scale=" on logarithms")
        if isinstance(self.measure, StepsTo):
            how = "ratio of means up to the budget, paired t, each time between two looks"
        return f"{say.measure(self.measure)}, {versus}; {how}"


@checked(kw_only=False)
class Proportion(Estimate):
    """Share of runs whose 0/1 measure is 1, Wilson interval; runs of one seed are not independent and count accordingly.

    `exact`: the runs are a grid free of chance, so that there is no interval.
    """

    measure: Measure
    runs: Selected
    _: KW_ONLY
    exact: bool = False

    compute = "seven_terms.statistics.estimates:proportion"

    def in_words(self, say: Wording) -> str:
        how = _share_interval("Wilson", exact=self.exact)
        return f"share of runs with {say.measure(self.measure)}, {say.runs(self.runs)}; {how}"


@checked(kw_only=False)
class ProportionDifference(Estimate):
    """Difference of two shares, Newcombe's hybrid score interval; seeds and `exact` as for `Proportion`."""

    measure: Measure
    runs: Selected
    baseline: Selected
    _: KW_ONLY
    exact: bool = False

    compute = "seven_terms.statistics.estimates:proportion_difference"

    def in_words(self, say: Wording) -> str:
        versus = f"{say.runs(self.runs)} minus {say.runs(self.baseline)}"
        how = _share_interval("Newcombe", exact=self.exact)
        return f"share of runs with {say.measure(self.measure)}, {versus}; {how}"


@checked(kw_only=False)
class Slope(Estimate):
    """Per seed, the least-squares slope of the measure over a sweep value; mean over seeds, Student t.

    `log_x`, `log_y`: slopes on logarithms, so an exponent. `over` names a sweep value or an arm -> number mapping.
    `best`: per seed and per value of `over`, first take the runs at the selected other sweep values; with
    `argbest="learning_rate"` the y is the value that is best for the mean over seeds, interpolated by a parabola over its
    logarithm, so the slope is that of the optimum; its error is that of the jackknife over seeds. With `crosses` it is, per
    seed, the value of that setting up to which the measure is at least this level, interpolated between grid points on the
    setting's logarithm: the depth, length or rate up to which something works, finer than the grid.
    """

    measure: Measure | None
    _: KW_ONLY
    over: Line
    runs: Annotated[tuple[Selected, ...], Sized(least=1)]
    log_x: bool = True
    log_y: bool = True
    argbest: str | None = None
    crosses: float | None = None

    def __post_init__(self) -> None:
        alone = self.argbest is not None and self.crosses is None
        must = "measure may be None only with argbest, whose best setting is then on the selection's metric"
        require(self.measure is not None or alone, what="Slope", must=must, got=(self.argbest, self.crosses))

    compute = "seven_terms.statistics.optima:slope"

    def in_words(self, say: Wording) -> str:
        x, y = (("the logarithm of " if log else "") for log in (self.log_x, self.log_y))
        among = ", ".join(say.runs(some) for some in self.runs)
        over, how = f"over {x}{_words(self.over)}", "per seed"
        if self.argbest is not None and self.crosses is None:
            how = "for the mean over seeds, interpolated, jackknife"
        return f"slope of {y}{self._what(say)} {over} {how}, {among}; Student's t"

    def _what(self, say: Wording) -> str:
        measure = "" if self.measure is None else say.measure(self.measure)
        if self.argbest is None:
            return measure
        if self.crosses is None:
            return f"{_words(self.argbest)} that is best"
        return f"{_words(self.argbest)} up to which {measure} is at least {self.crosses:g}"

    @property
    def settings(self) -> tuple[str, ...]:
        return (self.over, *([self.argbest] if self.argbest else []))

    @property
    def chooses(self) -> bool:
        return self.argbest is not None


@checked(kw_only=False)
class BestSetting(Estimate):
    """The value of a sweep at which the measure is best, or its ratio to the baseline's; Student t on logarithms.

    Best is the mean over seeds, interpolated by a parabola over the value's logarithm; the error is that of the jackknife.
    `largest_reached`: instead, per seed, the largest value whose measure is 1 (e.g. largest rate that does not diverge),
    which lies between that point of the grid and the next. A best value at the edge of the grid is a bound, so the interval
    is open on that side. `exact`: free of chance, so that seeds are starts: all lie in what the grid resolves.
    """

    measure: Measure
    setting: Line
    runs: Selected
    _: KW_ONLY
    which: Literal["min", "max", "largest_reached"] = "min"
    baseline: Selected | None = None
    baseline_which: Literal["min", "max", "largest_reached"] | None = None
    baseline_measure: Measure | None = None
    exact: bool = False

    compute = "seven_terms.statistics.optima:best_setting"

    def in_words(self, say: Wording) -> str:
        kind = "largest" if self.which == "largest_reached" else "best"
        against = f" over that of {say.runs(self.baseline)}" if self.baseline else ""
        what = f"{kind} {_words(self.setting)} by {say.measure(self.measure)}, {say.runs(self.runs)}{against}"
        if self.exact:
            return f"{what}; free of chance, so without interval"
        how = "geometric mean over seeds" if kind == "largest" else "for the mean over seeds, interpolated, jackknife"
        return f"{what}; {how}, Student's t on logarithms"

    @property
    def settings(self) -> tuple[str, ...]:
        return (self.setting,)


@checked(kw_only=False)
class Correlation(Estimate):
    """Spearman rank correlation of two measures: over runs of one seed each, Fisher interval; else per seed, Student t.

    `exact`: the runs are a grid free of chance, so that there is no interval.
    """

    first: Measure
    second: Measure
    runs: Annotated[tuple[Selected, ...], Sized(least=1)]
    _: KW_ONLY
    exact: bool = False

    compute = "seven_terms.statistics.estimates:correlation"

    def in_words(self, say: Wording) -> str:
        how = "free of chance, so without interval" if self.exact else "Fisher's interval"
        return f"Spearman's rank correlation of {say.measure(self.first)} and {say.measure(self.second)}; {how}"


@checked(kw_only=False)
class WorstDeviation(Estimate):
    """Largest |measured / expected - 1| (or difference if `absolute`) over the runs: for statements that are exact.

    `expected`: a number, a `Measure`, or the name of a function in `seven_terms.statistics.theory` that is given the
    run's record. Several measures are compared with the same expectation. No interval: low = high = effect.
    `mean_over_seeds`: the mean over seeds at each setting is compared instead of each run, for statements about averages;
    the worst of them has an interval over seeds that holds for all at once.
    """

    measure: Measure | Annotated[tuple[Measure, ...], Sized(least=1)]
    expected: float | Measure | str
    runs: Annotated[tuple[Selected, ...], Sized(least=1)]
    _: KW_ONLY
    absolute: bool = False
    mean_over_seeds: bool = False

    compute = "seven_terms.statistics.estimates:worst_deviation"

    def in_words(self, say: Wording) -> str:
        kind = "absolute" if self.absolute else "relative"
        measures = self.measure if isinstance(self.measure, tuple) else (self.measure,)
        what = " and ".join(say.measure(one) for one in measures)
        if self.mean_over_seeds:
            how = "mean over seeds at each setting, Student's t for all of them at once"
            return f"largest {kind} deviation of {what} from what theory says; {how}"
        return f"largest {kind} deviation of {what} from what theory says; exact, so without interval"


@checked
class Regret(Estimate):
    """What a cheap way to pick a setting costs: measure at the picked value minus measure at the best value of a grid.

    Per seed, `picked` is read from the one run of `picks` and the nearest value of the grid (on logarithms) is taken; the
    best value is selected as everywhere, over all seeds. Mean difference over seeds, Student t; diverged runs as for
    `PairedDifference`. A pick outside the grid makes the interval open towards more regret.
    """

    measure: Measure
    setting: Line
    picked: Measure
    picks: Selected
    runs: Selected

    compute = "seven_terms.statistics.regret:regret"

    def in_words(self, say: Wording) -> str:
        pick = f"the {_words(self.setting)} nearest to the {say.measure(self.picked)} of {say.runs(self.picks)}"
        against = f"{say.runs(self.runs)} at {pick} minus at the best of the grid"
        return f"{say.measure(self.measure)}, {against}; mean difference over seeds, paired t"

    @property
    def settings(self) -> tuple[str, ...]:
        return (self.setting,)

    @property
    def chooses(self) -> bool:
        return True


def _words(name: str) -> str:
    return name.replace("_", " ")


def _paired(what: str, *, exact: bool, scale: str = "") -> str:
    return "free of chance, so without interval" if exact else f"{what} over shared seeds, paired t{scale}"


def _share_interval(whose: str, *, exact: bool) -> str:
    return "free of chance, so without interval" if exact else f"{whose}'s interval, seeds as units"
