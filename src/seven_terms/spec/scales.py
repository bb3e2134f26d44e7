"""The scales of the suite: the only knob outside the experiments. `laptop` is an experiment as written."""

from typing import Literal

Scale = Literal["smoke", "laptop", "full", "paper"]
SCALES: tuple[Scale, ...] = ("smoke", "laptop", "full", "paper")
