"""Does clipped gradient descent beat every fixed step where curvature grows with the gradient?"""

from seven_terms.spec import *

FIXED = Training(
    task=PowerFunction(exponent=4.0),
    model=Point(dimension=1, start=1.0, random=True),
    initialization=Initialization(scale=10.0),
    optimizer=Sgd(learning_rate=0.01),
    num_steps=1000,
    precision="float64",
)
CLIPPED = FIXED.but(clipping=Clipping(norm=1.0))
RADII = (1.0, 3.0, 10.0)
RATES = tuple(10.0 ** (exponent / 2.0) for exponent in range(-8, 4))  # 1e-4 ... 32, two a decade
arrival = StepsTo("validation_loss", below=1e-3)
fixed_best, clipped_best = ("learning_rate",), ("learning_rate", "norm")

FINER = tuple(10.0 ** (exponent / 8.55) for exponent in range(-34, 14))  # as many as rates times thresholds
fixed = Arm("fixed", FIXED, label="fixed step", sweep={"optimizer.learning_rate": FINER})
clipped = Arm("clipped", CLIPPED, sweep={"clipping.norm": (0.1, 0.3, 1.0, 3.0)})

experiment = Experiment.here(
    __name__,
    title="Where curvature grows with the gradient",
    question="Is clipped gradient descent faster than every fixed step when curvature grows with the gradient?",
    method="Gradient descent on f(x) = x^4 / 4, whose curvature is 3 x^2, from normally distributed starts of increasing "
    "spread, in double precision. Each of 48 rates between 1e-4 and 32 is tried as a fixed step, and each of twelve with the gradient "
    "clipped at one of four thresholds; rate and threshold are those with the lowest mean loss after 1,000 updates "
    "over all starts of a spread. Counted are the updates until f is below 0.001, looked at 40 times.",
    arms=(fixed, clipped),
    sweep={"optimizer.learning_rate": RATES, "initialization.scale": RADII},
    num_seeds=8,
    probes=Evaluate(steps=Steps(count=40, spacing="logarithmic"), splits=("validation",)),
    selection=Selection(metric="validation_loss"),
    noise_floor=fixed,
    claims=claim(
        "B-GC5",
        "Clipped gradient descent beats every fixed step that serves all starts, where curvature grows with the gradient.",
        PairedRatio(
            arrival, fixed.best(at={"initialization.scale": 10.0}), clipped.best(at={"initialization.scale": 10.0})
        ).above(1.0),
        source="Zhang et al. 2020",
        unit="times as many updates, best fixed step over clipped, starts of spread 10",
        because="a ratio above 1 at each form's own best setting means that no fixed step keeps up",
        scales=("laptop", "full", "paper"),
    ),
    figures=figure(
        "power_function",
        "Updates until x^4 / 4 is below 0.001 over the spread of the starts, each form at its best setting; a line "
        "ends where a run did not arrive within 1,000 updates.",
        sweep_curve(
            "Updates needed",
            arrival,
            {"fixed step": fixed.best(), "clipped": clipped.best()},
            over="initialization.scale",
        ).axes("spread of the starts", "updates", log="xy"),
    ),
    laptop=Changes({"initialization.scale": (RADII[0], RADII[-1])}, num_seeds=4),  # the claim reads the last
    full=Changes(num_seeds=16),
    smoke=Changes(
        {"num_steps": 20, "optimizer.learning_rate": (0.01, 0.1, 1.0), "initialization.scale": (1.0, 3.0)}, num_seeds=2
    ),
)
