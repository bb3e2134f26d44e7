"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import budgets, final_rate, final_rate_exact, noisy_quadratic, one_cycle, recipe, warmup

QUESTIONS = (
    budgets.experiment,
    noisy_quadratic.experiment,
    final_rate_exact.experiment,
    final_rate.experiment,
    warmup.experiment,
    one_cycle.experiment,
    recipe.experiment,
)
