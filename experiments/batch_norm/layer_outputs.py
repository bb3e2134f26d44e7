"""Is a layer's output normalized, before as well as after the activation? In float64, to rounding."""

from seven_terms.spec import *

BEFORE = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=4, width=32, activation="tanh", normalization=BatchNorm()),
    initialization=Initialization(kind="glorot"),
    optimizer=Sgd(learning_rate=0.3),
    num_steps=100,
    batch_size=64,
    precision="float64",
)
AFTER = BEFORE.but({"model.placement": "after"})
STAGE_ONE = AFTER.but({"model.normalization": BatchNorm(affine=False)})
ARMS = {
    "before": ("before the activation", BEFORE),
    "after": ("after the activation", AFTER),
    "stage_one": ("after, without gain and shift", STAGE_ONE),
}

arms = by_name(Arm(name=name, label=label, training=training) for name, (label, training) in ARMS.items())
before, after, stage_one = arms.values()
everywhere = all_runs(*arms.values())


def at_start(metric: str) -> Over:
    return Over(metric, "max", stop=0.0)


def over_training(title: str, metric: str, y_label: str) -> Panel:
    return curve(title, metric, everywhere, index=None, y_label=y_label, log_y=True)


experiment = Experiment.here(
    __name__,
    title="What a layer hands on",
    question="Is the output of a layer normalized in either place?",
    method="Four layers of 32 tanh units on digits of 7 x 7 pixels, batches of 64, in double precision. Over each training "
    "batch, the mean of every feature that a layer hands to the next and the distance of its standard deviation from "
    "one are averaged over the layer. Three networks: normalization before the activation, after it, and after it "
    "without the learned gain and shift.",
    arms=tuple(arms.values()),
    num_seeds=4,
    probes=(
        NormalizedOutputs(steps=Steps(count=20)),
        Evaluate(steps=Steps(count=1), splits=("validation", "test"), num_examples=500),
    ),
    noise_floor=before,
    claims=(
        Claim(
            id="BN4",
            form="mean",
            statement="Stage one gives every feature mean 0 over the batch.",
            source="article; Ioffe and Szegedy 2015, algorithm 1",
            estimate=WorstDeviation(
                measure=Over("layer_output_mean_abs", "max"), expected=0.0, runs=(stage_one.at(),), absolute=True
            ),
            rule=Below(1e-12),
            unit="largest mean over a layer",
            because="double precision leaves some 1e-16 on numbers of order 1: 1e-12 allows for a batch's rounding",
        ),
        Claim(
            id="BN4",
            form="standard deviation",
            statement="Stage one gives every feature standard deviation 1 over the batch, up to eps.",
            source="article; Ioffe and Szegedy 2015, algorithm 1",
            estimate=WorstDeviation(
                measure=Over("layer_output_std_error", "max"), expected=0.0, runs=(stage_one.at(),), absolute=True
            ),
            rule=Below(1e-3),
            unit="largest distance from 1",
            because="eps = 1e-5 takes eps / (2 variance) away, which is 1e-3 for a feature of variance 0.005",
        ),
        Claim(
            id="BN3",
            form="fair",
            statement="Placed after the activation, it hands on normalized outputs, as long as gain and shift are unlearned.",
            source="algebra",
            estimate=WorstDeviation(
                measure=at_start("layer_output_std_error"), expected=0.0, runs=(after.at(),), absolute=True
            ),
            rule=Below(1e-3),
            unit="largest distance of the standard deviation from 1",
            because="gain 1 and shift 0 change nothing, so that only eps is left",
        ),
        Claim(
            id="BN3",
            form="as said",
            statement="Placed before the activation, it makes the layer's output normalized as well.",
            source="article",
            estimate=Mean(measure=at_start("layer_output_std_error"), runs=before.at()),
            rule=Below(0.05),
            unit="largest distance of the standard deviation from 1",
            because="a standard deviation within 5 % of one, before anything is learned, would pass for normalized",
        ),
    ),
    figures=(
        Figure(
            name="outputs",
            key=1,
            caption=(
                "Mean and standard deviation over the batch of what layers hand on, averaged over features and layers, by "
                "the place of the normalization."
            ),
            panels=(
                over_training("Mean", "layer_output_mean_abs", "size of the mean"),
                over_training("Standard deviation", "layer_output_std_error", "distance from 1"),
            ),
        ),
    ),
    scales={"smoke": Changes(num_seeds=2, training={"num_steps": 20})},
)
