"""What does batch normalization do without a batch? Running statistics against the test set's own; momentum and eps."""

from seven_terms.spec import *

TRAINING = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=3, width=48, activation="relu", normalization=BatchNorm()),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.3),
    num_steps=300,
    batch_size=32,
)
SLOW, USUAL = 0.01, 0.1

momentum = Arm("momentum", TRAINING, sweep={"model.normalization.momentum": (SLOW, USUAL, 0.5)})
eps = Arm("eps", TRAINING, sweep={"model.normalization.eps": (1e-8, 1e-3, 1.0)})


def with_momentum(value: float) -> Selected:
    return momentum.at({"model.normalization.momentum": value})


def with_eps(value: float) -> Selected:
    return eps.at({"model.normalization.eps": value})


early_gap = Combine("difference", At("batch_statistics_test_accuracy", fraction=0.1), At("test_accuracy", fraction=0.1))
last_gap = Combine("difference", Last("batch_statistics_test_accuracy"), Last("test_accuracy"))

experiment = Experiment.here(
    __name__,
    title="Evaluation without a batch",
    question="How far do running statistics stand in for those of a batch, and do momentum and eps matter?",
    method="Three layers of 48 ReLU units on digits of 7 x 7 pixels, batches of 32, 300 steps of plain SGD at rate 0.3. "
    "Momentum is the weight of the newest batch in the running mean and variance. The same weights are evaluated with "
    "the running statistics and with those of the test images themselves.",
    arms=(momentum, eps),
    num_seeds=24,
    probes=(
        Evaluate(steps=Steps(count=10), splits=("test",), batch_statistics=True),
        Evaluate(steps=Steps(), splits=("validation",)),
    ),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=momentum.at({"model.normalization.momentum": USUAL}),
    claims=(
        claim(
            "BN6 (evaluation)",
            "It works on the current batch: early on, running statistics evaluate worse than a batch's own.",
            Mean(early_gap, with_momentum(SLOW)).above(0.01),
            source="article; Ioffe and Szegedy 2015, section 3.1",
            unit="share of test images",
            because="after 30 steps at momentum 0.01 the start still weighs 74 %: a point of accuracy shows the gap",
        ),
        claim(
            "B-BN9",
            "At the usual momentum running statistics evaluate as well as the test set's own in the end.",
            Mean(last_gap, with_momentum(USUAL)).within(-0.01, 0.01),
            source="Ioffe and Szegedy 2015, section 3.1",
            unit="share of test images",
            because="less than a point of accuracy between the two evaluations of the same weights",
        ),
        claim(
            "B-BN10",
            "The value of eps does not matter as long as it is far below the variances.",
            PairedDifference(Last("test_accuracy"), with_eps(1e-3), with_eps(1e-8)).within(-0.01, 0.01),
            source="folklore",
            unit="share of test images",
            because="less than a point of accuracy between 1e-3 and 1e-8, the values of common libraries and beyond",
        ),
    ),
    figures=figure(
        "evaluation",
        "Left: test accuracy with running statistics, by momentum. Middle: the same weights with the test images' "
        "own statistics. Right: final test accuracy over eps.",
        curve(
            "Running statistics", "test_accuracy", {"batch norm": momentum.at()}, by="model.normalization.momentum"
        ).axes(y_limits=(0.0, 1.0)),
        curve(
            "The test images' own",
            "batch_statistics_test_accuracy",
            {"batch norm": momentum.at()},
            by="model.normalization.momentum",
        ).axes(y="test accuracy", y_limits=(0.0, 1.0)),
        sweep_curve(
            "Eps", Last("test_accuracy"), {"running statistics": eps.at()}, over="model.normalization.eps"
        ).axes(log="x"),
    ),
    smoke=Changes({"num_steps": 20, "model.normalization.eps": (1e-8, 1e-3)}, num_seeds=2),
    full=Changes(num_seeds=48),
    paper=Changes({"task": Digits(source="mnist"), "num_steps": 20_000, "model.width": 256}),
)
