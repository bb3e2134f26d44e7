"""Before or after the activation? Three activations, each placement at its own best rate."""

from seven_terms.spec import *

BEFORE = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=3, width=48, normalization=BatchNorm()),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=300,
    batch_size=32,
)
ACTIVATIONS = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}
PLACEMENTS = ("before", "after")


def training(activation: str, placement: str) -> Training:
    kind = "he" if activation == "relu" else "glorot"
    return BEFORE.but({"model.activation": activation, "model.placement": placement, "initialization.kind": kind})


def own_best(activation: str, placement: str) -> Selected:
    return ARMS[f"{activation}_{placement}"].best()


ARMS = by_name(
    Arm(f"{activation}_{placement}", training(activation, placement), label=f"{label}, {placement}")
    for activation, label in ACTIVATIONS.items()
    for placement in PLACEMENTS
)
relu_before, relu_after, tanh_before, tanh_after, sigmoid_before, sigmoid_after = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Before or after the activation",
    question="Does it matter whether batch normalization stands before or after the activation?",
    method="Three layers of 48 units on digits of 7 x 7 pixels, batches of 32, 300 steps of plain SGD, ReLU units from He's "
    "and the others from Glorot's initialization. Each placement takes its own best of six rates; test accuracies "
    "are compared seed by seed.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)},
    num_seeds=20,
    probes=Evaluate(steps=Steps(), splits=("validation", "test")),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=relu_before.at({"optimizer.learning_rate": 0.3}),
    claims=tuple(
        claim(
            f"BN2 ({label})",
            f"With {label} units batch normalization may stand before or after the activation.",
            PairedDifference(
                Last("test_accuracy"), own_best(activation, "after"), own_best(activation, "before")
            ).within(-0.01, 0.01),
            source="article",
            unit="share of test images, after minus before",
            because="a point of accuracy either way, a little more than the sampling error of a thousand test images",
        )
        for activation, label in ACTIVATIONS.items()
    ),
    figures=figure(
        "placement",
        "Final test accuracy with batch normalization before and after the activation: at each arm's own best "
        "rate, a dot a seed, and over the rate.",
        bars(
            "Own best rate",
            Last("test_accuracy"),
            {
                f"{label}, {placement}": own_best(activation, placement)
                for activation, label in ACTIVATIONS.items()
                for placement in PLACEMENTS
            },
        ).axes("placement", y_limits=(0.8, None)),
        sweep_curve(
            "Over the rate",
            Last("test_accuracy"),
            {
                f"{label}, {placement}": ARMS[f"{activation}_{placement}"].at()
                for activation, label in ACTIVATIONS.items()
                for placement in PLACEMENTS
            },
            over="optimizer.learning_rate",
        ),
    ),
    smoke=Changes({"num_steps": 20, "optimizer.learning_rate": (0.1, 0.3)}, num_seeds=2),
    full=Changes(num_seeds=600),
    paper=Changes(
        {
            "task": Digits(source="mnist"),
            "num_steps": 20_000,
            "model.width": 256,
            "optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
        },
        num_seeds=6,
    ),
)
