"""Does batch normalization speed up training? Section 4.1 of Ioffe and Szegedy 2015, with the unstated rates swept.

A target equal to the plain network's mean final accuracy would be missed by half of the plain network's own runs, so the
target is one point below it: twice the sampling error of the thousand test images would hide anything finer.
"""

import math

from seven_terms.spec import *

PLAIN = Training(
    task=Digits(binarize=True),
    model=Mlp(depth=3, width=100, activation="sigmoid"),
    initialization=Initialization(kind="gaussian", scale=0.1),
    optimizer=Sgd(learning_rate=0.5),
    num_steps=600,
    batch_size=60,
)
NORMALIZED = PLAIN.but({"model.normalization": BatchNorm()})
RATE, SCALE = "optimizer.learning_rate", "initialization.scale"

plain = Arm("plain", PLAIN)
batch_norm = Arm("batch_norm", NORMALIZED)
alike = batch_norm.at_best_of(plain)
to_plain_best = StepsTo("test_accuracy", above=-0.01, target_of=(plain.name, Last("test_accuracy")))
own_best = best_runs(plain, batch_norm)


def sooner(accuracy: float) -> Claim:
    return claim(
        f"BN1 (to {accuracy:g})",
        f"Batch normalization reaches {100 * accuracy:.0f} % of right answers sooner, each network at its own best rate.",
        PairedRatio(StepsTo("test_accuracy", above=accuracy), plain.best(), batch_norm.best()).above(1.0),
        source="article; Ioffe and Szegedy 2015, figure 1 a",
        unit="times fewer steps",
        because="a speed-up depends on the target, so it is asked at three besides the plain network's end; above 1 is faster",
    )


def looking(apart: float) -> tuple[Probe, ...]:
    """Return probes whose looks at the test data lie a factor apart, from step 30 on."""
    times = Steps(at=tuple(dict.fromkeys(round(30 * apart**i) for i in range(round(7.4 / math.log(apart)) + 1))))
    return (
        Evaluate(steps=times, splits=("test",)),
        Evaluate(steps=Steps(), splits=("validation",)),
        Activations(steps=Steps(count=20)),
    )


UPDATED = 0.04  # of training: the first of twenty looks is before the first update
BAND = Combine("difference", Over("activation_p85", start=UPDATED), Over("activation_p15", start=UPDATED))
DRIFT = Combine("ratio", Over("activation_p50", "displacement", start=UPDATED), BAND)


def inputs_of_a_unit(title: str, runs: Selected) -> Panel:
    return curve(title, "activation_p50", {"": runs}, index=0, between=("activation_p15", "activation_p85")).axes(
        y="input of one sigmoid"
    )


def trained_cells(title: str, arm: Arm) -> Panel:
    return heatmap(title, Last("test_accuracy"), arm.at(), x=RATE, y=SCALE).axes(y="std of initial weights", log="x")


experiment = Experiment.here(
    __name__,
    title="Batch normalization on MNIST, as in 2015",
    question="Does batch normalization speed up training, at each network's own best rate and at equal rates?",
    method="Three layers of 100 sigmoid units classify binarized digits in batches of 60, with plain SGD. The paper states "
    "neither learning rate nor scale of the Gaussian initialization, so both are swept over the same grid for both "
    "arms and selected on validation data. Steps are counted to one point below the test accuracy that the plain "
    "network has at the end at its own best setting. The inputs of the last hidden layer's sigmoids are followed "
    "through training by their 15th, 50th and 85th percentiles over 250 images.",
    arms=(plain, batch_norm),
    sweep={RATE: (0.5, 2.0, 8.0, 30.0), SCALE: (0.03, 0.1, 0.3, 1.0)},
    num_seeds=8,
    probes=looking(1.25),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=batch_norm.at({RATE: 8.0, SCALE: 0.3}),
    claims=(
        claim(
            "BN1 (fair)",
            "Batch normalization speeds up training when each network has its own best rate.",
            PairedRatio(to_plain_best, plain.best(), batch_norm.best()).above(1.0),
            source="Ioffe and Szegedy 2015, section 4.1",
            unit="times fewer steps",
            because="a ratio of steps above 1 is a speed-up; misses count as the whole budget",
        ),
        claim(
            "BN1 (as said)",
            "Batch normalization speeds up training at the same learning rate and initialization.",
            PairedRatio(to_plain_best, plain.best(), alike).above(1.0),
            source="article; Ioffe and Szegedy 2015",
            unit="times fewer steps",
            because="both networks train at the plain network's best setting; a ratio above 1 is a speed-up",
        ),
        *(sooner(accuracy) for accuracy in (0.6, 0.75, 0.85)),
        claim(
            "B-BN5",
            "The inputs of the last sigmoid layer stay put with batch normalization and drift without.",
            PairedRatio(DRIFT, batch_norm.best(), plain.best()).below(1.0),
            source="Ioffe and Szegedy 2015, figure 1 b, c",
            unit="ratio of drifts",
            because="how far the units' median input moves from the first update on, in widths of the band from the 15th to the "
            "85th percentile; back and forth is no drift, and before the first update there are no statistics",
        ),
        claim(
            "B-BN6",
            "Batch normalization ends at a higher accuracy, each network at its own best setting.",
            PairedDifference(Last("test_accuracy"), batch_norm.best(), plain.best()).above(0.0),
            source="Ioffe and Szegedy 2015, figure 1 a",
            unit="share of test images, with it minus without",
            because="a positive paired difference of final test accuracy is a higher end",
        ),
        claim(
            "B-BN11",
            "Batch normalization trains over more of the grid of rates and initial scales.",
            ProportionDifference(Reached(Last("test_accuracy"), above=0.5), batch_norm.at(), plain.at()).above(0.0),
            source="Ioffe and Szegedy 2015, section 3.3",
            unit="share of the grid's runs that train, with it minus without",
            because="a run that ends with more than half of the test images right has trained",
        ),
    ),
    figures=(
        figure(
            "training",
            "Left: test accuracy over training, each network at its own best setting. Right: share of runs that have "
            "not yet come within a point of the plain network's final accuracy.",
            curve("Own best setting", "test_accuracy", own_best),
            survival(
                "Time to the plain network's best", to_plain_best, {**own_best, "batch norm, plain's setting": alike}
            ),
            summary=0,
        ),
        figure(
            "inputs",
            "Above: median input of one sigmoid of the last hidden layer in one run at its own best setting, with the "
            "band from the 15th to the 85th percentile; at step 0 the running statistics are still 0 and 1. "
            "Below: final test accuracy over the grid.",
            inputs_of_a_unit("Plain", plain.best()),
            inputs_of_a_unit("Batch norm", batch_norm.best()),
            trained_cells("Plain", plain),
            trained_cells("Batch norm", batch_norm),
        ),
    ),
    smoke=Changes({"num_steps": 60, RATE: (0.5, 2.0), SCALE: (0.3,)}, num_seeds=2),
    laptop=Changes(num_seeds=3),
    full=Changes(num_seeds=48),
    # 50,000 steps over 30 settings: five seeds are an hour of one core
    paper=Changes(
        {
            "num_steps": 50_000,
            "task.source": "mnist",
            RATE: (0.03, 0.1, 0.5, 2.0, 8.0, 30.0),
            SCALE: (0.01, 0.03, 0.1, 0.3, 1.0),
        },
        num_seeds=5,
        probes=looking(1.05),
    ),
)
