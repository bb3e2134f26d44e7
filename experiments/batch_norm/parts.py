"""Which part of batch normalization helps: centering, scaling, or the learned gain and shift?"""

from seven_terms.spec import *

PLAIN = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=4, width=48, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.15),
    num_steps=300,
    batch_size=32,
)
PARTS: dict[str, tuple[str, BatchNorm | None]] = {
    "plain": ("none", None),
    "full": ("full", BatchNorm()),
    "no_affine": ("no gain and shift", BatchNorm(affine=False)),
    "centering": ("centering only", BatchNorm(scale=False)),
    "scaling": ("scaling only", BatchNorm(center=False)),
}

ARMS = by_name(
    Arm(name, PLAIN.but({"model.normalization": normalization}), label=label)
    for name, (label, normalization) in PARTS.items()
)
plain, full, no_affine, centering, scaling = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="The parts of batch normalization",
    question="Do the learned gain and shift help, and would centering or scaling alone do?",
    method="Four layers of 48 ReLU units on digits of 7 x 7 pixels, batches of 32, 300 steps of plain SGD. Variants leave "
    "out the learned gain and shift, the division by the standard deviation, or the subtraction of the mean (dividing "
    "by the root mean square instead). Each takes its own best of five rates.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.015, 0.05, 0.15, 0.5, 1.5)},
    num_seeds=12,
    probes=Evaluate(steps=Steps(), splits=("validation", "test")),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=full.at({"optimizer.learning_rate": 0.5}),
    claims=(
        claim(
            "BN5",
            "The learned gain and shift make the normalization better than the plain standardization, by half a point or more.",
            PairedDifference(Last("test_accuracy"), full.best(), no_affine.best()).above(0.005),
            source="article",
            unit="share of test images, with them minus without",
            because="if learning them adapts each layer for the better, accuracy is higher with them than without, by half a "
            "point at least: less could not be noticed in a test set of a thousand",
        ),
        claim(
            "BN5 (both stages)",
            "Subtracting the mean alone is not enough: dividing by the standard deviation adds to it.",
            PairedDifference(Last("test_accuracy"), full.best(), centering.best()).above(0.0),
            source="article; Ioffe and Szegedy 2015",
            unit="share of test images, whole minus centering",
            because="accuracy of the full normalization over centering alone, each at its own best rate",
        ),
    ),
    figures=figure(
        "parts",
        "Final test accuracy of the parts of batch normalization, at their own best rates and over the rate.",
        bars("Own best rate", Last("test_accuracy"), best_runs(*ARMS.values())).axes("variant", y_limits=(0.7, None)),
        sweep_curve("Over the rate", Last("test_accuracy"), all_runs(*ARMS.values()), over="optimizer.learning_rate"),
    ),
    smoke=Changes({"num_steps": 20, "optimizer.learning_rate": (0.15, 0.5)}, num_seeds=2),
    full=Changes(num_seeds=64),
    paper=Changes(
        {
            "task": Digits(source="mnist"),
            "num_steps": 20_000,
            "model.width": 256,
            "optimizer.learning_rate": (0.005, 0.015, 0.05, 0.15, 0.5, 1.5),
        },
        num_seeds=6,
    ),
)
