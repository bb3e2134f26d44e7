"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import (
    adaptive,
    bias,
    bounds,
    heavy_tails,
    in_lightning,
    largest_rate,
    polyphonic_music,
    power_function,
    temporal_order,
    temporal_order_2013,
    value_against_norm,
    without_explosion,
)

QUESTIONS = (
    temporal_order.experiment,
    temporal_order_2013.experiment,
    largest_rate.experiment,
    bounds.experiment,
    value_against_norm.experiment,
    power_function.experiment,
    without_explosion.experiment,
    adaptive.experiment,
    bias.experiment,
    heavy_tails.experiment,
    in_lightning.experiment,
    polyphonic_music.experiment,
)
