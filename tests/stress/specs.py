"""Bad experiments: every field of every kind set to every bad value, and pairs; some of what is accepted is trained."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..spec import test_fuzz as fuzz
from .outcomes import Trial

WORDS = {"clear": "refused in a sentence", "accepted": "planned or trained"}


def trials(*, pairs: int = 40, until: float, training_until: float) -> Iterator[Trial]:
    for kind in fuzz.kinds():
        for attack, cases in (
            ("bad value", fuzz.cases(kind)),
            ("contradiction", fuzz.contradictions(kind, number=pairs)),
        ):
            for case, build in cases:
                if time.monotonic() > until:
                    return
                found, plan = fuzz.outcome_of(build)
                yield Trial(f"{attack} in an experiment", "planning", _outcome(found), f"{case}: {found}")
                if (
                    plan is not None
                    and time.monotonic() < training_until
                    and fuzz.trained_kind(kind)
                    and fuzz.trains(plan)
                ):
                    found = fuzz.after_training(plan)
                    yield Trial(f"{attack} in an experiment", "training", _outcome(found), f"{case}: {found}")


def _outcome(found: str) -> str:
    return WORDS.get(found) or ("no end" if found == "no end" else "traceback")
