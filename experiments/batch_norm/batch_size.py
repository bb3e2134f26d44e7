"""How does batch normalization depend on the batch? Wu and He 2018, with ghost batches that change the statistics alone."""

from seven_terms.spec import *

LARGEST = 32
TRAINING = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=3, width=48, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=200,
    batch_size=LARGEST,
)
NORMS: dict[str, tuple[str, Normalization]] = {
    "batch_norm": ("batch norm", BatchNorm()),
    "group_norm": ("group norm", GroupNorm()),
    "layer_norm": ("layer norm", LayerNorm()),
}
SIZES = (2, 4, 8, LARGEST, 128, 256)
GHOSTS = (2, 4, 8, LARGEST)


def training(normalization: Normalization) -> Training:
    return TRAINING.but({"model.normalization": normalization})


def at(arm: str, size: int) -> Selected:
    return ARMS[arm].best(at={"batch_size": size})


def over_two(size: int) -> Selected:
    return ghost.best(at={"model.normalization.ghost": size})


ARMS = by_name(
    (
        *(Arm(name, training(norm), label=label, sweep={"batch_size": SIZES}) for name, (label, norm) in NORMS.items()),
        Arm(
            "ghost",
            training(BatchNorm(ghost=2)),
            label="ghost batches of a batch of 32",
            sweep={"model.normalization.ghost": GHOSTS},
        ),
    )
)
batch_norm, group_norm, layer_norm, ghost = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Batch size, and the size of the statistics",
    question="What happens to batch normalization when batches are small, and is it the statistics or the optimization?",
    method="Three layers of 48 ReLU units on digits of 7 x 7 pixels, 200 steps of plain SGD, each setting at its own best of "
    "five rates. Batch, group (four groups) and layer normalization are compared at batches from 2 on. Ghost batch "
    "normalization keeps the batch at 32 and computes its statistics over parts of it, so that only the statistics "
    "change and not the gradient noise of a small batch.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0)},
    num_seeds=12,
    probes=Evaluate(steps=Steps(), splits=("validation", "test")),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=batch_norm.at({"optimizer.learning_rate": 0.3, "batch_size": LARGEST}),
    claims=(
        claim(
            "BN6 (statistics)",
            "It works on the current batch: with statistics of two examples the same batch trains worse.",
            PairedDifference(Last("test_error"), over_two(2), over_two(LARGEST)).above(0.01),
            source="article",
            unit="share of test images wrong",
            because="the batch of 32 stays, its statistics come from 2 examples or all: a point of error is a dependence",
        ),
        claim(
            "B-BN4",
            "At batches of two batch normalization fails where group normalization does not.",
            PairedDifference(Last("test_error"), at("batch_norm", 2), at("group_norm", 2)).above(0.05),
            source="Wu and He 2018",
            unit="share of test images wrong",
            because="the published gap is ten points; half of it, at equal steps and own best rates, counts as failing",
        ),
        claim(
            "B-BN4 (large batch)",
            "At batches of 32 group normalization is as good as batch normalization.",
            PairedDifference(Last("test_error"), at("group_norm", LARGEST), at("batch_norm", LARGEST)).within(
                -0.01, 0.01
            ),
            source="Wu and He 2018",
            unit="share of test images wrong",
            because="the published difference at large batches is half a point; a point either way is as good",
        ),
    ),
    figures=figure(
        "batch_size",
        "Final test error at the best rate of each point. Left: batches of that size. Right: batches of 32, of "
        "which so many examples share their statistics; normalization over units does not know of any.",
        sweep_curve(
            "Batch size",
            Last("test_error"),
            {label: ARMS[name].best() for name, (label, _) in NORMS.items()},
            over="batch_size",
        ).axes(log="x", y_limits=(0.0, 0.9)),
        sweep_curve(
            "Size of the statistics",
            Last("test_error"),
            {"ghost batches of a batch of 32": ghost.best()},
            over="model.normalization.ghost",
        ).axes("examples that share statistics", log="x", y_limits=(0.0, 0.9)),
        key=1,
    ),
    smoke=Changes(
        {
            "num_steps": 20,
            "optimizer.learning_rate": (0.1, 0.3),
            "batch_size": (2, LARGEST),
            "model.normalization.ghost": (2, LARGEST),
        },
        num_seeds=2,
    ),
    laptop=Changes({"batch_size": SIZES[:4]}, num_seeds=6),  # no claim reads the two largest
    full=Changes(num_seeds=24),
    paper=Changes(
        {"task": Cifar10(augment=True), "num_steps": 20_000, "batch_size": 128, "optimizer": Sgd(momentum=0.9)},
        num_seeds=5,
        arms={
            **{name: {"model": Resnet(n=3, normalization=norm)} for name, (_, norm) in NORMS.items()},
            "ghost": {"model": Resnet(n=3, normalization=BatchNorm(ghost=2))},
        },
        sweep={
            "batch_size": (2, 4, 8, 16, LARGEST, 128),
            "model.normalization.ghost": (2, 4, 8, 16, LARGEST, 128),
            "optimizer.learning_rate": (0.003, 0.01, 0.03, 0.1, 0.3),
        },
    ),
)
