"""Gradient descent and heavy ball on quadratics, in double precision, against the theory that knows all about them."""

from seven_terms.spec import *

# Enough steps for the slowest mode to be alone in the last quarter; few enough that the loss stays above 1e-300.
STEPS = {10: 1500, 100: 5000, 1000: 5000}
HEAVY_BALL_STEPS = 1600
HEAVY_BALL = (100, 1000, 10_000)


def best_rate(k: float) -> float:
    return round(2.0 / (1.0 + 1.0 / k), 9)


def best_heavy_ball(k: float) -> Sgd:
    root = k**0.5
    return Sgd(learning_rate=4.0 / (1.0 + 1.0 / root) ** 2, momentum=((root - 1.0) / (root + 1.0)) ** 2)


SLOW = (0.05, 0.1, 0.2, 0.4)
NEAR = (0.98, 0.99, 0.998, 1.0, 1.002, 1.005)
RATES = tuple(
    sorted(
        {*SLOW, 0.8, 1.2, 1.6, 1.9, 1.999, 2.001, 2.01, 2.02}
        | {round(best_rate(k) * factor, 9) for k in STEPS for factor in NEAR}
    )
)
LIMIT = 3.8  # 2 (1 + 0.9) / 1
RATES_OF_HEAVY_BALL = tuple(round(LIMIT * factor, 6) for factor in (0.99, 0.999, 0.9995, 1.0005, 1.001, 1.01))


def training(k: float, optimizer: Sgd, num_steps: int) -> Training:
    return Training(
        task=Quadratic(dimension=10, condition_number=k),
        model=Point(dimension=10, random=True),
        optimizer=optimizer,
        num_steps=num_steps,
        precision="float64",
    )


log_contraction = Combine("product", LogSlope("train_loss", start=0.75), 0.5)  # the loss falls with the square
contraction = Combine("exp", log_contraction)
converges = Reached(log_contraction, below=0.0)
steps_to_millionth = StepsTo("train_loss", below=1e-6)

ARMS = by_name(
    (
        *(
            Arm(
                f"gd_{k}",
                training(k, Sgd(), steps),
                label=f"gradient descent, k = {k}",
                sweep={"optimizer.learning_rate": RATES},
                num_seeds=4,
            )
            for k, steps in STEPS.items()
        ),
        *(
            Arm(f"heavy_ball_{k}", training(k, best_heavy_ball(k), HEAVY_BALL_STEPS), label=f"heavy ball, k = {k}")
            for k in HEAVY_BALL
        ),
        Arm(
            "heavy_ball_limit",
            training(100, Sgd(momentum=0.9), STEPS[10]),
            label="heavy ball with momentum 0.9",
            sweep={"optimizer.learning_rate": RATES_OF_HEAVY_BALL},
            num_seeds=4,
        ),
    )
)
gd_10, gd_100, gd_1000, heavy_ball_100, heavy_ball_1000, heavy_ball_10000, heavy_ball_limit = ARMS.values()
at_best = {k: ARMS[f"gd_{k}"].at({"optimizer.learning_rate": best_rate(k)}) for k in STEPS}
heavy_balls = {k: ARMS[f"heavy_ball_{k}"].at() for k in HEAVY_BALL}

experiment = Experiment.here(
    __name__,
    title="Quadratics: everything that is known exactly",
    question="Do stability limit, best rate and contraction on a quadratic agree with theory, to how many digits?",
    method="Ten eigenvalues, spread logarithmically between 1/k and 1, random starts, double precision. Gradient descent is "
    "run at rates on both sides of the limit and of the best rate, heavy ball at its best rate and momentum. "
    "Contraction per step is the slope of the logarithm of the loss over the last quarter of the run. Heavy ball at "
    "its best has a double root, so that its error falls as t times a power, and the slope is off by about 1/t.",
    arms=ARMS,
    num_seeds=1,
    probes=Evaluate(steps=Steps(count=300), splits=("train",)),
    claims=(
        claim(
            "LR4 (quadratic)",
            "On a quadratic gradient descent converges below the rate 2 / largest eigenvalue and not above.",
            BestSetting(converges, "optimizer.learning_rate", gd_100.at(), which="largest_reached", exact=True).within(
                1.998, 2.002
            ),
            source="LeCun et al. 1998, section 5",
            unit="rate (largest eigenvalue 1)",
            because="the largest rate that converges, between two points of the grid, must lie within 0.1 % of 2",
        ),
        claim(
            "LR4 (heavy ball)",
            "With heavy-ball momentum b the limit is 2 (1 + b) / largest eigenvalue.",
            BestSetting(
                converges, "optimizer.learning_rate", heavy_ball_limit.at(), which="largest_reached", exact=True
            ).within(0.999 * LIMIT, 1.001 * LIMIT),
            source="Polyak 1964",
            unit="rate (largest eigenvalue 1, momentum 0.9)",
            because="the largest rate that converges, between two points of the grid, must lie within 0.1 % of 3.8",
        ),
        claim(
            "LR2 (quadratic)",
            "Well below the limit the number of steps is inversely proportional to the rate.",
            Slope(
                steps_to_millionth,
                over="optimizer.learning_rate",
                runs=tuple(gd_10.at({"optimizer.learning_rate": rate}) for rate in SLOW),
            ).within(-1.05, -0.95),
            source="article; algebra",
            unit="exponent of the rate",
            because="inverse proportion is an exponent of -1; steps are counted in fives, which is worth 0.03",
        ),
        claim(
            "B-LR1 (best rate)",
            "The best constant rate of gradient descent is 2 / (L + m).",
            BestSetting(contraction, "optimizer.learning_rate", gd_100.at(), exact=True).within(
                0.999 * best_rate(100), 1.001 * best_rate(100)
            ),
            source="Polyak 1964",
            unit="rate (L = 1, m = 0.01)",
            because="no rate that is 0.2 % away or more may contract faster",
        ),
        claim(
            "B-LR1 (contraction)",
            "At its best rate gradient descent contracts by (k - 1) / (k + 1) a step.",
            WorstDeviation(log_contraction, Combine("log", Setting("best_contraction")), tuple(at_best.values())).below(
                1e-3
            ),
            source="Polyak 1964",
            unit="relative deviation of the logarithm",
            because="0.1 % of the logarithm is a sharper test than 0.1 % of a factor close to 1",
        ),
        claim(
            "B-LR1 (heavy ball)",
            "Heavy ball at its best replaces the condition number by its square root.",
            WorstDeviation(contraction, "heavy_ball_best_contraction", tuple(heavy_balls.values())).below(1e-3),
            source="Polyak 1964",
            unit="relative deviation of the contraction",
            because="the double root alone makes 0.07 % at this length, gradient descent would be off by 2 % and more",
        ),
    ),
    figures=(
        figure(
            "contraction",
            "Left: contraction per step over the rate, with the theory. Right: heavy ball against gradient descent.",
            sweep_curve(
                "Distance left after one step",
                contraction,
                {f"k = {k}": ARMS[f"gd_{k}"].at() for k in STEPS},
                over="optimizer.learning_rate",
                references=(
                    *(Reference(label=f"theory, k = {k}", theory="contraction", arm=f"gd_{k}") for k in STEPS),
                    Reference(label="limit 2", x=2.0),
                ),
            ).axes("rate (largest eigenvalue 1)", "contraction", log="", y_limits=(0.75, 1.03)),
            curve(
                "k = 1000, each at its best",
                "train_loss",
                {"gradient descent": at_best[1000], "heavy ball": heavy_balls[1000]},
                band="seeds",
            ).axes(y="loss", log="y", y_limits=(1e-9, None)),
        ),
        figure(
            "best",
            "Left: steps until the loss is 1e-6 over the rate, for k = 10. Right: contraction at the best setting.",
            sweep_curve(
                "Steps to a loss of 1e-6, k = 10",
                steps_to_millionth,
                {"gradient descent": gd_10.at()},
                over="optimizer.learning_rate",
                references=(Reference(label="limit 2", x=2.0),),
            ).axes("rate (largest eigenvalue 1)", "steps", log="xy"),
            bars(
                "Contraction at the best setting",
                contraction,
                {f"gradient descent, k = {k}": at_best[k] for k in STEPS}
                | {f"heavy ball, k = {k}": heavy_balls[k] for k in HEAVY_BALL},
            ).axes("method", "contraction", y_limits=(0.75, 1.02)),
        ),
    ),
    smoke=Changes({"num_steps": 100}),
)
