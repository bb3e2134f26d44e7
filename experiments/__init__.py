"""The paper's questions, in the paper's order. Each entry is one frozen Experiment; nothing here runs anything."""

from seven_terms.spec import Experiment, require_unique

from . import (
    batch_norm,
    exploding_gradient,
    gradient_clipping,
    learning_rate,
    lr_decay,
    lr_schedule,
    vanishing_gradient,
)

EXPERIMENTS: tuple[Experiment, ...] = (
    *learning_rate.QUESTIONS,
    *lr_schedule.QUESTIONS,
    *lr_decay.QUESTIONS,
    *vanishing_gradient.QUESTIONS,
    *exploding_gradient.QUESTIONS,
    *batch_norm.QUESTIONS,
    *gradient_clipping.QUESTIONS,
)

require_unique("experiments", "names", (experiment.path for experiment in EXPERIMENTS))
require_unique("experiments", "claims", (claim.key for experiment in EXPERIMENTS for claim in experiment.claims))
