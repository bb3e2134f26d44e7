"""What exactly does the rate scale? Each update over its gradient, for SGD, momentum and Adam, in double precision."""

from seven_terms.spec import *

rate = Setting("optimizer.learning_rate")
terminal = Combine("negative", Combine("ratio", rate, Combine("difference", Setting("optimizer.momentum"), 1.0)))
first_update = At("update_norm", step=1)
MOMENTA = (0.0, 0.5, 0.9, 0.95)
GRADIENTS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)

NETWORK = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32),
    initialization=Initialization(kind="he"),
    num_steps=40,
    batch_size=32,
    precision="float64",
)
CONSTANT_GRADIENT = Training(  # |x|, so far from its minimum that the gradient is 1 all the way
    task=PowerFunction(exponent=1.0), model=Point(dimension=1, start=100.0), num_steps=500, precision="float64"
)
PARABOLA = Training(  # the gradient is where it starts
    task=Quadratic(dimension=1, spectrum="equal"), model=Point(dimension=1), num_steps=1, precision="float64"
)

sgd = Arm(
    "sgd", NETWORK.but(optimizer=Sgd()), label="SGD", sweep={"optimizer.learning_rate": (1e-4, 1e-2, 1.0)}, num_seeds=3
)
momentum = Arm(
    "momentum",
    CONSTANT_GRADIENT.but(optimizer=Sgd()),
    label="heavy ball",
    sweep={"optimizer.momentum": MOMENTA, "optimizer.learning_rate": (1e-4, 1e-3)},
)
sgd_first = Arm(
    "sgd_first",
    PARABOLA.but(optimizer=Sgd(learning_rate=0.01)),
    label="SGD, first update",
    sweep={"initialization.scale": GRADIENTS},
)
adam_first = Arm(
    "adam_first",
    PARABOLA.but(optimizer=Adam(learning_rate=0.01, eps=1e-20)),
    label="Adam, first update",
    sweep={"initialization.scale": GRADIENTS},
)

experiment = Experiment.here(
    __name__,
    title="What the rate scales",
    question="Is the update the rate times the gradient, and what takes the gradient's place in momentum and Adam?",
    method="Norm of every update over the norm of its gradient, in double precision: SGD on a network, momentum on a function "
    "whose gradient is 1 everywhere, and the first update of SGD and of Adam on a parabola, where the start sets the "
    "size of the gradient. Adam's eps is set so small that it plays no part.",
    arms=(sgd, momentum, sgd_first, adam_first),
    num_seeds=1,
    probes=Stream(window=1, update_norms=True),
    claims=(
        claim(
            "LR1 (SGD)",
            "The learning rate scales each weight update: update = rate x gradient, at every step.",
            WorstDeviation(
                (Over("update_per_gradient", "min"), Over("update_per_gradient", "max")), rate, (sgd.at(),)
            ).below(1e-9),
            source="article",
            unit="relative deviation",
            because="exact: smallest and largest quotient of a run must be the rate, up to the rounding of the weights",
        ),
        claim(
            "LR1 (momentum)",
            "With heavy-ball momentum b and a steady gradient the update grows to rate / (1 - b) x gradient.",
            WorstDeviation(Last("update_per_gradient"), terminal, (momentum.at(),)).below(1e-9),
            source="algebra",
            unit="relative deviation",
            because="exact in the limit; after 500 steps 0.95^500 = 7e-12 is missing",
            scales=("laptop", "full", "paper"),
        ),
        claim(
            "LR1 (Adam)",
            "Adam's first update is the rate, whatever the size of the gradient.",
            WorstDeviation(first_update, rate, (adam_first.at(),)).below(1e-9),
            source="Kingma and Ba 2015, section 2.1",
            unit="relative deviation",
            because="exact: gradients over five orders of magnitude must give one update, up to rounding",
        ),
    ),
    figures=figure(
        "updates",
        "Left: momentum multiplies the rate by up to 1 / (1 - b). Right: Adam's update ignores the gradient's size.",
        curve(
            "Steady gradient, rate 0.001",
            "update_per_gradient",
            all_runs(momentum, at={"optimizer.learning_rate": 1e-3}),
            by="optimizer.momentum",
        ).axes(y="update / gradient", log="xy"),
        sweep_curve(
            "First update, rate 0.01",
            first_update,
            {"SGD": sgd_first.at(), "Adam": adam_first.at()},
            over="initialization.scale",
        ).axes("size of the gradient", "size of the update", log="xy"),
    ),
    smoke=Changes(arms={"sgd": {"num_steps": 5}, "momentum": {"num_steps": 50}}),
)
