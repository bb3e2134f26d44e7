"""Does batch normalization speed up training? Section 4.1 of Ioffe and Szegedy 2015, with the unstated rates swept."""

import dataclasses

from seven_terms.spec import (
    Above,
    Activations,
    Arm,
    BatchNorm,
    Below,
    Changes,
    Claim,
    Curve,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Initialization,
    Last,
    Mlp,
    Over,
    PairedRatio,
    Panel,
    Selected,
    Selection,
    Sgd,
    Steps,
    StepsTo,
    Stream,
    Survival,
    Training,
)

PLAIN = Training(
    task=Digits(binarize=True),
    model=Mlp(depth=3, width=100, activation="sigmoid"),
    initialization=Initialization(kind="gaussian", scale=0.1),
    optimizer=Sgd(learning_rate=0.3),
    num_steps=1500,
    batch_size=60,
)
NORMALIZED = dataclasses.replace(PLAIN, model=dataclasses.replace(PLAIN.model, normalization=BatchNorm()))

GRID = ("learning_rate", "scale")
plain = Selected("plain", best=GRID)
batch_norm = Selected("batch_norm", best=GRID)
to_plain_best = StepsTo("test_accuracy", target_of=("plain", Last("test_accuracy")))


def drift(unit_percentile: str) -> Over:
    return Over(f"activation_p{unit_percentile}", "total_variation")


experiment = Experiment(
    name="mnist_2015",
    term="batch_norm",
    title="Batch normalization on MNIST, as in 2015",
    question="Does batch normalization speed up training, at each network's own best rate and at equal rates?",
    method=(
        "Three layers of 100 sigmoid units classify binarized digits in batches of 60, with plain SGD. The paper states "
        "neither learning rate nor scale of the Gaussian initialization, so both are swept over the same grid for both "
        "arms and selected on validation data. Steps are counted to the test accuracy that the plain network has at the "
        "end at its own best setting."
    ),
    arms=(
        Arm(name="plain", label="plain", training=PLAIN),
        Arm(name="batch_norm", label="batch norm", training=NORMALIZED),
    ),
    sweep={"optimizer.learning_rate": (0.1, 0.3, 1.0, 3.0), "initialization.scale": (0.03, 0.1, 0.3)},
    num_seeds=5,
    probes=(
        Stream(window=20),
        Evaluate(steps=Steps(count=30), splits=("validation", "test")),
        Activations(steps=Steps(count=20)),
    ),
    selection=Selection(metric="validation_accuracy", mode="max"),
    noise_floor_arm="batch_norm",
    claims=(
        Claim(
            id="BN1",
            form="fair",
            statement="Batch normalization speeds up training when each network has its own best rate.",
            source="Ioffe and Szegedy 2015, section 4.1",
            estimate=PairedRatio(measure=to_plain_best, runs=plain, baseline=batch_norm),
            rule=Above(1.0),
            unit="times fewer steps",
            because="a ratio of steps above 1 is a speed-up; misses of the plain network count as the whole budget",
        ),
        Claim(
            id="BN1",
            form="as said",
            statement="Batch normalization speeds up training at the same learning rate and initialization.",
            source="article; Ioffe and Szegedy 2015",
            estimate=PairedRatio(
                measure=to_plain_best,
                runs=plain,
                baseline=Selected("batch_norm", best=GRID, best_of="plain"),
            ),
            rule=Above(1.0),
            unit="times fewer steps",
            because="both networks train at the plain network's best setting; a ratio above 1 is a speed-up",
        ),
        Claim(
            id="B-BN5",
            statement="The inputs of the last sigmoid layer stay put with batch normalization and drift without.",
            source="Ioffe and Szegedy 2015, figure 1 b, c",
            estimate=PairedRatio(measure=drift("50"), runs=batch_norm, baseline=plain),
            rule=Below(1.0),
            unit="ratio of total variation of the median",
            because="total variation of the units' median input over training, batch norm over plain, below 1 is stabler",
        ),
    ),
    figures=(
        Figure(
            name="training",
            caption="Test accuracy over training, each network at its own best setting.",
            panels=(
                Panel(
                    title="Own best setting",
                    content=Curve(metric="test_accuracy", runs={"plain": plain, "batch norm": batch_norm}),
                    x_label="step",
                    y_label="test accuracy",
                ),
                Panel(
                    title="Time to the plain network's best",
                    content=Survival(measure=to_plain_best, runs={"plain": plain, "batch norm": batch_norm}),
                    x_label="step",
                    y_label="share of runs not there yet",
                ),
            ),
            summary=0,
        ),
    ),
    scales={
        "smoke": Changes(
            num_seeds=2,
            training={"num_steps": 60},
            sweep={"optimizer.learning_rate": (0.3, 1.0), "initialization.scale": (0.1,)},
        ),
        "paper": Changes(
            training={"num_steps": 50_000, "task.source": "mnist"},
            sweep={
                "optimizer.learning_rate": (0.03, 0.1, 0.3, 1.0, 3.0),
                "initialization.scale": (0.01, 0.03, 0.1, 0.3),
            },
        ),
    },
)
