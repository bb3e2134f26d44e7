"""One file per question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from seven_terms.spec import questions

QUESTIONS = questions(
    __name__,
    "gain_and_depth",
    "spectral_radius",
    "memory",
    "cliff",
    "spikes",
    "overshooting",
    "batch_norm_growth",
    "regression",
)
