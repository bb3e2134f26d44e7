"""Where does SGD at a constant rate come to rest? Its stationary variance against the closed form, heavy ball included."""

from seven_terms.spec import *

CHAINS = 10_000
RATES = (0.01, 0.02, 0.05, 0.1, 0.3, 1.0)
SMALL_RATES = RATES[:3]
FLOOR = Over("squared_distance", "mean", start=0.5)


def training(momentum: float) -> Training:
    return Training(
        task=Quadratic(dimension=CHAINS, spectrum="equal", noise_scale=1.0),
        model=Point(dimension=CHAINS, start=0.5),
        optimizer=Sgd(momentum=momentum),
        num_steps=1500,
        batch_size=1,
        precision="float64",
    )


plain_arm = Arm("plain", training(0.0), label="SGD")
heavy_ball_arm = Arm("heavy_ball", training(0.9), label="heavy ball 0.9")

plain, heavy_ball = plain_arm.at(), heavy_ball_arm.at()
experiment = Experiment.here(
    __name__,
    title="The noise floor of a constant rate",
    question="How large is the region in which SGD at a constant rate keeps moving, and how does it scale with the rate?",
    method="SGD on a quadratic of curvature one whose 10,000 coordinates are independent chains with gradient noise of unit "
    "variance, in double precision, without momentum and with heavy ball of 0.9. The mean squared distance to the "
    "minimum over the second half of the run is compared with the stationary variance in closed form.",
    arms=(plain_arm, heavy_ball_arm),
    sweep={"optimizer.learning_rate": RATES},
    num_seeds=5,
    probes=Distance(steps=Steps(every=10)),
    selection=Selection(metric="squared_distance"),
    noise_floor=plain_arm.at({"optimizer.learning_rate": 0.1}),
    claims=(
        claim(
            "B-DE1 (floor)",
            "The noise floor of SGD, with and without heavy ball, is the closed form.",
            WorstDeviation(FLOOR, "stationary_variance", (plain, heavy_ball)).below(0.02),
            source="algebra; Zhang et al. 2019",
            unit="relative deviation",
            because="10,000 chains over the second half of a run leave a sampling error of less than 0.5 %, four of them 2 %",
        ),
        claim(
            "DE2 (quadratic)",
            "A smaller rate leads to a smaller region around the minimum: its mean squared distance falls in proportion when the rate is small.",
            Slope(
                FLOOR,
                over="optimizer.learning_rate",
                runs=tuple(plain_arm.at({"optimizer.learning_rate": rate}) for rate in SMALL_RATES),
            ).within(0.97, 1.03),
            source="article",
            unit="exponent of the squared distance",
            because="in proportion means an exponent of 1; the closed form gives 1.01 over these rates",
        ),
    ),
    figures=figure(
        "floor",
        "Mean squared distance to the minimum that a constant rate leaves, and the closed form.",
        sweep_curve(
            "The floor rises with the rate",
            FLOOR,
            {"SGD": plain, "heavy ball 0.9": heavy_ball},
            over="optimizer.learning_rate",
            references=(
                Reference(label="theory", theory="stationary_variance", arm="plain"),
                Reference(label="theory, heavy ball", theory="stationary_variance", arm="heavy_ball"),
            ),
        ).axes("learning rate x curvature", "squared distance", log="xy"),
        curve("On the way down", "squared_distance", {"SGD": plain}, by="optimizer.learning_rate").axes(log="y"),
        summary=0,
    ),
    smoke=Changes({"task.dimension": 500, "model.dimension": 500}),
    paper=Changes({"task.dimension": 100_000, "model.dimension": 100_000, "num_steps": 10_000}, num_seeds=5),
)
