"""Ten schedules, three budgets, each at its own best peak rate: does decay to zero win, and does constant need longer?"""

from seven_terms.spec import *

SCHEDULES: dict[str, tuple[str, Schedule]] = {
    "constant": ("constant", Constant()),
    "step": ("step", Step()),
    "exponential": ("exponential", Exponential()),
    "cosine": ("cosine", Cosine()),
    "linear": ("linear to zero", Linear()),
    "one_cycle": ("one-cycle", OneCycle()),
    "warmup_cosine": ("warm-up + cosine", Warmup(fraction=0.05)),
    "wsd": ("WSD", WarmupStableDecay(warmup=0.05)),
    "inverse_sqrt": ("inverse square root", InverseSqrt(offset=20.0)),
    "restarts": ("cosine with restarts", CosineRestarts()),
    "cut": ("cosine cut at a third", Truncated(planned=3.0)),
}
UNJUDGED = ("exponential", "one_cycle", "inverse_sqrt")  # shown, but in no claim
OVER_BUDGETS = ("constant", "step", "cosine", "linear", "warmup_cosine", "wsd", "cut")
OVER_TIME = ("constant", "step", "cosine", "linear", "restarts")
LONGEST, HALF = Ranked(-1), Ranked(-2)
FINAL_LOSS = Last("test_loss")


def training(schedule: Schedule) -> Training:
    return Training(
        task=Digits(resolution=7),
        model=Mlp(depth=2, width=32, activation="relu"),
        initialization=Initialization(kind="he"),
        optimizer=Sgd(momentum=0.9),
        schedule=schedule,
        num_steps=1800,
        batch_size=32,
    )


def at(schedule: str, budget: Ranked = LONGEST) -> Selected:
    return ARMS[schedule].best(at={"num_steps": budget})


def loss_ratio(schedule: str, baseline: str) -> Estimate:
    return PairedRatio(FINAL_LOSS, at(schedule), at(baseline))


def labelled(*names: str) -> dict[str, Selected]:
    return {SCHEDULES[name][0]: at(name) for name in names}


ARMS = by_name(
    Arm(name, training(schedule), label=label, num_seeds=5 if name in UNJUDGED else None)
    for name, (label, schedule) in SCHEDULES.items()
)

experiment = Experiment.here(
    __name__,
    title="Ten schedules stretched to three budgets",
    question="Which schedule gives the lowest loss at each budget, and does a constant rate need longer?",
    method="A network of two hidden layers of 32 ReLU units classifies real digits with SGD and momentum 0.9. Each of ten "
    "schedules is stretched to each of three budgets and takes its peak rate from the same grid, selected on "
    "validation loss for each schedule and budget; so does a cosine made for three times the budget and cut off. "
    "Reported is the test loss of the last iterate, and beside it that of the step that validation would have chosen.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.01, 0.025, 0.06, 0.15, 0.4), "num_steps": (225, 900, 1800)},
    num_seeds=18,
    probes=Evaluate(steps=Steps(count=10), splits=("validation", "test")),
    selection=Selection(metric="validation_loss"),
    noise_floor=ARMS["linear"].at({"optimizer.learning_rate": 0.06, "num_steps": 1800}),
    claims=(
        claim(
            "SC1 (works)",
            "Training at a constant rate works.",
            PairedRatio(Last("test_accuracy"), at("constant"), at("linear")).above(0.95),
            source="article",
            unit="ratio of accuracies",
            because="a network that keeps 95 % of the accuracy that a decaying rate gives has been trained",
        ),
        claim(
            "SC1 (longer)",
            "A constant rate needs more than twice the steps to the loss that a line to zero reaches.",
            PairedDifference(FINAL_LOSS, at("linear", HALF), at("constant")).below(0.0),
            source="article",
            unit="nats",
            because="a line to zero over half the steps that ends lower shows that twice as many steps at a constant rate are not enough",
        ),
        claim(
            "SC2 (decrease)",
            "Decreasing the rate in time reaches a lower final loss than a constant rate.",
            PairedDifference(FINAL_LOSS, at("linear"), at("constant")).below(0.0),
            source="article",
            unit="nats",
            because="a negative paired difference of final test loss, each at its own best rate, is a better result",
        ),
        claim(
            "SC2 (increase)",
            "Increasing the rate at the start lowers the final loss further, by a hundredth of a nat or more.",
            PairedDifference(FINAL_LOSS, at("warmup_cosine"), at("cosine")).below(-0.01),
            source="article",
            unit="nats",
            because="the two schedules differ by the warm-up alone, and each has its own best peak rate; further is a hundredth "
            "of a nat at least, a quarter of what decay itself gives",
        ),
        claim(
            "B-SC1 (network)",
            "Linear decay to zero is at least as good as cosine, each tuned.",
            loss_ratio("linear", "cosine").below(1.05),
            source="Defazio et al. 2023",
            unit="ratio of test losses",
            because="at least as good: a test loss less than 5 % higher",
        ),
        claim(
            "B-SC1 (step)",
            "Linear decay to zero beats the step schedule, each tuned.",
            loss_ratio("linear", "step").below(1.0),
            source="Defazio et al. 2023",
            unit="ratio of test losses",
            because="a ratio below 1 is a lower loss",
        ),
        claim(
            "B-SC2 (as said)",
            "Warm restarts improve the final result over a step schedule.",
            loss_ratio("restarts", "step").below(1.0),
            source="Loshchilov and Hutter 2016",
            unit="ratio of test losses",
            because="the step schedule is what the paper compares with; a ratio below 1 is an improvement",
        ),
        claim(
            "B-SC2 (fair)",
            "Warm restarts lower the final loss by 2 % or more against the same cosine without restarts.",
            loss_ratio("restarts", "cosine").below(0.98),
            source="folklore; against it Loshchilov and Hutter 2016, table 1",
            unit="ratio of test losses",
            because="both are cosines to zero over the same steps, so a loss that is lower by 2 % at least is due to the restarts",
        ),
        claim(
            "B-SC4",
            "A schedule that was made for a longer training and is cut off ends worse, tuned or not.",
            loss_ratio("cut", "cosine").above(1.05),
            source="Li et al. 2019",
            unit="ratio of test losses",
            because="worse: a test loss at least 5 % higher although the cut schedule, too, has its own best rate",
        ),
        claim(
            "B-SC6 (network)",
            "A constant rate with a cooldown over the last fifth matches cosine, both after a warm-up.",
            loss_ratio("wsd", "warmup_cosine").within(0.95, 1.05),
            source="Hagele et al. 2024",
            unit="ratio of test losses",
            because="a match: test losses within 5 % of each other, each at its own best rate",
        ),
    ),
    figures=(
        figure(
            "budgets",
            "Final test loss of each schedule at its own best peak rate: over three budgets; at the longest, last and best.",
            sweep_curve(
                "Last iterate",
                FINAL_LOSS,
                {SCHEDULES[name][0]: ARMS[name].best() for name in OVER_BUDGETS},
                over="num_steps",
            ).axes("budget (steps)", "test loss (nats)", log="xy"),
            bars("Longest: last", FINAL_LOSS, labelled(*SCHEDULES)).axes(
                "schedule", "test loss (nats)", y_limits=(0.2, None)
            ),
            bars("Longest: best", AtBest("test_loss", of="validation_loss"), labelled(*SCHEDULES)).axes(
                "schedule", "test loss (nats)", y_limits=(0.2, None)
            ),
            key=1,
            summary=0,
        ),
        figure(
            "anytime",
            "Test loss on the way to the longest budget: what each schedule has to show when it is stopped early.",
            curve("Own best peak rate", "test_loss", labelled(*OVER_TIME)).axes(
                y="test loss (nats)", log="y", y_limits=(None, 0.8)
            ),
        ),
    ),
    smoke=Changes({"optimizer.learning_rate": (0.15,), "num_steps": (20, 40, 60)}, num_seeds=2),
    laptop=Changes(num_seeds=8),
    full=Changes(num_seeds=192, seeds={"linear": 512, "step": 512}),
    paper=Changes(
        {
            "task": Cifar10(augment=True),
            "model": Resnet(n=3),
            "batch_size": 128,
            "optimizer.weight_decay": 5e-4,
            "optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0),
            "num_steps": (3520, 8800, 17_600),
        },
        num_seeds=5,
    ),
)
