"""Is one cycle at high rates eight times faster than a step schedule, or only shorter? Smith and Topin 2017."""

import dataclasses

from seven_terms.spec import (
    Above,
    Arm,
    BatchNorm,
    Changes,
    Cifar10,
    Claim,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Initialization,
    Last,
    Mlp,
    OneCycle,
    PairedDifference,
    Panel,
    Ranked,
    Resnet,
    Selected,
    Selection,
    Sgd,
    Step,
    Steps,
    SweepCurve,
    Training,
)

STEP = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu", normalization=BatchNorm()),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9, weight_decay=1e-4),
    schedule=Step(fractions=(0.625, 0.875)),  # 50,000 and 70,000 of 80,000
    num_steps=960,
    batch_size=50,
)
CYCLE = dataclasses.replace(
    STEP, schedule=OneCycle(warmup=0.5, start=1 / 30, final=1.0, shape="linear")
)  # 0.1 - 3 - 0.1
SHORT, LONG = Ranked(0), Ranked(-1)
FEW, ALL = Ranked(0), Ranked(-1)
RATE = ("learning_rate",)
ACCURACY = Last("test_accuracy")
LABELS = {"one_cycle": "one-cycle", "step": "step"}
LENGTHS = {"an eighth": SHORT, "all steps": LONG}


def at(arm: str, length: Ranked, **where: object) -> Selected:
    return Selected(arm, where={"num_steps": length, **where}, best=RATE)


def gain(length_of_step: Ranked, images: Ranked) -> PairedDifference:
    return PairedDifference(
        measure=ACCURACY,
        runs=at("one_cycle", SHORT, num_train=images),
        baseline=at("step", length_of_step, num_train=images),
    )


experiment = Experiment(
    name="one_cycle",
    term="lr_schedule",
    title="Super-convergence",
    question="Does one cycle with an eighth of the steps reach a step schedule, and one of its own length?",
    method=(
        "A batch-normalized network of two hidden layers of 32 ReLU units learns digits by a step schedule or by one "
        "triangular cycle from a thirtieth of the peak rate and back, each over all steps and over an eighth of them, on all "
        "images and on few. Each takes its peak rate from the same grid, selected on validation accuracy."
    ),
    arms=(
        Arm(name="one_cycle", label="one-cycle", training=CYCLE),
        Arm(name="step", label="step", training=STEP),
    ),
    sweep={
        "optimizer.learning_rate": (0.03, 0.1, 0.3, 1.0),
        "num_steps": (120, 960),
        "task.num_train": (500, 3500),
    },
    num_seeds=12,
    probes=(Evaluate(steps=Steps(count=4), splits=("validation", "test")),),
    selection=Selection(metric="validation_accuracy", mode="max"),
    noise_floor_arm="step",
    noise_floor_at={"optimizer.learning_rate": 0.1, "num_steps": 960, "task.num_train": 3500},
    claims=(
        Claim(
            id="B-SC5",
            form="as said",
            statement="One cycle needs an eighth of the steps of a step schedule for the same accuracy.",
            source="Smith and Topin 2017",
            estimate=gain(LONG, ALL),
            rule=Above(-0.005),
            unit="share of test images",
            because="the same accuracy: less than half a point lower, about what seeds differ by",
        ),
        Claim(
            id="B-SC5",
            form="few images",
            statement="With few training images, one cycle needs an eighth of the steps for the same accuracy.",
            source="Smith and Topin 2017",
            estimate=gain(LONG, FEW),
            rule=Above(-0.005),
            unit="share of test images",
            because="the paper's gap grows as data shrink; the same accuracy is less than half a point lower",
        ),
        Claim(
            id="B-SC5",
            form="fair",
            statement="One cycle ends higher than a step schedule of equal length.",
            source="Smith and Topin 2017",
            estimate=gain(SHORT, ALL),
            rule=Above(0.0),
            unit="share of test images",
            because="both have the same steps and their own best peak rate, so a positive difference is due to the shape",
        ),
    ),
    figures=(
        Figure(
            name="accuracy",
            caption="Final test accuracy of one cycle and of a step schedule, over all steps and over an eighth of them.",
            panels=(
                Panel(
                    title="Own best peak rate",
                    content=SweepCurve(
                        measure=ACCURACY,
                        over="num_train",
                        runs={
                            f"{label}, {length}": at(name, rank)
                            for name, label in LABELS.items()
                            for length, rank in LENGTHS.items()
                        },
                    ),
                    x_label="training images",
                    y_label="test accuracy",
                    log_x=True,
                ),
                Panel(
                    title="All images, by peak rate",
                    content=SweepCurve(
                        measure=ACCURACY,
                        over="learning_rate",
                        runs={
                            f"{label}, {length}": Selected(name, where={"num_steps": rank, "num_train": ALL})
                            for name, label in LABELS.items()
                            for length, rank in LENGTHS.items()
                        },
                    ),
                    x_label="peak learning rate",
                    y_label="test accuracy",
                    log_x=True,
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(
            num_seeds=2,
            sweep={"optimizer.learning_rate": (0.1, 0.3), "num_steps": (15, 60), "task.num_train": (500, 3500)},
        ),
        "paper": Changes(
            num_seeds=5,
            training={"task": Cifar10(), "model": Resnet(n=3), "batch_size": 1000},
            sweep={
                "optimizer.learning_rate": (0.1, 0.35, 1.0, 3.0),
                "num_steps": (2000, 16_000),
                "task.num_train": (10_000, 45_000),
            },
        ),
    },
)
