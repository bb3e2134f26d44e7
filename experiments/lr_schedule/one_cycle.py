"""Is one cycle at high rates eight times faster than a step schedule, or only shorter? Smith and Topin 2017."""

from seven_terms.spec import *

STEP = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu", normalization=BatchNorm()),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9, weight_decay=1e-4),
    schedule=Step(fractions=(0.625, 0.875)),  # 50,000 and 70,000 of 80,000
    num_steps=960,
    batch_size=50,
)
CYCLE = STEP.but(schedule=OneCycle(warmup=0.5, start=1 / 30, final=1.0, shape="linear"))  # 0.1 - 3 - 0.1
SHORT, LONG = Ranked(0), Ranked(-1)
FEW, ALL = Ranked(0), Ranked(-1)
ACCURACY = Last("test_accuracy")
LENGTHS = {"an eighth": SHORT, "all steps": LONG}


def at(arm: Arm, length: Ranked, images: Ranked) -> Selected:
    return arm.best(at={"num_steps": length, "task.num_train": images})


def gain(length_of_step: Ranked, images: Ranked) -> PairedDifference:
    return PairedDifference(
        measure=ACCURACY, runs=at(one_cycle, SHORT, images), baseline=at(step, length_of_step, images)
    )


one_cycle = Arm(name="one_cycle", label="one-cycle", training=CYCLE)
step = Arm(name="step", label="step", training=STEP)


experiment = Experiment.here(
    __name__,
    title="Super-convergence",
    question="Does one cycle with an eighth of the steps reach a step schedule, and one of its own length?",
    method="A batch-normalized network of two hidden layers of 32 ReLU units learns digits by a step schedule or by one "
    "triangular cycle from a thirtieth of the peak rate and back, each over all steps and over an eighth of them, on all "
    "images and on few. Each takes its peak rate from the same grid, selected on validation accuracy.",
    arms=(one_cycle, step),
    sweep={"optimizer.learning_rate": (0.03, 0.1, 0.3, 1.0), "num_steps": (120, 960), "task.num_train": (500, 3500)},
    num_seeds=12,
    probes=(Evaluate(steps=Steps(count=4), splits=("validation", "test")),),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=step.at({"optimizer.learning_rate": 0.1, "num_steps": 960, "task.num_train": 3500}),
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
                sweep_curve(
                    "Own best peak rate",
                    ACCURACY,
                    {
                        f"{arm.label}, {length}": arm.best(at={"num_steps": rank})
                        for arm in (one_cycle, step)
                        for length, rank in LENGTHS.items()
                    },
                    over="task.num_train",
                    x_label="training images",
                    y_label="test accuracy",
                    log_x=True,
                ),
                sweep_curve(
                    "All images, by peak rate",
                    ACCURACY,
                    {
                        f"{arm.label}, {length}": arm.at({"num_steps": rank, "task.num_train": ALL})
                        for arm in (one_cycle, step)
                        for length, rank in LENGTHS.items()
                    },
                    over="optimizer.learning_rate",
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
        "full": Changes(num_seeds=128),
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
