"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import (
    adding,
    cures,
    degradation,
    depth_scale,
    early_layers,
    gradient_by_lag,
    gradient_by_layer,
    jacobian_product,
    rectifiers,
    shattering,
)

QUESTIONS = (
    gradient_by_layer.experiment,
    jacobian_product.experiment,
    rectifiers.experiment,
    depth_scale.experiment,
    early_layers.experiment,
    cures.experiment,
    degradation.experiment,
    shattering.experiment,
    gradient_by_lag.experiment,
    adding.experiment,
)
