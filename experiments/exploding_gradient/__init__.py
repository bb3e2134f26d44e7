"""One file a question, each with one frozen Experiment called `experiment`; `QUESTIONS` lists them in the paper's order."""

from . import batch_norm_growth, cliff, gain_and_depth, overshooting, regression, spectral_radius, spikes

QUESTIONS = (
    gain_and_depth.experiment,
    spectral_radius.experiment,
    cliff.experiment,
    spikes.experiment,
    overshooting.experiment,
    batch_norm_growth.experiment,
    regression.experiment,
)
