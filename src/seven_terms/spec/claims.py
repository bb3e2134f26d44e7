"""Claims: a statement, what is measured for it, and the rule that decides, written before the runs.

A claim = an `Estimate` (one number with a 95 % interval) + a `Rule` (which numbers agree with the statement). Verdict:
`supported` when the whole interval satisfies the rule, `refuted` when the whole interval violates it, `inconclusive`
otherwise. With a `condition` what would be `supported` is `conditional`: supported under that stated condition, which is
printed.

    Measure   one run  -> a number             Last("test_loss"), StepsTo("test_accuracy", above=0.9)
    Estimate  many runs -> number + interval   PairedDifference(Last("test_loss"), a.best(), b.best())
    Rule      interval -> verdict              Above(0.0), Within(0.9, 1.1)

An experiment writes `claim(key, statement, estimate.above(0.0), ...)`; see `vocabulary`.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from .checked import checked
from .estimates import Estimate
from .limits import Line, Matches, Sized
from .rules import Rule
from .scales import SCALES, Scale

Verdict = Literal["supported", "conditional", "refuted", "inconclusive"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

Form = str  # "", or "as said" and "fair" for a doubtful statement, or which part of the statement is tested


@checked
class Claim:
    """One test of one statement of the list of claims.

    `id` is the stable id ("BN1", "B-SC2"); a doubtful statement is tested twice, `form` "as said" and "fair", and one
    of several parts once for each, `form` naming the part. `because` says why this estimate and this threshold decide
    the statement.
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
