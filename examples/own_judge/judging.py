"""An own estimate and an own rule: a class each, with the function that computes it. numpy is imported inside."""

from typing import Any

from seven_terms.spec import Estimate, Measure, Rule, Selected, checked
from seven_terms.spec.limits import Positive


@checked
class PairedMedian(Estimate):
    """Median over seeds of measure(runs) - measure(baseline), interval of the sign test: no seed weighs more than one."""

    measure: Measure
    runs: Selected
    baseline: Selected

    compute = "own_judge.judging:paired_median"

    def in_words(self, say: Any) -> str:
        versus = f"{say.runs(self.runs)} minus {say.runs(self.baseline)}"
        return f"{say.measure(self.measure)}, {versus}; median difference over shared seeds, sign test"


def paired_median(kind: PairedMedian, results: Any) -> Any:
    from seven_terms.statistics.samples import sample_of
    from seven_terms.statistics.selection import evaluate, select

    groups = [select(kind.runs, results), select(kind.baseline, results)]
    values = evaluate(kind.measure, results)
    first, second = (
        values.iloc[group.positions].groupby([results.runs[i].seed for i in group.positions]).mean() for group in groups
    )
    return sample_of("median", value=(first - second).dropna().to_numpy()), groups, []


@checked(kw_only=False)
class Negligible(Rule):
    """Too small to matter: within `margin` of zero, a margin that is written before the runs."""

    margin: Positive

    @property
    def limits(self) -> tuple[float, float]:
        return -self.margin, self.margin
