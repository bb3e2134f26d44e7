"""One file per question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from seven_terms.spec import questions

QUESTIONS = questions(
    __name__,
    "gradient_by_layer",
    "jacobian_product",
    "rectifiers",
    "depth_scale",
    "early_layers",
    "cures",
    "longer",
    "degradation",
    "shattering",
    "gradient_by_lag",
    "adding",
)
