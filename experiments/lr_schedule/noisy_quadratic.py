"""Schedules without sampling error: the expected loss of SGD on a noisy quadratic, exactly, each at its own best rate."""

from seven_terms.spec import (
    Arm,
    Bars,
    Changes,
    Constant,
    Cosine,
    Evaluate,
    ExpectedSgd,
    Experiment,
    Exponential,
    Figure,
    InverseSqrt,
    InverseTime,
    Last,
    Linear,
    NoisyQuadraticMoments,
    Panel,
    Point,
    Schedule,
    Selected,
    Selection,
    Step,
    Steps,
    Training,
    WarmupStableDecay,
)

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


experiment = Experiment(
    name="noisy_quadratic",
    term="lr_schedule",
    title="Schedules on a noisy quadratic, exactly",
    question="In which order do schedules come when sampling error is taken away?",
    method=(
        "SGD on a quadratic of 1,000 eigenvalues 1/i with gradient noise of variance 1/i, started at distance one. The "
        "second moments follow an exact recursion, so the expected final loss is computed without sampling. Each schedule "
        "takes its best peak rate from one logarithmic grid of 28."
    ),
    arms=tuple(
        Arm(
            name=f"{name}_{steps}",
            label=f"{label}, T = {steps}",
            training=training(schedule, steps),
            sweep={"optimizer.learning_rate": INVERSE_SQRT_RATES} if name == "inverse_sqrt" else {},
        )
        for steps in BUDGETS
        for name, (label, schedule) in SCHEDULES.items()
    ),
    sweep={"optimizer.learning_rate": RATES},
    num_seeds=1,
    probes=(Evaluate(steps=Steps(count=4), splits=("train",)),),
    selection=Selection(metric="train_loss"),
    claims=(),
    figures=(
        Figure(
            name="final_loss",
            caption="Expected final loss of each schedule at its own best peak rate, without sampling error.",
            panels=tuple(
                Panel(
                    title=f"T = {steps}",
                    content=Bars(
                        measure=Last("train_loss"),
                        runs={
                            label: Selected(f"{name}_{steps}", best=("learning_rate",))
                            for name, (label, _) in SCHEDULES.items()
                        },
                    ),
                    x_label="schedule",
                    y_label="expected loss",
                )
                for steps in BUDGETS
            ),
        ),
    ),
    scales={"smoke": Changes(sweep={"optimizer.learning_rate": RATES[::3]})},
)
