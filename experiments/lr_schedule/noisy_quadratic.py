"""Schedules without sampling error: the expected loss of SGD on a noisy quadratic, exactly, each at its own best rate."""

from seven_terms.spec import *

SCHEDULES: dict[str, tuple[str, Schedule]] = {
    "constant": ("constant", Constant()),
    "step": ("step x0.1 at 50 %, 75 %", Step()),
    "inverse_sqrt": ("1/sqrt(t+1)", InverseSqrt()),
    "inverse_time": ("1/(1+10 t/T)", InverseTime()),
    "wsd": ("WSD, linear", WarmupStableDecay()),
    "wsd_sqrt": ("WSD, 1-sqrt", WarmupStableDecay(shape="one_minus_sqrt")),
    "exponential": ("exponential to 1e-3", Exponential()),
    "cosine": ("cosine", Cosine()),
    "linear": ("linear to zero", Linear()),
}
NOT_IN_THE_TABLE: dict[str, tuple[str, Schedule]] = {
    "restarts": ("cosine with restarts", CosineRestarts()),
    "cut": ("cosine cut at a third", Truncated(planned=3.0)),
}
ALL_SCHEDULES = SCHEDULES | NOT_IN_THE_TABLE


def grid(low: float, high: float, *, num: int = 28) -> tuple[float, ...]:
    return tuple(round(low * (high / low) ** (i / (num - 1)), 6) for i in range(num))


RATES = grid(0.005, 1.95)
INVERSE_SQRT_RATES = grid(0.05, 20.0)  # a schedule that falls from the first step on wants a higher start
BUDGETS = (300, 3000)


def training(schedule: Schedule, num_steps: int) -> Training:
    return Training(
        task=NoisyQuadraticMoments(),
        model=Point(dimension=1000),
        optimizer=ExpectedSgd(),
        schedule=schedule,
        num_steps=num_steps,
        precision="float64",
    )


def best(name: str, num_steps: int = BUDGETS[-1]) -> Selected:
    return ARMS[f"{name}_{num_steps}"].best()


def loss_ratio(name: str, baseline: str) -> PairedRatio:
    return PairedRatio(Last("train_loss"), best(name), best(baseline), exact=True)


def ranked(steps: int) -> Claim:
    return claim(
        f"B-SC10 (exact, T = {steps})",
        f"Schedules rank as a convex bound on the last iterate says, over {steps:,} steps of a noisy quadratic.",
        Correlation(
            Last("train_loss"),
            Setting("last_iterate_bound"),
            tuple(best(name, steps) for name in SCHEDULES),
            exact=True,
        ).above(0.7),
        source="Schaipp et al. 2025",
        unit="rank correlation of loss and bound over nine schedules",
        because="above 0.7 the bound foretells most of the order; nine ranks in random order have that in one of fifty cases",
    )


ARMS = by_name(
    Arm(
        f"{name}_{steps}",
        training(schedule, steps),
        label=f"{label}, T = {steps}",
        sweep={"optimizer.learning_rate": INVERSE_SQRT_RATES} if name == "inverse_sqrt" else {},
    )
    for steps in BUDGETS
    for name, (label, schedule) in ALL_SCHEDULES.items()
)

experiment = Experiment.here(
    __name__,
    title="Schedules on a noisy quadratic, exactly",
    question="In which order do schedules come when sampling error is taken away?",
    method="SGD on a quadratic of 1,000 eigenvalues 1/i with gradient noise of variance 1/i, started at distance one. The "
    "second moments follow an exact recursion, so the expected final loss is computed without sampling. Each schedule "
    "takes its best peak rate from one logarithmic grid of 28.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": RATES},
    num_seeds=1,
    probes=Evaluate(steps=Steps(count=4), splits=("train",)),
    selection=Selection(metric="train_loss"),
    claims=(
        claim(
            "B-SC1 (exact)",
            "Linear decay to zero ends lower than cosine on a noisy quadratic, each tuned.",
            loss_ratio("linear", "cosine").below(1.0),
            source="Defazio et al. 2023; Zhang et al. 2019",
            unit="ratio of expected losses",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
        claim(
            "B-SC2 (exact)",
            "Warm restarts end lower than one cosine on a noisy quadratic, each tuned.",
            loss_ratio("restarts", "cosine").below(1.0),
            source="folklore; against it Loshchilov and Hutter 2016, table 1",
            unit="ratio of expected losses",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
        claim(
            "B-SC4 (exact)",
            "A cosine made for three times the steps and cut off ends worse on a noisy quadratic.",
            loss_ratio("cut", "cosine").above(1.05),
            source="Li et al. 2019",
            unit="ratio of expected losses",
            because="worse: an expected loss at least 5 % higher although the cut schedule, too, has its own best rate",
        ),
        claim(
            "B-SC6 (exact)",
            "A constant rate with a cooldown over the last fifth matches cosine over 3,000 steps of a noisy quadratic.",
            loss_ratio("wsd", "cosine").within(0.95, 1.05),
            source="Hagele et al. 2024",
            unit="ratio of expected losses",
            because="a match: expected losses within 5 % of each other, as for the network",
        ),
        claim(
            "B-SC6 (exact, short)",
            "A constant rate with a cooldown over the last fifth matches cosine over 300 steps of a noisy quadratic.",
            PairedRatio(Last("train_loss"), best("wsd", BUDGETS[0]), best("cosine", BUDGETS[0]), exact=True).within(
                0.95, 1.05
            ),
            source="Hagele et al. 2024",
            unit="ratio of expected losses, T = 300",
            because="the same match at a tenth of the steps: the order of schedules depends on the budget",
        ),
        *(ranked(steps) for steps in BUDGETS),
    ),
    figures=figure(
        "final_loss",
        "Expected final loss of each schedule at its own best peak rate, without sampling error.",
        *(
            bars(
                f"T = {steps}",
                Last("train_loss"),
                {label: best(name, steps) for name, (label, _) in ALL_SCHEDULES.items()},
            ).axes("schedule", "expected loss")
            for steps in BUDGETS
        ),
    ),
    smoke=Changes({"optimizer.learning_rate": RATES[3::6]}),
)
