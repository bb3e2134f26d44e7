"""Whose statistics, when a batch is spread over devices: each one's own, or those of all? Wu and He 2018, by workers."""

from seven_terms.spec import *

DEVICES, SMALL, LARGE = 4, 8, 128
ONE = Training(
    task=Cifar10(augment=True),
    model=Resnet(n=3, normalization=BatchNorm()),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.1, momentum=0.9),
    num_steps=20_000,
    batch_size=LARGE,
)
EACH = ONE.but(num_devices=DEVICES)
ALL = EACH.but(model=Resnet(n=3, normalization=BatchNorm(synchronized=True)))
ARMS = {
    "one": ("one device", ONE),
    "each": ("four devices, statistics of each", EACH),
    "all": ("four devices, statistics of all", ALL),
}


def at(arm: str, size: int) -> Selected:
    return arms[arm].best(at={"batch_size": size})


arms = by_name(Arm(name, training, label=label) for name, (label, training) in ARMS.items())

experiment = Experiment.here(
    __name__,
    title="Statistics of one device, or of all",
    question="When a batch is spread over several devices, does it matter whether they share their statistics?",
    method="A residual network of 20 layers on CIFAR-10, 20,000 steps at a constant rate, each setting at its own best of five "
    "rates. The same batches of 8 and of 128 images train it on one device, on four whose batch normalization uses the "
    "images of each, as data parallelism does by default, and on four with the statistics of all images. Gradients are "
    "averaged over devices in both.",
    arms=arms,
    sweep={"batch_size": (SMALL, LARGE), "optimizer.learning_rate": (0.003, 0.01, 0.03, 0.1, 0.3)},
    num_seeds=5,
    probes=Evaluate(steps=Steps(), splits=("validation", "test")),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=arms["one"].at({"optimizer.learning_rate": 0.1, "batch_size": LARGE}),
    claims=(
        claim(
            "B-BN12 (two images each)",
            "With two images on each device, statistics of each train worse than statistics of all.",
            PairedDifference(Last("test_error"), at("each", SMALL), at("all", SMALL)).above(0.05),
            source="Wu and He 2018, table on small batches",
            unit="share of test images wrong",
            because="from eight images to two the published error rises by ten points; half of it counts, as for B-BN4",
            scales=("paper",),
        ),
        claim(
            "B-BN12 (32 images each)",
            "With 32 images on each device it does not matter whose statistics are used.",
            PairedDifference(Last("test_error"), at("each", LARGE), at("all", LARGE)).within(-0.01, 0.01),
            source="Wu and He 2018, table on small batches",
            unit="share of test images wrong",
            because="the published error is flat from 16 images a device on; a point either way is as good",
            scales=("paper",),
        ),
        claim(
            "B-BN13",
            "Several devices with the statistics of all train as one device does.",
            PairedDifference(Last("test_error"), at("all", SMALL), at("one", SMALL)).within(-0.01, 0.01),
            source="folklore",
            unit="share of test images wrong",
            because="only the order of sums differs, which chaos turns into other runs but not into better or worse ones",
            scales=("paper",),
        ),
    ),
    figures=figure(
        "devices",
        "Final test error at the best rate of each point, against the images of a batch on all devices together.",
        sweep_curve(
            "Whose statistics",
            Last("test_error"),
            {label: arms[name].best() for name, (label, _) in ARMS.items()},
            over="batch_size",
        ).axes(log="x"),
    ),
    smoke=Changes(skip=True),
    laptop=Changes(skip=True),
    full=Changes(skip=True),
)
