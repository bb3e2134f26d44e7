"""One file per question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from seven_terms.spec import questions

QUESTIONS = questions(
    __name__,
    "budgets",
    "averaging",
    "noisy_quadratic",
    "final_rate_exact",
    "final_rate",
    "warmup",
    "one_cycle",
    "recipe",
)
