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
    return PairedDifference(ACCURACY, at(one_cycle, SHORT, images), at(step, length_of_step, images))


one_cycle = Arm("one_cycle", CYCLE, label="one-cycle")
step = Arm("step", STEP)

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
    probes=Evaluate(steps=Steps(count=4), splits=("validation", "test")),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=step.at({"optimizer.learning_rate": 0.1, "num_steps": 960, "task.num_train": 3500}),
    claims=(
        claim(
            "B-SC5 (as said)",
            "One cycle needs an eighth of the steps of a step schedule for the same accuracy.",
            gain(LONG, ALL).above(-0.005),
            source="Smith and Topin 2017",
            unit="share of test images, one cycle minus step schedule",
            because="the same accuracy: less than half a point lower, about what seeds differ by",
        ),
        claim(
            "B-SC5 (few images)",
            "With few training images, one cycle needs an eighth of the steps for the same accuracy.",
            gain(LONG, FEW).above(-0.005),
            source="Smith and Topin 2017",
            unit="share of test images, one cycle minus step schedule",
            because="the paper's gap grows as data shrink; the same accuracy is less than half a point lower",
        ),
        claim(
            "B-SC5 (fair)",
            "One cycle ends higher than a step schedule of equal length.",
            gain(SHORT, ALL).above(0.0),
            source="Smith and Topin 2017",
            unit="share of test images, one cycle minus step schedule",
            because="both have the same steps and their own best peak rate, so a positive difference is due to the shape",
        ),
    ),
    figures=figure(
        "accuracy",
        "Final test accuracy of one cycle and of a step schedule, over all steps and over an eighth of them.",
        sweep_curve(
            "Own best peak rate",
            ACCURACY,
            {
                f"{arm.label}, {length}": arm.best(at={"num_steps": rank})
                for arm in (one_cycle, step)
                for length, rank in LENGTHS.items()
            },
            over="task.num_train",
        ).axes("training images", "test accuracy", log="x"),
        sweep_curve(
            "All images, by peak rate",
            ACCURACY,
            {
                f"{arm.label}, {length}": arm.at({"num_steps": rank, "task.num_train": ALL})
                for arm in (one_cycle, step)
                for length, rank in LENGTHS.items()
            },
            over="optimizer.learning_rate",
        ).axes("peak learning rate", "test accuracy"),
    ),
    smoke=Changes(
        {"optimizer.learning_rate": (0.1, 0.3), "num_steps": (15, 60), "task.num_train": (500, 3500)}, num_seeds=2
    ),
    laptop=Changes(num_seeds=6),
    full=Changes(num_seeds=256),
    paper=Changes(
        {
            "task": Cifar10(),
            "model": Resnet(n=3),
            "batch_size": 1000,
            "optimizer.learning_rate": (0.1, 0.35, 1.0, 3.0),
            "num_steps": (2000, 16_000),
            "task.num_train": (10_000, 45_000),
        },
        num_seeds=5,
    ),
)
