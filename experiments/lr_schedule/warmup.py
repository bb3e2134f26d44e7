"""Does a gradual warm-up rescue large batches, and does a low constant rate hurt? Goyal et al. 2017, section 2.2."""

from seven_terms.spec import *

DROPS = Step(drop=0.1, fractions=(1 / 3, 2 / 3, 8 / 9))  # epochs 30, 60, 80 of 90
LARGER = 8  # times the small batch
LARGE = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=4, width=32, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9),
    schedule=DROPS,
    num_steps=330,
    batch_size=32 * LARGER,
)
ARMS = {
    "none": ("no warm-up", LARGE),
    "constant": ("constant warm-up", LARGE.but(schedule=Warmup(kind="constant", level=1 / LARGER, then=DROPS))),
    "gradual": ("gradual warm-up", LARGE.but(schedule=Warmup(kind="gradual", then=DROPS))),
}
SMALL = LARGE.but(batch_size=32, num_steps=330 * LARGER)
SMALL_RATES = (0.005, 0.01, 0.02, 0.04, 0.08)
ERROR = Last("test_error")
TRAINS = Reached(ERROR, below=0.5)  # a run that diverged does not

arms = by_name(
    (
        *(Arm(name, training, label=label) for name, (label, training) in ARMS.items()),
        Arm("small", SMALL, label="small batch", sweep={"optimizer.learning_rate": SMALL_RATES}, num_seeds=4),
    )
)
small = arms["small"].best()


def scaled(arm: str) -> Selected:
    return arms[arm].at_best_of(arms["small"], times=LARGER)


experiment = Experiment.here(
    __name__,
    title="Warm-up for large batches",
    question="Does a gradual warm-up rescue a large batch at the scaled rate, and does a constant one hurt?",
    method="A network of four hidden layers of 32 ReLU units without normalization sees the same number of digits in batches "
    "of 256 as in batches of 32, with momentum 0.9 and three drops of the rate. The first tenth is spent at the full "
    "rate, at an eighth of it, or on a straight rise. Judged at the rate of the linear scaling rule, eight times the "
    "best rate of the small batch, and once more at each arm's own best rate.",
    arms=arms,
    sweep={"optimizer.learning_rate": tuple(LARGER * rate for rate in SMALL_RATES)},
    num_seeds=16,
    probes=Evaluate(steps=Steps(count=5), splits=("validation", "test")),
    selection=Selection(metric="validation_error"),
    noise_floor=arms["none"].at({"optimizer.learning_rate": 0.16}),
    claims=(
        claim(
            "B-SC3 (gradual)",
            "Gradual warm-up rescues a large batch at the linearly scaled rate.",
            ProportionDifference(TRAINS, scaled("gradual"), scaled("none")).above(0.0),
            source="Goyal et al. 2017, table 2",
            unit="share of runs that train, gradual warm-up minus none",
            because="runs either fail, with half of the test images wrong, or end close together: fewer that fail is a rescue",
        ),
        claim(
            "B-SC3 (constant)",
            "A warm-up at a low constant rate makes more runs of a large batch fail at the linearly scaled rate.",
            ProportionDifference(TRAINS, scaled("constant"), scaled("none")).below(0.0),
            source="after Goyal et al. 2017, table 2",
            unit="share of runs that train, constant warm-up minus none",
            because="more runs with half of the test images wrong than with the same schedule without warm-up is harm",
        ),
        claim(
            "B-SC3 (own rate)",
            "Gradual warm-up lowers the error of a large batch by half a point or more when each schedule has its own best rate.",
            PairedDifference(ERROR, arms["gradual"].best(), arms["none"].best()).below(-0.005),
            source="Goyal et al. 2017",
            unit="share of test images that are wrong, gradual warm-up minus none",
            because="half a point of error at least that is left after tuning is not a matter of the rate alone",
        ),
    ),
    figures=figure(
        "rates",
        "Final test error of the large batch over the rate, and at the linearly scaled rate. A cross "
        "is a run that diverged; where there is one no mean is drawn.",
        sweep_curve(
            "Large batch, by rate",
            ERROR,
            {label: arms[name].at() for name, (label, _) in ARMS.items()},
            over="optimizer.learning_rate",
        ).axes(y="share of test images wrong", log="xy"),
        bars(
            "Linear scaling rule",
            ERROR,
            {"small batch": small, **{label: scaled(name) for name, (label, _) in ARMS.items()}},
        ).axes("warm-up", "share of test images wrong"),
    ),
    smoke=Changes({"num_steps": 20}, num_seeds=2, arms={"small": {"num_steps": 40}}),
    laptop=Changes(num_seeds=6),
    full=Changes(num_seeds=480),
    paper=Changes(
        {
            "task": Cifar10(augment=True),
            "model": Resnet(n=3),
            "batch_size": 8192,
            "num_steps": 165,
            "optimizer.weight_decay": 1e-4,
            "optimizer.nesterov": True,
            "optimizer.learning_rate": (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8),
        },
        num_seeds=5,
        arms={
            "constant": {"schedule.fraction": 1 / 6},
            "gradual": {"schedule.fraction": 1 / 6},
            "small": {"batch_size": 8192 // LARGER, "num_steps": 165 * LARGER},
        },
    ),
)
