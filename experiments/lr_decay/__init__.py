"""One file per question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from seven_terms.spec import questions

QUESTIONS = questions(__name__, "noise_floor", "inverse_time", "step_drop", "batch_growth_quadratic", "batch_growth")
