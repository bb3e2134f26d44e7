"""The scales of the suite: the only knob outside the experiments."""

from typing import Literal

Scale = Literal["smoke", "laptop", "paper"]
SCALES: tuple[Scale, ...] = ("smoke", "laptop", "paper")
