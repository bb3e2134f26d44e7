"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import (
    batch_size,
    devices,
    internal_shift,
    layer_outputs,
    mnist_2015,
    parts,
    placement,
    running_statistics,
    speedup,
)

QUESTIONS = (
    mnist_2015.experiment,
    speedup.experiment,
    layer_outputs.experiment,
    placement.experiment,
    parts.experiment,
    batch_size.experiment,
    devices.experiment,
    running_statistics.experiment,
    internal_shift.experiment,
)
