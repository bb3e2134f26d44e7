"""The scales of the suite: the only knob outside the experiments. `laptop` is an experiment as written."""

from typing import Literal

Scale = Literal["smoke", "laptop", "full", "paper"]
REPORTED: Scale = "full"  # the scale that the paper's text speaks of and the README shows; others are put beside it
SCALES: tuple[Scale, ...] = ("smoke", "laptop", "full", "paper")
