"""One file per question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from seven_terms.spec import questions

QUESTIONS = questions(
    __name__,
    "mnist_2015",
    "speedup",
    "sigmoid_longer",
    "layer_outputs",
    "placement",
    "parts",
    "gain_and_shift",
    "batch_size",
    "devices",
    "running_statistics",
    "internal_shift",
    "weight_decay",
)
