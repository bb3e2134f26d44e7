"""Does batch normalization work by steadying the inputs of layers, or by smoothing the loss? Santurkar et al. 2018.

Loss range and gradient change are measured at steps that are multiples of the gradient, as in the paper. Batch
normalization also rescales gradients, so the fair number is the change relative to the gradient's own length.
"""

from seven_terms.spec import *

PLAIN = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=5, width=48, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=300,
    batch_size=32,
)
plain = Arm(name="plain", label="plain", training=PLAIN)
batch_norm = Arm(name="batch_norm", label="batch norm", training=PLAIN.but({"model.normalization": BatchNorm()}))
noisy = Arm(name="noisy", label="noisy batch norm", training=PLAIN.but({"model.normalization": BatchNorm(noisy=True)}))
ARMS = (plain, batch_norm, noisy)
VGG = Cnn(channels=(64, 64, 128, 128, 256, 256), strides=(1, 2, 1, 2, 1, 2))


def of_plain(measure: Measure) -> PairedRatio:
    """Batch norm over plain, both at the rate that is best for the plain network."""
    return PairedRatio(measure=measure, runs=batch_norm.at_best_of(plain), baseline=plain.best())


def at_the_plain_rate(title: str, metric: str, *, index: int | None, y_label: str) -> Panel:
    runs = {arm.label: arm.at_best_of(plain) for arm in ARMS}
    return curve(title, metric, runs, index=index, y_label=y_label, log_y=True)


experiment = Experiment.here(
    __name__,
    title="Internal covariate shift and smoothness",
    question="Does batch normalization help because it steadies the inputs of layers, or because it smooths the loss?",
    method="Five layers of 48 ReLU units on digits of 7 x 7 pixels, batches of 32, 300 steps of plain SGD. Noisy batch norm "
    "stretches and shifts every normalized unit at random, anew at every step. Internal covariate shift is the change "
    "of a layer's gradient when the layers below make their update, relative to its length; the loss and its gradient "
    "are followed along the batch gradient. These are compared at the rate that is best for the plain network, "
    "accuracies at each network's own best rate.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.05, 0.15, 0.5, 1.5)},
    num_seeds=16,
    probes=(
        Evaluate(steps=Steps(), splits=("validation", "test")),
        CovariateShift(steps=Steps(count=6, last=False)),
        LossAlongGradient(steps=Steps(count=6)),
    ),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=batch_norm.at({"optimizer.learning_rate": 0.5}),
    claims=(
        Claim(
            id="B-BN3",
            form="as said",
            statement="Batch normalization reduces internal covariate shift.",
            source="Ioffe and Szegedy 2015; doubted by Santurkar et al. 2018",
            estimate=of_plain(Over("relative_covariate_shift", "median")),
            rule=Below(1.0),
            unit="ratio of relative gradient changes",
            because="a ratio below 1 means that a layer's gradient changes less when the layers below it are updated",
        ),
        Claim(
            id="B-BN3",
            form="fair",
            statement="With its inputs made unsteady on purpose, batch normalization no longer beats the plain network.",
            source="Santurkar et al. 2018",
            estimate=PairedDifference(measure=Last("test_accuracy"), runs=noisy.best(), baseline=plain.best()),
            rule=Below(0.0),
            unit="share of test images",
            because="if steady inputs are what helps, taking them away must take the advantage away",
        ),
        Claim(
            id="B-BN8",
            form="as said",
            statement="Batch normalization smooths the loss: it varies less along the gradient.",
            source="Santurkar et al. 2018",
            estimate=of_plain(Over("loss_range", "median")),
            rule=Below(1.0),
            unit="ratio of loss ranges",
            because="the median range of the loss over equal multiples of the gradient, below 1 is smoother",
        ),
        Claim(
            id="B-BN8",
            form="fair",
            statement="Batch normalization smooths the loss relative to its gradient.",
            source="Santurkar et al. 2018",
            estimate=of_plain(Over("relative_gradient_change", "median")),
            rule=Below(1.0),
            unit="ratio of relative gradient changes",
            because="the largest change of the gradient along itself over its own length does not reward small gradients",
        ),
    ),
    figures=(
        Figure(
            name="shift",
            key=3,
            caption=(
                "(a) Final accuracy at each network's own best rate. At the plain network's best rate: (b) change of a layer's "
                "gradient when the layers below move, mean over layers; (c) range of the loss and (d) relative change of the "
                "gradient along its own direction."
            ),
            panels=(
                bars("Own best rate", Last("test_accuracy"), best_runs(*ARMS), x_label="network", y_limits=(0.7, None)),
                at_the_plain_rate(
                    "Covariate shift", "relative_covariate_shift", index=None, y_label="relative gradient change"
                ),
                at_the_plain_rate("Loss range", "loss_range", index=-1, y_label="loss range (nats)"),
                at_the_plain_rate(
                    "Relative smoothness", "relative_gradient_change", index=-1, y_label="relative gradient change"
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"num_steps": 20}, sweep={"optimizer.learning_rate": (0.15, 0.5)}),
        "full": Changes(num_seeds=48),
        "paper": Changes(
            training={"task": Cifar10(), "num_steps": 15_000, "batch_size": 128},
            sweep={"optimizer.learning_rate": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)},
            arms={
                arm.name: {"model": VGG, "model.normalization": read_path(arm.training, "model.normalization")}
                for arm in ARMS
            },
        ),
    },
)
