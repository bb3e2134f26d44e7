"""Ten schedules, three budgets, each at its own best peak rate: does decay to zero win, and does constant need longer?"""

from seven_terms.spec import (
    Arm,
    Below,
    Changes,
    Claim,
    Constant,
    Cosine,
    CosineRestarts,
    Digits,
    Evaluate,
    Experiment,
    Exponential,
    Figure,
    Initialization,
    InverseSqrt,
    Last,
    Linear,
    Mlp,
    OneCycle,
    PairedDifference,
    Panel,
    Schedule,
    Selected,
    Selection,
    Sgd,
    Step,
    Steps,
    SweepCurve,
    Training,
    Warmup,
    WarmupStableDecay,
)

SCHEDULES: dict[str, tuple[str, Schedule]] = {
    "constant": ("constant", Constant()),
    "step": ("step", Step()),
    "exponential": ("exponential", Exponential()),
    "cosine": ("cosine", Cosine()),
    "linear": ("linear to zero", Linear()),
    "one_cycle": ("one-cycle", OneCycle()),
    "warmup_cosine": ("warm-up + cosine", Warmup()),
    "wsd": ("WSD", WarmupStableDecay(warmup=0.05)),
    "inverse_sqrt": ("inverse square root", InverseSqrt(offset=20.0)),
    "restarts": ("cosine with restarts", CosineRestarts()),
}
TRAINING = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=2, width=64, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9),
    num_steps=600,
    batch_size=64,
)
RATE = ("learning_rate",)


def at(schedule: str, budget: int) -> Selected:
    return Selected(schedule, where={"num_steps": budget}, best=RATE)


experiment = Experiment(
    name="budgets",
    term="lr_schedule",
    title="Ten schedules stretched to three budgets",
    question="Which schedule gives the lowest loss at each budget, and does a constant rate need longer?",
    method=(
        "A network of two hidden layers of 64 ReLU units classifies real digits with SGD and momentum 0.9. Each of ten "
        "schedules is stretched to each of three budgets and takes its peak rate from the same grid, selected on "
        "validation loss for each schedule and budget. Reported is the test loss of the last iterate."
    ),
    arms=tuple(
        Arm(
            name=name,
            label=label,
            training=Training(
                task=TRAINING.task,
                model=TRAINING.model,
                initialization=TRAINING.initialization,
                optimizer=TRAINING.optimizer,
                schedule=schedule,
                num_steps=TRAINING.num_steps,
                batch_size=TRAINING.batch_size,
            ),
        )
        for name, (label, schedule) in SCHEDULES.items()
    ),
    sweep={
        "optimizer.learning_rate": (0.003, 0.01, 0.03, 0.1, 0.3),
        "num_steps": (150, 500, 1500),
    },
    num_seeds=5,
    probes=(Evaluate(steps=Steps(count=10)),),
    selection=Selection(metric="validation_loss"),
    noise_floor_arm="constant",
    claims=(
        Claim(
            id="SC2",
            statement="Decreasing the rate in time reaches a lower final loss than a constant rate.",
            source="article",
            estimate=PairedDifference(
                measure=Last("test_loss"), runs=at("linear", 1500), baseline=at("constant", 1500)
            ),
            rule=Below(0.0),
            unit="nats",
            because="a negative paired difference of final test loss, each at its own best rate, is a better result",
            scales=("laptop", "paper"),  # the smoke scale has other budgets
        ),
        Claim(
            id="B-SC1",
            statement="Linear decay to zero is at least as good as cosine, each tuned.",
            source="Defazio et al. 2023",
            estimate=PairedDifference(measure=Last("test_loss"), runs=at("linear", 1500), baseline=at("cosine", 1500)),
            rule=Below(0.01),
            unit="nats",
            because="at least as good: worse by less than 0.01 nats of test loss",
            scales=("laptop", "paper"),
        ),
    ),
    figures=(
        Figure(
            name="budgets",
            caption="Final test loss of each schedule at its own best peak rate, over three budgets.",
            panels=(
                Panel(
                    title="Last iterate",
                    content=SweepCurve(
                        measure=Last("test_loss"),
                        over="num_steps",
                        runs={label: Selected(name, best=RATE) for name, (label, _) in SCHEDULES.items()},
                    ),
                    x_label="budget (steps)",
                    y_label="test loss (nats)",
                    log_x=True,
                ),
            ),
            summary=0,
        ),
    ),
    scales={
        "smoke": Changes(
            num_seeds=2,
            sweep={"optimizer.learning_rate": (0.03, 0.1), "num_steps": (20, 40, 60)},
        ),
    },
)
