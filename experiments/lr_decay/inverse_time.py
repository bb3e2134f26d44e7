"""Does a rate of 1/t reach the minimum as theory says, and does an average of the iterates replace it?"""

from seven_terms.spec import *

CHAINS = 10_000
DISTANCE = "train_squared_distance"
AVERAGED = "averaged_train_squared_distance"
EXACT = Training(
    task=Quadratic(dimension=CHAINS, spectrum="equal", noise_scale=1.0),
    model=Point(dimension=CHAINS),
    optimizer=Sgd(learning_rate=1.0, average_iterates=True),
    schedule=InverseTime(rate=1.0, per_step=True),
    num_steps=2000,
    batch_size=1,
    precision="float64",
)
ARMS = {
    "exact": ("1/t", EXACT),
    "slow": ("0.25/t", EXACT.but(optimizer=Sgd(learning_rate=0.25, average_iterates=True))),
    "constant": (
        "constant 0.3",
        EXACT.but(optimizer=Sgd(learning_rate=0.3, average_iterates=True), schedule=Constant()),
    ),
}
THEORY = Reference(label="variance of the noise / t", theory="inverse_time_variance", arm="exact")

arms = by_name(Arm(name, training, label=label) for name, (label, training) in ARMS.items())
exact, slow, constant = arms.values()

experiment = Experiment.here(
    __name__,
    title="Rates of 1/t, and averages of the iterates",
    question="Do rates of 1/t bring the distance to zero as 1/t, and does averaging at a constant rate do the same?",
    method="SGD on a quadratic of curvature one with 10,000 independent chains and gradient noise of unit variance. Rates are "
    "1/t, a quarter of it, which theory says is too little, and a constant 0.3, whose iterates are also averaged from "
    "the first step on. Theory gives a mean squared distance of 1/t to the first and to the average.",
    arms=arms,
    num_seeds=5,
    probes=Evaluate(steps=Steps(count=40, spacing="logarithmic"), splits=("train",)),
    selection=Selection(metric="train_squared_distance"),
    noise_floor=constant,
    claims=(
        claim(
            "B-DE1 (1/t)",
            "Rates of 1/t bring the squared distance down as 1/t.",
            Mean(LogSlope(DISTANCE, over="log_step", start=0.01), exact.at()).within(-1.05, -0.95),
            source="algebra; Chung 1954",
            unit="exponent of the squared distance",
            because="as 1/t means an exponent of -1, to 5 %",
        ),
        claim(
            "B-DE1 (averaged)",
            "The average of the iterates at a constant rate is as close to the minimum as rates of 1/t.",
            WorstDeviation(Last(AVERAGED), "inverse_time_variance", (constant.at(),)).below(0.05),
            source="Polyak and Juditsky 1992",
            unit="relative deviation",
            because="10,000 chains at one step leave a sampling error of 1.4 %, and the start a bias of 0.6 %",
        ),
    ),
    figures=figure(
        "distance",
        "Mean squared distance to the minimum, of the last iterate and of the average of all iterates.",
        *(
            curve(title, metric, all_runs(*arms.values()), references=(THEORY,)).axes(y="squared distance", log="xy")
            for title, metric in (("Last iterate", DISTANCE), ("Average of the iterates", AVERAGED))
        ),
    ),
    smoke=Changes({"task.dimension": 500, "model.dimension": 500}, num_seeds=2),
    paper=Changes({"task.dimension": 100_000, "model.dimension": 100_000, "num_steps": 10_000}),
)
