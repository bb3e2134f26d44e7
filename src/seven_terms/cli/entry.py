"""Where the console command begins: a verb runs in a fork of the warm server where there is one, otherwise here."""

from __future__ import annotations

import sys

from .. import TYPE_CHECKING
from ..running.calls import end_with_call
from ..running.warm import run_warm

if TYPE_CHECKING:
    from collections.abc import Sequence

WARM_VERBS = (
    "warm-up",
    "train",
    "runs",
    "summarize",
    "verdicts",
    "power",
    "compare",
    "figure",
    "key-figure",
    "summary-page",
    "speed-figure",
    "page",
    "report",
    "show",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit status; one that is sent to the server needs none of the verbs' imports."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    end_with_call()
    status = run_warm(words) if words and words[0] in WARM_VERBS and "--help" not in words else None
    if status is not None:
        return status
    from .verbs import run

    return run(words)
