"""What happens when the rate of a network drops: the spread before and after, the jump, and what comes later."""

from seven_terms.spec import *

KEEP = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=1, width=16, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.1, momentum=0.9),
    schedule=Step(drop=1.0, fractions=(0.5,)),
    num_steps=3000,
    batch_size=16,
)
DIVISORS = (3, 10, 100, 1000)
DROPPED = {number: KEEP.but(schedule=Step(drop=1 / number, fractions=(0.5,))) for number in DIVISORS}
NORMALIZED = DROPPED[10].but(model=Mlp(depth=1, width=16, activation="relu", normalization=BatchNorm(momentum=0.01)))
ARMS = {"keep": ("no drop", KEEP)} | {f"drop_{n}": (f"rate / {n}", training) for n, training in DROPPED.items()}
BEFORE, AFTER, END = (0.3, 0.5), (0.8, 1.0), (0.95, 1.0)


def over(metric: str, statistic: str, part: tuple[float, float]) -> Over:
    return Over(metric, statistic, start=part[0], stop=part[1])  # type: ignore[arg-type]


def spread_ratio(metric: str) -> Combine:
    return Combine("ratio", over(metric, "detrended_std", AFTER), over(metric, "detrended_std", BEFORE))


final_loss = over("test_loss", "mean", END)
jump = Combine("difference", over("test_accuracy", "mean", (0.51, 0.56)), over("test_accuracy", "mean", (0.45, 0.5)))
later = Combine("ratio", final_loss, over("test_loss", "mean", (0.51, 0.56)))

arms = by_name(
    (
        *(Arm(name, training, label=label) for name, (label, training) in ARMS.items()),
        Arm("batch_norm", NORMALIZED, label="rate / 10, batch norm"),
    )
)
keep, drop_3, drop_10, drop_100, drop_1000, batch_norm = arms.values()

experiment = Experiment.here(
    __name__,
    title="A drop of the rate in a network",
    question="Does a drop of the rate calm a network, what is gained at once, and does a lower rate stay better?",
    method="A network of one hidden layer of 16 ReLU units, too small to fit the digits, is trained at a high rate with "
    "momentum 0.9; halfway the rate is divided by 3, 10, 100 or 1,000, or kept. All arms share the first half, seed by "
    "seed. Spread is the standard deviation of test loss or accuracy about a straight line over twelve evaluations of one run. A "
    "batch-normalized network with slow running statistics is evaluated with those and with exact statistics.",
    arms=arms,
    num_seeds=14,
    probes=Evaluate(steps=Steps(count=60), splits=("train", "test"), num_examples=500, batch_statistics=True),
    selection=Selection(metric="test_loss"),
    noise_floor=drop_10,
    claims=(
        claim(
            "DE1 (spread)",
            "Decay reduces the oscillation around a minimum.",
            PairedRatio(spread_ratio("test_loss"), drop_10.at(), keep.at()).below(1.0),
            source="article",
            unit="ratio of spreads after and before, with a drop over without",
            because="what calms anyway in the second half is taken out by the network whose rate was kept",
        ),
        claim(
            "DE1 (jump)",
            "Right after the drop the accuracy jumps.",
            PairedDifference(jump, drop_10.at(), keep.at()).above(0.0),
            source="He et al. 2016; log of Smith and Topin 2017",
            unit="share of test images, with a drop minus without",
            because="mean accuracy over the twentieth of the run after the drop minus the one before, less what comes without",
        ),
        claim(
            "DE2 (network)",
            "A smaller rate leads to a smaller region around the minimum of a network.",
            Slope(
                over("test_loss", "detrended_std", AFTER),
                over="schedule.drop",
                runs=tuple(arms[name].at() for name in ARMS),
            ).above(0.0),
            source="article",
            unit="exponent of the spread",
            because="a spread that grows with the rate has a positive exponent",
        ),
        claim(
            "B-DE2 (as said)",
            "After a drop, the lower the rate the better.",
            PairedRatio(final_loss, drop_100.at(), drop_10.at()).below(1.0),
            source="folklore",
            unit="ratio of test losses, rate / 100 over rate / 10",
            because="a tenfold lower rate would have to end lower; a thousandth of the rate, which stops training, is no test",
        ),
        claim(
            "B-DE2 (fair)",
            "A tenfold drop of the rate ends lower than no drop.",
            PairedRatio(final_loss, drop_10.at(), keep.at()).below(1.0),
            source="He et al. 2016",
            unit="ratio of test losses",
            because="both share the first half, so a ratio below 1 is due to the drop",
        ),
        claim(
            "B-DE2 (later)",
            "What the drop gains is kept until the end.",
            Mean(later, drop_10.at(), log=True).below(1.0),
            source="folklore; against it the log of Smith and Topin 2017",
            unit="ratio of test losses, at the end over right after the drop",
            because="a test loss that rises again after the drop gives back what was gained",
        ),
    ),
    figures=(
        figure(
            "drop",
            "A drop of the rate halfway: test loss over training, its spread in the last fifth, and where it ends.",
            curve("Test loss", "test_loss", all_runs(keep, drop_3, drop_10, drop_100, drop_1000)).axes(
                y="test loss (nats)", log="y"
            ),
            bars(
                "Spread, last fifth",
                over("test_loss", "detrended_std", AFTER),
                all_runs(keep, drop_3, drop_10, drop_100, drop_1000),
            ).axes("drop", "std of test loss", log="y"),
            bars("Final test loss", final_loss, all_runs(keep, drop_3, drop_10, drop_100, drop_1000)).axes(
                "drop", "test loss (nats)"
            ),
            key=2,
        ),
        figure(
            "statistics",
            "A batch-normalized network before and after the drop, with running and with exact statistics.",
            *(
                curve(title, f"{prefix}test_accuracy", {"batch norm": batch_norm.at()}, band="seeds").axes(
                    y="test accuracy", y_limits=(0.8, None)
                )
                for title, prefix in (("Running statistics", ""), ("Exact statistics", "batch_statistics_"))
            ),
            scales=("smoke", "laptop", "full"),
        ),
    ),
    smoke=Changes({"num_steps": 120}, num_seeds=2),
    laptop=Changes(num_seeds=6),
    full=Changes(num_seeds=32),
    paper=Changes(
        {"task": Cifar10(augment=True), "model": Resnet(n=3), "batch_size": 128, "num_steps": 8000},
        num_seeds=5,
        without_arms=("batch_norm",),
    ),
)
