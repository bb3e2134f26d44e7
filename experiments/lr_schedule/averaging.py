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


constant = Arm(name="constant", label="constant, last iterate", training=PLAIN)
uniform = Arm(name="uniform", label="constant, mean of all iterates", training=free())
weighted = Arm(name="weighted", label="constant, mean with cubic weights", training=free(power=3.0))
schedule_free = Arm(name="schedule_free", label="schedule-free", training=free(beta=0.9))
UNDECAYED = (constant, uniform, weighted, schedule_free)
LINEAR = {
    horizon: Arm(
        name=f"linear_{horizon}",
        label=f"linear to zero in {horizon}",
        training=PLAIN.but(schedule=Linear(), num_steps=horizon),
    )
    for horizon in HORIZONS
}
momentum = Arm(
    name="momentum",
    label=f"linear to zero in {LONGEST}, momentum 0.9",
    training=PLAIN.but(optimizer=Sgd(momentum=0.9), schedule=Linear()),
    sweep={RATE: (0.01, 0.02, 0.05, 0.1, 0.2)},
)


def against_decay(arm: Arm, horizon: int, baseline: Arm | None = None) -> PairedRatio:
    """Return an undecayed run's loss at a horizon over that of the runs that decay to zero there."""
    baseline = baseline or LINEAR[horizon]
    return PairedRatio(measure=At("test_loss", step=horizon), runs=arm.best(), baseline=baseline.best())


def tracks(horizon: int) -> Claim:
    return Claim(
        id="B-SC11",
        form=f"T = {horizon}",
        statement=f"The average of one run at a constant rate is as good after {horizon} steps as a rate that decays to zero there.",
        source="Defazio et al. 2024 of schedule-free averages",
        estimate=against_decay(weighted, horizon),
        rule=Below(1.05),
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
    probes=(Evaluate(steps=Steps(at=HORIZONS, count=8), splits=("validation", "test")),),
    selection=Selection(metric="validation_loss"),
    noise_floor=LINEAR[LONGEST].at({RATE: 0.2}),
    claims=(
        *(tracks(horizon) for horizon in HORIZONS),
        Claim(
            id="B-SC11",
            form="without averaging",
            statement="Without decay and without averaging the loss is higher.",
            source="folklore",
            estimate=against_decay(constant, LONGEST),
            rule=Above(1.05),
            unit="ratio of test losses after 800 steps",
            because="otherwise there would be nothing for an average to replace; the same 5 %",
        ),
        Claim(
            id="B-SC11",
            form="uniform",
            statement="The mean of all iterates, the one of theory, does not keep up.",
            source="Defazio et al. 2024",
            estimate=against_decay(uniform, LONGEST),
            rule=Above(1.05),
            unit="ratio of test losses after 800 steps",
            because="not to keep up is a loss more than 5 % higher",
        ),
        Claim(
            id="B-SC12",
            statement="Schedule-free SGD is as good as a tuned decay with momentum, without knowing the horizon.",
            source="Defazio et al. 2024",
            estimate=against_decay(schedule_free, LONGEST, momentum),
            rule=Below(1.05),
            unit="ratio of test losses after 800 steps",
            because="as good: at most 5 % higher, each at its own best of five rates",
        ),
        Claim(
            id="B-SC12",
            form="early",
            statement="So it is at an eighth of the budget that its rate was chosen for.",
            source="Defazio et al. 2024",
            estimate=against_decay(schedule_free, HORIZONS[0]),
            rule=Below(1.05),
            unit="ratio of test losses after 100 steps, over linear decay in 100",
            because="a method without a horizon is as good at every one; the same 5 %",
        ),
    ),
    figures=(
        Figure(
            name="averaging",
            caption="Test loss of one undecayed run at each horizon, and of runs that decay to zero there.",
            panels=(
                curve("One run, every horizon", "test_loss", best_runs(*UNDECAYED, LINEAR[LONGEST]), log_y=True),
                bars(
                    "At the longest horizon",
                    Last("test_loss"),
                    best_runs(*UNDECAYED, LINEAR[LONGEST], momentum),
                    x_label="what is evaluated",
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, sweep={RATE: (0.1, 0.5)}),
        "full": Changes(num_seeds=32),
        "paper": Changes(training={"task": Digits(source="mnist"), "model.width": 256}, num_seeds=8),
    },
)
