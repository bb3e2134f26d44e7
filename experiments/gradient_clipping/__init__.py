"""One file per question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from seven_terms.spec import questions

QUESTIONS = questions(
    __name__,
    "temporal_order",
    "temporal_order_2013",
    "largest_rate",
    "bounds",
    "value_against_norm",
    "power_function",
    "without_explosion",
    "adaptive",
    "bias",
    "heavy_tails",
    "in_lightning",
    "polyphonic_music",
)
