"""Schedules without sampling error: the expected loss of SGD on a noisy quadratic, exactly, each at its own best rate."""

from seven_terms.spec import (
    Arm,
    Changes,
    Constant,
    Cosine,
    Evaluate,
    ExpectedSgd,
    Experiment,
    Exponential,
    InverseSqrt,
    InverseTime,
    Linear,
    NoisyQuadraticMoments,
    Point,
    Schedule,
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
RATES = tuple(round(0.0112 * 1.2414**i, 6) for i in range(28))  # 28 points, logarithmic, to be matched to papers.md


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
        Arm(name=f"{name}_{steps}", label=f"{label}, T = {steps}", training=training(schedule, steps))
        for steps in (300, 3000)
        for name, (label, schedule) in SCHEDULES.items()
    ),
    sweep={"optimizer.learning_rate": RATES},
    num_seeds=1,
    probes=(Evaluate(steps=Steps(count=4), splits=("train",)),),
    selection=Selection(metric="train_loss"),
    claims=(),
    figures=(),
    scales={"smoke": Changes(sweep={"optimizer.learning_rate": RATES[::3]})},
)
