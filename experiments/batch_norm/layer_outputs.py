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

arms = by_name(Arm(name, training, label=label) for name, (label, training) in ARMS.items())
before, after, stage_one = arms.values()
everywhere = all_runs(*arms.values())


def at_start(metric: str) -> Over:
    return Over(metric, "max", stop=0.0)


def over_training(title: str, metric: str, y_label: str) -> Panel:
    return curve(title, metric, everywhere, index=None).axes(y=y_label, log="y")


experiment = Experiment.here(
    __name__,
    title="What a layer hands on",
    question="Is the output of a layer normalized in either place?",
    method="Four layers of 32 tanh units on digits of 7 x 7 pixels, batches of 64, in double precision. Over each training "
    "batch, the mean of every feature that a layer hands to the next and the distance of its standard deviation from "
    "one are averaged over the layer. Three networks: normalization before the activation, after it, and after it "
    "without the learned gain and shift.",
    arms=arms,
    num_seeds=4,
    probes=(
        NormalizedOutputs(steps=Steps(count=20)),
        Evaluate(steps=Steps(count=1), splits=("validation", "test"), num_examples=500),
    ),
    noise_floor=before,
    claims=(
        claim(
            "BN4 (mean)",
            "Stage one gives every feature mean 0 over the batch.",
            WorstDeviation(Over("layer_output_mean_abs", "max"), 0.0, (stage_one.at(),), absolute=True).below(1e-12),
            source="article; Ioffe and Szegedy 2015, algorithm 1",
            unit="size of the mean, averaged over a layer's features, of the layer where it is largest",
            because="double precision leaves some 1e-16 on numbers of order 1: 1e-12 allows for a batch's rounding",
        ),
        claim(
            "BN4 (standard deviation)",
            "Stage one gives every feature standard deviation 1 over the batch, up to eps.",
            WorstDeviation(Over("layer_output_std_error", "max"), 0.0, (stage_one.at(),), absolute=True).below(1e-3),
            source="article; Ioffe and Szegedy 2015, algorithm 1",
            unit="distance from 1, averaged over a layer's features, of the layer where it is largest",
            because="eps = 1e-5 takes eps / (2 variance) away, which is 1e-3 for a feature of variance 0.005",
        ),
        claim(
            "BN3 (fair)",
            "Placed after the activation, it hands on normalized outputs, as long as gain and shift are unlearned.",
            WorstDeviation(at_start("layer_output_std_error"), 0.0, (after.at(),), absolute=True).below(1e-3),
            source="algebra",
            unit="distance of the standard deviation from 1, averaged over a layer's features, of the layer where it is largest",
            because="gain 1 and shift 0 change nothing, so that only eps is left",
        ),
        claim(
            "BN3 (as said)",
            "Placed before the activation, it makes the layer's output normalized as well.",
            Mean(at_start("layer_output_std_error"), before.at()).below(0.05),
            source="article",
            unit="distance of the standard deviation from 1, averaged over a layer's features, of the layer where it is largest",
            because="a standard deviation within 5 % of one, before anything is learned, would pass for normalized",
        ),
    ),
    figures=figure(
        "outputs",
        "Mean and standard deviation over the batch of what layers hand on, averaged over features and layers, by "
        "the place of the normalization.",
        over_training("Mean", "layer_output_mean_abs", "size of the mean"),
        over_training("Standard deviation", "layer_output_std_error", "distance from 1"),
        key=1,
    ),
    smoke=Changes({"num_steps": 20}, num_seeds=2),
)
