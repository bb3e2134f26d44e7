"""Does batch normalization work by steadying the inputs of layers, or by smoothing the loss? Santurkar et al. 2018.

Loss range and gradient change are measured at steps that are multiples of the gradient, as in the paper. Batch
normalization also rescales gradients, so the fair number is the change relative to the gradient's own length. The same
questions at the other rates of the sweep were added after an audit had seen a sign turn at the highest.
"""

from dataclasses import replace

from seven_terms.spec import *

PLAIN = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=5, width=48, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=300,
    batch_size=32,
)
plain = Arm("plain", PLAIN)
batch_norm = Arm("batch_norm", PLAIN.but({"model.normalization": BatchNorm()}))
noisy = Arm("noisy", PLAIN.but({"model.normalization": BatchNorm(noisy=True)}), label="noisy batch norm")
ARMS = (plain, batch_norm, noisy)
RATE = "optimizer.learning_rate"
SHIFT = Over("relative_covariate_shift", "median")
RANGE = Over("loss_range", "median")
SMOOTH = Over("relative_gradient_change", "median")
HIGH = {RATE: Ranked(-2)}
# form, times the plain network's best rate, rank in the sweep, who learns at it
OTHER_RATES = (
    ("lowest", "a third of", Ranked(0), "both networks learn"),
    ("high", "three times", Ranked(-2), "four of five plain networks learn"),
    ("highest", "ten times", Ranked(-1), "the plain network is at chance"),
)
VGG = Cnn(channels=(64, 64, 128, 128, 256, 256), strides=(1, 2, 1, 2, 1, 2))


def of_plain(measure: Measure) -> PairedRatio:
    """Batch norm over plain, both at the rate that is best for the plain network."""
    return PairedRatio(measure, batch_norm.at_best_of(plain), plain.best())


def at_other_rates(key: str, statement: str, measure: Measure, unit: str) -> tuple[Claim, ...]:
    return tuple(
        claim(
            f"{key}{form} rate)",
            f"{statement}, at {times} the plain network's best rate, too.",
            PairedRatio(measure, batch_norm.at({RATE: rank}), plain.at({RATE: rank})).below(1.0),
            source="asked after a look at other rates",
            unit=f"{unit}, {form} rate of the sweep",
            because=f"measure and rule as at the plain network's best rate; at this one {learns}",
            scales=("smoke", "laptop", "full"),
        )
        for form, times, rank, learns in OTHER_RATES
    )


def at_the_plain_rate(title: str, metric: str, *, index: int | None, y_label: str) -> Panel:
    runs = {arm.label: arm.at_best_of(plain) for arm in ARMS}
    return curve(title, metric, runs, index=index).axes(y=y_label, log="y")


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
        claim(
            "B-BN3 (as said)",
            "Batch normalization reduces internal covariate shift.",
            of_plain(SHIFT).below(1.0),
            source="Ioffe and Szegedy 2015; doubted by Santurkar et al. 2018",
            unit="ratio of relative gradient changes",
            because="a ratio below 1 means that a layer's gradient changes less when the layers below it are updated",
        ),
        claim(
            "B-BN3 (fair)",
            "With its inputs made unsteady on purpose, batch normalization no longer beats the plain network.",
            PairedDifference(Last("test_accuracy"), noisy.best(), plain.best()).below(0.0),
            source="what the explanation by steadier inputs implies; against it Santurkar et al. 2018",
            unit="share of test images, with noisy normalization minus without normalization",
            because="if steady inputs are what helps, taking them away must take the advantage away",
        ),
        claim(
            "B-BN8 (as said)",
            "Batch normalization smooths the loss: it varies less along the gradient.",
            of_plain(RANGE).below(1.0),
            source="Santurkar et al. 2018",
            unit="ratio of loss ranges",
            because="the median range of the loss over equal multiples of the gradient, below 1 is smoother",
        ),
        claim(
            "B-BN8 (fair)",
            "Batch normalization smooths the loss relative to its gradient.",
            of_plain(SMOOTH).below(1.0),
            source="Santurkar et al. 2018",
            unit="ratio of relative gradient changes",
            because="the largest change of the gradient along itself over its own length does not reward small gradients",
        ),
        *at_other_rates(
            "B-BN3 (",
            "Batch normalization reduces internal covariate shift",
            SHIFT,
            "ratio of relative gradient changes",
        ),
        *at_other_rates("B-BN8 (", "Batch normalization smooths the loss", RANGE, "ratio of loss ranges"),
        claim(
            "B-BN8 (high rate, both learn)",
            "Batch normalization smooths the loss, at three times the plain network's best rate, where that network learns.",
            PairedRatio(
                RANGE, batch_norm.at(HIGH), replace(plain.at(HIGH), given=Reached(Last("test_accuracy"), above=0.5))
            ).below(1.0),
            source="asked after a look at the high rate",
            unit="ratio of loss ranges, high rate of the sweep",
            because="the loss of a network that has fallen to chance is flat; seeds whose plain network ends above half count",
            scales=("smoke", "laptop", "full"),
        ),
        *at_other_rates(
            "B-BN8 (fair, ",
            "Batch normalization smooths the loss relative to its gradient",
            SMOOTH,
            "ratio of relative gradient changes",
        ),
    ),
    figures=figure(
        "shift",
        "(a) Final accuracy at each network's own best rate. At the plain network's best rate: (b) change of a layer's "
        "gradient when the layers below move, mean over layers; (c) range of the loss and (d) relative change of the "
        "gradient along its own direction.",
        bars("Own best rate", Last("test_accuracy"), best_runs(*ARMS)).axes("network", y_limits=(0.7, None)),
        at_the_plain_rate(
            "Covariate shift", "relative_covariate_shift", index=None, y_label="relative gradient change"
        ),
        at_the_plain_rate("Loss range", "loss_range", index=-1, y_label="loss range (nats)"),
        at_the_plain_rate(
            "Relative smoothness", "relative_gradient_change", index=-1, y_label="relative gradient change"
        ),
        key=3,
    ),
    smoke=Changes({"num_steps": 20, "optimizer.learning_rate": (0.15, 0.5)}, num_seeds=2),
    full=Changes(num_seeds=48),
    paper=Changes(
        {
            "task": Cifar10(),
            "num_steps": 15_000,
            "batch_size": 128,
            "optimizer.learning_rate": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
        },
        arms={
            arm.name: {"model": VGG, "model.normalization": read_path(arm.training, "model.normalization")}
            for arm in ARMS
        },
    ),
)
