"""Is a batch ten times larger the same as a rate ten times smaller? On a quadratic, where both floors are known."""

from seven_terms.spec import *

CHAINS = 2000
FACTOR = 10
DECAYED = Training(
    task=Quadratic(dimension=CHAINS, spectrum="equal", noise_scale=1.0),
    model=Point(dimension=CHAINS, start=0.1),
    schedule=Step(drop=1 / FACTOR, fractions=(0.5,)),
    num_steps=4000,
    batch_size=1,
    precision="float64",
)
GROWN = DECAYED.but(schedule=Step(drop=1.0), batch_growth=((0.5, FACTOR),))
FLOOR = Over("squared_distance", "mean", start=0.85)
SLOWEST = Ranked(0)

decayed = Arm("decayed", DECAYED, label="rate / 10")
grown = Arm("grown", GROWN, label="batch x 10")

experiment = Experiment.here(
    __name__,
    title="A larger batch for a smaller rate, on a quadratic",
    question="Does a tenfold batch leave the same floor as a tenth of the rate, and up to which rate?",
    method="SGD on a quadratic of curvature one with 2,000 independent chains and gradient noise of unit variance for each "
    "example. Halfway the rate is divided by ten, or the batch multiplied by ten with the examples that the other run "
    "takes one at a time. The mean squared distance over the last 15 % is compared between the two.",
    arms=(decayed, grown),
    sweep={"optimizer.learning_rate": (0.02, 0.1, 0.3, 1.0)},
    num_seeds=5,
    probes=Distance(steps=Steps(every=20)),
    selection=Selection(metric="squared_distance"),
    noise_floor=decayed.at({"optimizer.learning_rate": 0.1}),
    claims=(
        claim(
            "B-DE3 (quadratic)",
            "At a small rate, a tenfold batch leaves the same floor as a tenth of the rate.",
            PairedRatio(
                FLOOR, grown.at({"optimizer.learning_rate": SLOWEST}), decayed.at({"optimizer.learning_rate": SLOWEST})
            ).within(0.98, 1.02),
            source="Smith et al. 2018",
            unit="ratio of squared distances",
            because="the same: floors within 2 % of each other; the closed forms differ by 0.9 % at this rate",
            condition="rate times curvature of at most 0.02",
        ),
        claim(
            "B-DE3 (large rate)",
            "At the rate that solves the quadratic in one step, the two floors are still the same.",
            PairedRatio(
                FLOOR,
                grown.at({"optimizer.learning_rate": Ranked(-1)}),
                decayed.at({"optimizer.learning_rate": Ranked(-1)}),
            ).within(0.98, 1.02),
            source="Smith et al. 2018",
            unit="ratio of squared distances",
            because="the same: floors within 2 %; the closed forms say 1.9 in place of 1",
        ),
        claim(
            "B-DE3 (closed form)",
            "Both floors are what the closed form says of the last rate and batch.",
            WorstDeviation(
                FLOOR,
                "stationary_variance",
                tuple(
                    arm.at({"optimizer.learning_rate": Ranked(rank)}) for arm in (decayed, grown) for rank in (-2, -1)
                ),
            ).below(0.05),
            source="Zhang et al. 2019",
            unit="relative deviation",
            because="2,000 chains over at least 17 relaxation times leave a sampling error of 1 %, five of them 5 %",
        ),
    ),
    figures=figure(
        "floors",
        "Mean squared distance that a tenth of the rate and a tenfold batch leave, and their closed forms.",
        sweep_curve(
            "Equal at small rates only",
            FLOOR,
            all_runs(decayed, grown),
            over="optimizer.learning_rate",
            references=tuple(
                Reference(label=f"theory, {arm.label}", theory="stationary_variance", arm=arm.name)
                for arm in (decayed, grown)
            ),
        ).axes("learning rate before x curvature", "squared distance", log="xy"),
    ),
    smoke=Changes({"task.dimension": 200, "model.dimension": 200, "num_steps": 1000}, num_seeds=2),
    paper=Changes({"task.dimension": 100_000, "model.dimension": 100_000}),
)
