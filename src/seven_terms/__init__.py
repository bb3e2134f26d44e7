"""Seven Terms: a measured companion to seven words nobody in machine learning can avoid."""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, whose import takes as long as all else that a client of the warm server does

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .analysis import Results

__version__ = "0.1.0"


def load(results: str | Path, *, only: str | Iterable[str] = ()) -> Results:
    """Return the results in a folder as tidy frames: `runs`, `metrics`, `summary`, `claims`, and what their columns mean.

    `results` is a folder such as "results/laptop", or "results/published/laptop", which holds no single runs. `only` names
    experiments, "<term>/<name>", or whole terms. Nothing is read before it is asked for, and nothing imports torch.
    """
    from .analysis import load as read

    return read(results, only=only)
