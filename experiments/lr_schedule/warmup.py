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
        *(Arm(name=name, label=label, training=training) for name, (label, training) in ARMS.items()),
        Arm(
            name="small",
            label="small batch",
            training=SMALL,
            sweep={"optimizer.learning_rate": SMALL_RATES},
            num_seeds=4,
        ),
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
    arms=tuple(arms.values()),
    sweep={"optimizer.learning_rate": tuple(LARGER * rate for rate in SMALL_RATES)},
    num_seeds=16,
    probes=(Evaluate(steps=Steps(count=5), splits=("validation", "test")),),
    selection=Selection(metric="validation_error"),
    noise_floor=arms["none"].at({"optimizer.learning_rate": 0.16}),
    claims=(
        Claim(
            id="B-SC3",
            form="gradual",
            statement="Gradual warm-up rescues a large batch at the linearly scaled rate.",
            source="Goyal et al. 2017, table 2",
            estimate=ProportionDifference(measure=TRAINS, runs=scaled("gradual"), baseline=scaled("none")),
            rule=Above(0.0),
            unit="share of runs that train, gradual warm-up minus none",
            because="runs either fail, with half of the test images wrong, or end close together: fewer that fail is a rescue",
        ),
        Claim(
            id="B-SC3",
            form="constant",
            statement="A warm-up at a low constant rate makes a large batch fail at the linearly scaled rate.",
            source="Goyal et al. 2017, table 2",
            estimate=ProportionDifference(measure=TRAINS, runs=scaled("constant"), baseline=scaled("none")),
            rule=Below(0.0),
            unit="share of runs that train, constant warm-up minus none",
            because="more runs with half of the test images wrong than with the same schedule without warm-up is harm",
        ),
        Claim(
            id="B-SC3",
            form="own rate",
            statement="Gradual warm-up lowers the error of a large batch when each schedule has its own best rate.",
            source="Goyal et al. 2017",
            estimate=PairedDifference(measure=ERROR, runs=arms["gradual"].best(), baseline=arms["none"].best()),
            rule=Below(-0.005),
            unit="share of test images",
            because="half a point of error at least that is left after tuning is not a matter of the rate alone",
        ),
    ),
    figures=(
        Figure(
            name="rates",
            caption=(
                "Final test error of the large batch over the rate, and at the linearly scaled rate. A cross "
                "is a run that diverged; where there is one no mean is drawn."
            ),
            panels=(
                sweep_curve(
                    "Large batch, by rate",
                    ERROR,
                    {label: arms[name].at() for name, (label, _) in ARMS.items()},
                    over="optimizer.learning_rate",
                    y_label="share of test images wrong",
                    log_x=True,
                    log_y=True,
                ),
                bars(
                    "Linear scaling rule",
                    ERROR,
                    {"small batch": small, **{label: scaled(name) for name, (label, _) in ARMS.items()}},
                    x_label="warm-up",
                    y_label="share of test images wrong",
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"num_steps": 20}, arms={"small": {"num_steps": 40}}),
        "full": Changes(num_seeds=64),
        "paper": Changes(
            num_seeds=5,
            training={
                "task": Cifar10(augment=True),
                "model": Resnet(n=3),
                "batch_size": 8192,
                "num_steps": 165,
                "optimizer.weight_decay": 1e-4,
                "optimizer.nesterov": True,
            },
            arms={
                "constant": {"schedule.fraction": 1 / 6},
                "gradual": {"schedule.fraction": 1 / 6},
                "small": {"batch_size": 8192 // LARGER, "num_steps": 165 * LARGER},
            },
            sweep={"optimizer.learning_rate": (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)},
        ),
    },
)
