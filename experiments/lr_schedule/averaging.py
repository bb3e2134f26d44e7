"""Can an average of iterates replace the decay of the rate, and with it the horizon that a schedule must know?

One run at a constant rate, with an average that needs no horizon, is compared at each of four budgets with runs whose rate falls to
zero exactly there, each tuned for its own budget. Claims and margins were written before the first run.
"""

from seven_terms.spec import *

RATE = "optimizer.learning_rate"
HORIZONS = (100, 200, 400, 800)
LONGEST = HORIZONS[-1]
PLAIN = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    num_steps=LONGEST,
    batch_size=32,
)


def free(*, beta: float = 0.0, power: float = 0.0) -> Training:
    return PLAIN.but(optimizer=ScheduleFree(beta=beta, power=power))


constant = Arm("constant", PLAIN, label="constant, last iterate")
uniform = Arm("uniform", free(), label="constant, mean of all iterates")
weighted = Arm("weighted", free(power=3.0), label="constant, mean with cubic weights")
schedule_free = Arm("schedule_free", free(beta=0.9), label="schedule-free")
UNDECAYED = (constant, uniform, weighted, schedule_free)
LINEAR = {
    horizon: Arm(
        f"linear_{horizon}", PLAIN.but(schedule=Linear(), num_steps=horizon), label=f"linear to zero in {horizon}"
    )
    for horizon in HORIZONS
}
momentum = Arm(
    "momentum",
    PLAIN.but(optimizer=Sgd(momentum=0.9), schedule=Linear()),
    label=f"linear to zero in {LONGEST}, momentum 0.9",
    sweep={RATE: (0.01, 0.02, 0.05, 0.1, 0.2)},
)


def against_decay(arm: Arm, horizon: int, baseline: Arm | None = None) -> PairedRatio:
    """Return an undecayed run's loss at a horizon over that of the runs that decay to zero there."""
    baseline = baseline or LINEAR[horizon]
    return PairedRatio(measure=At("test_loss", step=horizon), runs=arm.best(), baseline=baseline.best())


def tracks(horizon: int) -> Claim:
    return claim(
        f"B-SC11 (T = {horizon})",
        f"A mean of one run's iterates at a constant rate, with cubic weights, is as good after {horizon} steps as a rate that decays to zero there.",
        against_decay(weighted, horizon).below(1.05),
        source="Defazio et al. 2024 of schedule-free averages",
        unit="ratio of test losses",
        because="as good: a test loss at most 5 % higher, the margin of B-SC6, for a rate that was chosen for 800 steps alone",
    )


experiment = Experiment.here(
    __name__,
    title="Averages in place of decay",
    question="Does averaging iterates replace the decay of the rate, at every horizon?",
    method="A network of two hidden layers of 32 ReLU units classifies digits of 7 x 7 pixels in batches of 32 with SGD. At a "
    "constant rate over 800 steps four things are evaluated after 100, 200, 400 and 800: the last iterate, the mean of all iterates, the "
    "mean with weights that grow as the cube of the step, and schedule-free SGD with beta 0.9. Beside them runs decay linearly "
    "to zero at each of these horizons, and one with momentum 0.9 at the longest. Each arm takes its own best of five rates, an "
    "undecayed one by its validation loss at the end alone.",
    arms=(*UNDECAYED, *LINEAR.values(), momentum),
    sweep={RATE: (0.1, 0.2, 0.5, 1.0, 2.0)},
    num_seeds=10,
    probes=Evaluate(steps=Steps(at=HORIZONS, count=8), splits=("validation", "test")),
    selection=Selection(metric="validation_loss"),
    noise_floor=LINEAR[LONGEST].at({RATE: 0.2}),
    claims=(
        *(tracks(horizon) for horizon in HORIZONS),
        claim(
            "B-SC11 (without averaging)",
            "Without decay and without averaging the loss is higher.",
            against_decay(constant, LONGEST).above(1.05),
            source="folklore",
            unit="ratio of test losses after 800 steps",
            because="otherwise there would be nothing for an average to replace; the same 5 %",
        ),
        claim(
            "B-SC11 (uniform)",
            "The mean of all iterates, the one of theory, does not keep up.",
            against_decay(uniform, LONGEST).above(1.05),
            source="Defazio et al. 2024",
            unit="ratio of test losses after 800 steps",
            because="not to keep up is a loss more than 5 % higher",
        ),
        claim(
            "B-SC12",
            "Schedule-free SGD is as good as a tuned decay with momentum, without knowing the horizon.",
            against_decay(schedule_free, LONGEST, momentum).below(1.05),
            source="Defazio et al. 2024",
            unit="ratio of test losses after 800 steps",
            because="as good: at most 5 % higher, each at its own best of five rates",
        ),
        claim(
            "B-SC12 (early)",
            "At an eighth of the budget that its rate was chosen for it is as good as a linear decay without momentum.",
            against_decay(schedule_free, HORIZONS[0]).below(1.05),
            source="Defazio et al. 2024",
            unit="ratio of test losses after 100 steps, over linear decay in 100 without momentum",
            because="a method without a horizon is as good at every one; the same 5 %",
        ),
    ),
    figures=figure(
        "averaging",
        "Test loss of one undecayed run at each horizon, and of runs that decay to zero there.",
        curve("One run, every horizon", "test_loss", best_runs(*UNDECAYED, LINEAR[LONGEST])).axes(log="y"),
        bars("At the longest horizon", Last("test_loss"), best_runs(*UNDECAYED, LINEAR[LONGEST], momentum)).axes(
            x="what is evaluated"
        ),
    ),
    smoke=Changes({RATE: (0.1, 0.5)}, num_seeds=2),
    full=Changes(num_seeds=32),
    paper=Changes({"task": Digits(source="mnist"), "model.width": 256}, num_seeds=8),
)
