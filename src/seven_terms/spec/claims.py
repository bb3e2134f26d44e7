"""Claims: a statement, what is measured for it, and the rule that decides, written before the runs.

A claim = an `Estimate` (one number with a 95 % interval) + a `Rule` (which numbers agree with the statement). Verdict:
`supported` when the whole interval satisfies the rule, `refuted` when the whole interval violates it, `inconclusive`
otherwise. With a `condition` what would be `supported` is `conditional`: supported under that stated condition, which is
printed.

    Measure   one run  -> a number             Last("test_loss"), StepsTo("test_accuracy", above=0.9)
    Estimate  many runs -> number + interval   PairedDifference(Last(...), arm="a", baseline="b")
    Rule      interval -> verdict              Above(0), Within(0.9, 1.1)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, get_args

from .checked import checked
from .checks import require
from .limits import Line, Matches, Positive, Sized
from .measures import Measure
from .scales import SCALES, Scale

# ---- estimates: number + 95 % interval over runs ---------------------------------------------------------------------


@checked(kw_only=False)
class Ranked:
    """A swept value by its rank among those of the arm, 0 the smallest and -1 the largest: so each scale has its own."""

    position: int


EVERY = ("*",)  # `best` of `Arm.best()` until the experiment, which knows the sweep, names the settings


@checked(kw_only=False)
class Selected:
    """Which runs of an arm count.

    `where` fixes sweep values by name, each a value or a `Ranked`; `best` names the sweep values that are then chosen by
    the experiment's selection metric on validation data (mean over seeds), the same grid for each arm. `best_of` takes
    the values that were best for another arm instead: equal rates, or `times` as large (the linear scaling rule).
    `given` keeps, of the runs so named, those of which this 0/1 measure is 1: what is said of runs that began to learn.
    """

    arm: Line
    where: Mapping[str, Any] = field(default_factory=dict)
    best: Annotated[tuple[str, ...], Sized(unique=True)] = ()
    best_of: str | None = None
    times: Positive = 1.0
    given: Measure | None = None

    def __post_init__(self) -> None:
        what, both = f"Selected({self.arm!r})", sorted({*self.where} & {*self.best})
        require(not both, what=what, must="a setting must be fixed in `where` or chosen in `best`, not both", got=both)
        alone = self.times == 1.0 or self.best_of is not None
        require(alone, what=what, must="times must be 1 without best_of", got=self.times, do="name the arm in best_of")


@checked
class Mean:
    """Mean over seeds, Student t. `log`: geometric mean."""

    measure: Measure
    runs: Selected
    log: bool = False


@checked
class Median:
    """Median over seeds with the interval of the sign test, which bears seeds without a value: they may lie anywhere."""

    measure: Measure
    runs: Selected


@checked
class PairedDifference:
    """Mean over shared seeds of measure(runs) - measure(baseline), Student t.

    A diverged run counts as the worst finite value of the runs compared, and the interval is open on the side where the
    true difference lies. `exact`: the runs are free of chance, so that one seed says all and there is no interval.
    """

    measure: Measure
    runs: Selected
    baseline: Selected
    exact: bool = False


@checked
class PairedRatio:
    """Geometric mean over shared seeds of measure(runs) / measure(baseline), Student t on logs.

    Of steps to a target it is the ratio of mean times, restricted to the shorter budget: a miss counts as the budget, a time
    lies between the look that found it and the one before, and the interval holds both ends. `exact` as for
    `PairedDifference`.
    """

    measure: Measure
    runs: Selected
    baseline: Selected
    exact: bool = False


@checked
class Proportion:
    """Share of runs whose 0/1 measure is 1, Wilson interval; several runs of a seed count for what they are worth.

    `exact`: the runs are a grid free of chance, so that there is no interval.
    """

    measure: Measure
    runs: Selected
    exact: bool = False


@checked
class ProportionDifference:
    """Difference of two shares, Newcombe's hybrid score interval; seeds and `exact` as for `Proportion`."""

    measure: Measure
    runs: Selected
    baseline: Selected
    exact: bool = False


@checked
class Slope:
    """Per seed, the least-squares slope of the measure over a sweep value; mean over seeds, Student t.

    `log_x`, `log_y`: slopes on logarithms, so an exponent. `over` names a sweep value or an arm -> number mapping.
    `best`: per seed and per value of `over`, first take the runs at the selected other sweep values; with
    `argbest="learning_rate"` the y is the value that is best for the mean over seeds, interpolated by a parabola over its
    logarithm, so the slope is that of the optimum; its error is that of the jackknife over seeds. With `crosses` it is, per
    seed, the value of that setting up to which the measure is at least this level, interpolated between grid points on the
    setting's logarithm: the depth, length or rate up to which something works, finer than the grid.
    """

    measure: Measure | None
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


@checked
class BestSetting:
    """The value of a sweep at which the measure is best, or its ratio to the baseline's; Student t on logarithms.

    Best is the mean over seeds, interpolated by a parabola over the value's logarithm; the error is that of the jackknife.
    `largest_reached`: instead, per seed, the largest value whose measure is 1 (e.g. largest rate that does not diverge),
    which lies between that point of the grid and the next. A best value at the edge of the grid is a bound, so the interval
    is open on that side. `exact`: free of chance, so that seeds are starts: all lie in what the grid resolves.
    """

    measure: Measure
    setting: Line
    runs: Selected
    mode: Literal["min", "max", "largest_reached"] = "min"
    baseline: Selected | None = None
    baseline_mode: Literal["min", "max", "largest_reached"] | None = None
    baseline_measure: Measure | None = None
    exact: bool = False


@checked
class Correlation:
    """Spearman rank correlation of two measures: over runs of one seed each, Fisher interval; else per seed, Student t.

    `exact`: the runs are a grid free of chance, so that there is no interval.
    """

    first: Measure
    second: Measure
    runs: Annotated[tuple[Selected, ...], Sized(least=1)]
    exact: bool = False


@checked
class WorstDeviation:
    """Largest |measured / expected - 1| (or difference if `absolute`) over the runs: for statements that are exact.

    `expected`: a number, a `Measure`, or the name of a function in `seven_terms.statistics.theory` that is given the
    run's record. `mean_over_seeds`: each selection's mean is compared instead of each run, for statements about averages.
    Several measures are compared with the same expectation. No interval: low = high = effect.
    """

    measure: Measure | Annotated[tuple[Measure, ...], Sized(least=1)]
    expected: float | Measure | str
    runs: Annotated[tuple[Selected, ...], Sized(least=1)]
    absolute: bool = False
    mean_over_seeds: bool = False


@checked
class Regret:
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


Estimate = (
    Mean
    | Median
    | PairedDifference
    | PairedRatio
    | Proportion
    | ProportionDifference
    | Slope
    | BestSetting
    | Correlation
    | WorstDeviation
    | Regret
)

# ---- rules -----------------------------------------------------------------------------------------------------------


@checked(kw_only=False)
class Above:
    threshold: float


@checked(kw_only=False)
class Below:
    threshold: float


@checked(kw_only=False)
class Within:
    low: float
    high: float

    def __post_init__(self) -> None:
        require(self.low < self.high, what="Within", must="low must be < high", got=(self.low, self.high))


Rule = Above | Below | Within

Verdict = Literal["supported", "conditional", "refuted", "inconclusive"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

Form = str  # "", or "as said" and "fair" for a doubtful statement, or which part of the statement is tested


@checked
class Claim:
    """One test of one statement of the list of claims.

    `id` is the stable id ("BN1", "B-SC2"); a doubtful statement is tested twice, `form` "as said" and "fair", and one
    of several parts once for each, `form` naming the part. `expects` is the literature's expectation in words,
    `because` why this estimate and this threshold decide the statement.
    """

    id: Line
    statement: Line
    source: Line
    estimate: Estimate
    rule: Rule
    unit: Line
    because: Annotated[str, Matches(r"(?s).*\S.*", "say why the rule decides")]
    form: Form = ""
    condition: str = ""
    scales: Annotated[tuple[Scale, ...], Sized(least=1, unique=True)] = SCALES

    @property
    def key(self) -> str:
        """The id with its form, unique over all experiments: "B-SC2 (fair)"."""
        return f"{self.id} ({self.form})" if self.form else self.id
