"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import (
    adam_edge,
    batch_scaling,
    catapult,
    early_curvature,
    edge_of_networks,
    edge_of_stability,
    quadratics,
    range_test,
    rate_sweep,
    update_size,
    width,
)

QUESTIONS = (
    update_size.experiment,
    quadratics.experiment,
    rate_sweep.experiment,
    range_test.experiment,
    edge_of_stability.experiment,
    edge_of_networks.experiment,
    adam_edge.experiment,
    catapult.experiment,
    batch_scaling.experiment,
    width.experiment,
    early_curvature.experiment,
)
