"""What does an exploding gradient look like on the loss surface, and what does a bounded step change there?"""

from seven_terms.spec import *

SLOPE = -0.52  # b over w: along this line the loss falls off the cliff near w = 4.88
WALL = tuple(round(4.9 + 0.025 * i, 3) for i in range(45))  # starts on the low side of the wall
LINE = tuple(round(4.0 + 0.02 * i, 2) for i in range(101))
BOUND = 0.1

UNCLIPPED = Training(
    task=OneUnitRecurrence(length=50),
    model=Point(dimension=2, start=(1.0, SLOPE)),
    initialization=Initialization(scale=5.0),
    optimizer=Sgd(learning_rate=1.0),
    num_steps=100,
    precision="float64",
)
CLIPPED = UNCLIPPED.but(clipping=Clipping(norm=BOUND))
RATES = {"initialization.scale": WALL, "optimizer.learning_rate": (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)}
CURVATURE = Combine("abs", At("sharpness", step=0))
GRADIENT = At("gradient_norm", step=1)
arrived = Reached(Last("validation_loss"), below=0.01)

none = Arm("none", UNCLIPPED, label="no clipping", sweep=RATES)
norm = Arm("norm", CLIPPED, label="clip by norm", sweep=RATES)
line = Arm("line", UNCLIPPED.but(num_steps=1), label="along the line", sweep={"initialization.scale": LINE})

experiment = Experiment.here(
    __name__,
    title="The cliff of one recurrent unit",
    question="Do gradient and curvature explode together, and does a bounded step keep the iterate from being thrown away?",
    method="One unit, x_t = w sigmoid(x_{t-1}) + b, is run for 50 steps and asked to end at 0.7, in double precision. Along the "
    "line b = -0.52 w the loss has a wall near w = 4.88. Gradient and curvature are taken at 101 points of the line. "
    "Then gradient descent makes 100 updates from each of 45 starts beyond the wall, with and without a bound of 0.1 on "
    "the gradient's norm, each at the best of the same seven rates. The starts are a grid, not a sample, so "
    "that shares have no interval.",
    arms=(none, norm, line),
    num_seeds=1,
    probes=(
        Stream(window=1, update_norms=True),
        Evaluate(steps=Steps(count=1), splits=("validation",)),
        Sharpness(steps=Steps(at=(0,), last=False)),
    ),
    selection=Selection(metric="validation_loss"),
    claims=(
        claim(
            "B-EG2 (curvature)",
            "Gradient and curvature explode together.",
            Correlation(GRADIENT, CURVATURE, (line.at(),), exact=True).above(0.5),
            source="Pascanu et al. 2013, section 2.3",
            unit="rank correlation along the line across the wall",
            because="a rank correlation above 0.5 over four decades of gradients means that the two grow at the same places",
        ),
        claim(
            "GC3",
            "Clipping bounds the step and so keeps it from overshooting the minimum beside a cliff.",
            ProportionDifference(
                arrived, norm.best("optimizer.learning_rate"), none.best("optimizer.learning_rate"), exact=True
            ).above(0.0),
            source="article; Pascanu et al. 2013, figure 6",
            unit="share of starts that end with a loss below 0.01, with clipping minus without",
            because="each form at its own best rate: a larger share of starts at the minimum is overshooting prevented",
        ),
        claim(
            "GC3 (length)",
            "No clipped step is longer than rate times threshold, however steep the wall.",
            Proportion(
                Reached(
                    Combine("ratio", Over("update_norm", "max"), Setting("optimizer.learning_rate")),
                    above=BOUND * (1 + 1e-9),
                ),
                norm.at(),
                exact=True,
            ).below(0.001),
            source="algebra",
            unit="share of clipped runs with a step above the bound",
            because="none of 315 runs: a single one would be 0.003",
        ),
    ),
    figures=figure(
        "cliff",
        "One recurrent unit along the line b = -0.52 w. The loss drops off a wall, gradient and curvature rise "
        "there together by orders of magnitude. Last: one run from w = 5.0 at equal rate; without a bound, one "
        "step at the wall throws the iterate far away.",
        sweep_curve("Loss", At("validation_loss", step=0), {"loss": line.at()}, over="initialization.scale").axes(
            "w", "loss"
        ),
        sweep_curve("Gradient", GRADIENT, {"gradient norm": line.at()}, over="initialization.scale").axes(
            "w", "gradient norm", log="y"
        ),
        sweep_curve("Curvature", CURVATURE, {"curvature": line.at()}, over="initialization.scale").axes(
            "w", "largest eigenvalue, magnitude", log="y"
        ),
        curve(
            "Descent beside the wall",
            "update_norm",
            all_runs(none, norm, at={"initialization.scale": 5.0, "optimizer.learning_rate": 1.0}),
        ).axes("update", "length of the step", log="y"),
        key=3,
        summary=1,
    ),
    smoke=Changes({"num_steps": 5}),
)
