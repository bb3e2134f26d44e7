"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import batch_growth, batch_growth_quadratic, inverse_time, noise_floor, step_drop

QUESTIONS = (
    noise_floor.experiment,
    inverse_time.experiment,
    step_drop.experiment,
    batch_growth_quadratic.experiment,
    batch_growth.experiment,
)
