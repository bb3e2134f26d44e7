"""Is a batch ten times larger the same as a rate ten times smaller? On a quadratic, where both floors are known."""

import dataclasses

from seven_terms.spec import (
    Arm,
    Below,
    Changes,
    Claim,
    Distance,
    Experiment,
    Figure,
    Over,
    PairedRatio,
    Panel,
    Point,
    Quadratic,
    Ranked,
    Reference,
    Selected,
    Selection,
    Step,
    Steps,
    SweepCurve,
    Training,
    Within,
    WorstDeviation,
)

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
GROWN = dataclasses.replace(DECAYED, schedule=Step(drop=1.0), batch_growth=((0.5, FACTOR),))
LABELS = {"decayed": "rate / 10", "grown": "batch x 10"}
FLOOR = Over("squared_distance", "mean", start=0.85)
SLOWEST = Ranked(0)

experiment = Experiment(
    name="batch_growth_quadratic",
    term="lr_decay",
    title="A larger batch for a smaller rate, on a quadratic",
    question="Does a tenfold batch leave the same floor as a tenth of the rate, and up to which rate?",
    method=(
        "SGD on a quadratic of curvature one with 2,000 independent chains and gradient noise of unit variance for each "
        "example. Halfway the rate is divided by ten, or the batch multiplied by ten with the examples that the other run "
        "takes one at a time. The mean squared distance over the last 15 % is compared between the two."
    ),
    arms=(
        Arm(name="decayed", label=LABELS["decayed"], training=DECAYED),
        Arm(name="grown", label=LABELS["grown"], training=GROWN),
    ),
    sweep={"optimizer.learning_rate": (0.02, 0.1, 0.3, 1.0)},
    num_seeds=5,
    probes=(Distance(steps=Steps(every=20)),),
    selection=Selection(metric="squared_distance"),  # nothing is selected: this is what the noise floor is told in
    noise_floor_arm="decayed",
    noise_floor_at={"optimizer.learning_rate": 0.1},
    claims=(
        Claim(
            id="B-DE3",
            form="quadratic",
            statement="At a small rate, a tenfold batch leaves the same floor as a tenth of the rate.",
            source="Smith et al. 2018",
            estimate=PairedRatio(
                measure=FLOOR,
                runs=Selected("grown", where={"learning_rate": SLOWEST}),
                baseline=Selected("decayed", where={"learning_rate": SLOWEST}),
            ),
            rule=Within(0.98, 1.02),
            unit="ratio of squared distances",
            condition="rate times curvature of at most 0.02",
            because="the same: floors within 2 % of each other; the closed forms differ by 0.9 % at this rate",
        ),
        Claim(
            id="B-DE3",
            form="large rate",
            statement="At the rate that solves the quadratic in one step, the two floors are still the same.",
            source="Smith et al. 2018",
            estimate=PairedRatio(
                measure=FLOOR,
                runs=Selected("grown", where={"learning_rate": Ranked(-1)}),
                baseline=Selected("decayed", where={"learning_rate": Ranked(-1)}),
            ),
            rule=Within(0.98, 1.02),
            unit="ratio of squared distances",
            because="the same: floors within 2 %; the closed forms say 1.9 in place of 1",
        ),
        Claim(
            id="B-DE3",
            form="closed form",
            statement="Both floors are what the closed form says of the last rate and batch.",
            source="Zhang et al. 2019",
            estimate=WorstDeviation(
                measure=FLOOR,
                expected="stationary_variance",
                runs=tuple(Selected(arm, where={"learning_rate": Ranked(rank)}) for arm in LABELS for rank in (-2, -1)),
            ),
            rule=Below(0.05),
            unit="relative deviation",
            because="2,000 chains over at least 17 relaxation times leave a sampling error of 1 %, five of them 5 %",
        ),
    ),
    figures=(
        Figure(
            name="floors",
            caption="Mean squared distance that a tenth of the rate and a tenfold batch leave, and their closed forms.",
            panels=(
                Panel(
                    title="Equal at small rates only",
                    content=SweepCurve(
                        measure=FLOOR,
                        over="learning_rate",
                        runs={label: Selected(name) for name, label in LABELS.items()},
                    ),
                    x_label="learning rate before x curvature",
                    y_label="squared distance",
                    log_x=True,
                    log_y=True,
                    references=tuple(
                        Reference(label=f"theory, {label}", theory="stationary_variance", arm=name)
                        for name, label in LABELS.items()
                    ),
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"task.dimension": 200, "model.dimension": 200, "num_steps": 1000}),
        "paper": Changes(training={"task.dimension": 100_000, "model.dimension": 100_000}),
    },
)
