"""Which end of a panel's lines is the better one, so that figures mark it and captions say so."""

from __future__ import annotations

from .experiment import Experiment
from .figures import Panel, SweepCurve
from .measures import Last
from .metrics import Direction, direction_of


def best_of(experiment: Experiment, panel: Panel) -> Direction:
    """Return which end of a panel's lines is the best one: of a metric that has a better end, over the learning rate."""
    content = panel.content
    if not isinstance(content, SweepCurve) or content.over.rpartition(".")[2] != "learning_rate":
        return "none"
    return direction_of(experiment, content.measure.metric) if isinstance(content.measure, Last) else "none"
