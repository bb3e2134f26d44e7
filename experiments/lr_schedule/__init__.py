"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import budgets, noisy_quadratic, one_cycle, warmup

QUESTIONS = (budgets.experiment, noisy_quadratic.experiment, warmup.experiment, one_cycle.experiment)
