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
    name="sgd",
    label="SGD",
    training=NETWORK.but(optimizer=Sgd()),
    sweep={"optimizer.learning_rate": (1e-4, 1e-2, 1.0)},
    num_seeds=3,
)
momentum = Arm(
    name="momentum",
    label="heavy ball",
    training=CONSTANT_GRADIENT.but(optimizer=Sgd()),
    sweep={"optimizer.momentum": MOMENTA, "optimizer.learning_rate": (1e-4, 1e-3)},
)
sgd_first = Arm(
    name="sgd_first",
    label="SGD, first update",
    training=PARABOLA.but(optimizer=Sgd(learning_rate=0.01)),
    sweep={"initialization.scale": GRADIENTS},
)
adam_first = Arm(
    name="adam_first",
    label="Adam, first update",
    training=PARABOLA.but(optimizer=Adam(learning_rate=0.01, eps=1e-20)),
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
    probes=(Stream(window=1, update_norms=True),),
    claims=(
        Claim(
            id="LR1",
            form="SGD",
            statement="The learning rate scales each weight update: update = rate x gradient, at every step.",
            source="article",
            estimate=WorstDeviation(
                measure=(Over("update_per_gradient", "min"), Over("update_per_gradient", "max")),
                expected=rate,
                runs=(sgd.at(),),
            ),
            rule=Below(1e-9),
            unit="relative deviation",
            because="exact: smallest and largest quotient of a run must be the rate, up to the rounding of the weights",
        ),
        Claim(
            id="LR1",
            form="momentum",
            statement="With heavy-ball momentum b and a steady gradient the update grows to rate / (1 - b) x gradient.",
            source="algebra",
            estimate=WorstDeviation(measure=Last("update_per_gradient"), expected=terminal, runs=(momentum.at(),)),
            rule=Below(1e-9),
            unit="relative deviation",
            because="exact in the limit; after 500 steps 0.95^500 = 7e-12 is missing",
            scales=("laptop", "full", "paper"),
        ),
        Claim(
            id="LR1",
            form="Adam",
            statement="Adam's first update is the rate, whatever the size of the gradient.",
            source="Kingma and Ba 2015, section 2.1",
            estimate=WorstDeviation(measure=first_update, expected=rate, runs=(adam_first.at(),)),
            rule=Below(1e-9),
            unit="relative deviation",
            because="exact: gradients over five orders of magnitude must give one update, up to rounding",
        ),
    ),
    figures=(
        Figure(
            name="updates",
            caption="Left: momentum multiplies the rate by up to 1 / (1 - b). Right: Adam's update ignores the gradient's size.",
            panels=(
                curve(
                    "Steady gradient, rate 0.001",
                    "update_per_gradient",
                    all_runs(momentum, at={"optimizer.learning_rate": 1e-3}),
                    by="optimizer.momentum",
                    y_label="update / gradient",
                    log_x=True,
                    log_y=True,
                ),
                sweep_curve(
                    "First update, rate 0.01",
                    first_update,
                    {"SGD": sgd_first.at(), "Adam": adam_first.at()},
                    over="initialization.scale",
                    x_label="size of the gradient",
                    y_label="size of the update",
                    log_x=True,
                    log_y=True,
                ),
            ),
        ),
    ),
    scales={"smoke": Changes(arms={"sgd": {"num_steps": 5}, "momentum": {"num_steps": 50}})},
)
