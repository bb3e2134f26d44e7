"""One file per question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from seven_terms.spec import questions

QUESTIONS = questions(
    __name__,
    "update_size",
    "quadratics",
    "rate_sweep",
    "range_test",
    "edge_of_stability",
    "edge_of_networks",
    "batch_sharpness",
    "adam_edge",
    "catapult",
    "batch_scaling",
    "width",
    "width_longer",
    "early_curvature",
)
