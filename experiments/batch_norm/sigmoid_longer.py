"""Given ten and twenty times the updates, or fewer layers, what does batch normalization do for sigmoid units?

Added after `speedup` had been seen to compare with a network at chance (B-BN7) at one budget of 400 updates, and after an audit had
seen one of three such networks train in 4,000. Budgets and rates were set in a pilot with one other seed, rules before the runs.
"""

from seven_terms.spec import *

SPEEDUP = 400  # updates of `speedup`
LONG = {"num_steps": (10 * SPEEDUP,)}
PLAIN = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=5, width=64, activation="sigmoid"),
    initialization=Initialization(kind="glorot"),
    optimizer=Sgd(),
    num_steps=SPEEDUP,
    batch_size=32,
)
NORMALIZED = PLAIN.but({"model.normalization": BatchNorm()})
THREE_LAYERS = {"model.depth": 3}
plain = Arm("plain", PLAIN, label="5 layers, plain", sweep={"num_steps": (10 * SPEEDUP, 20 * SPEEDUP)})
batch_norm = Arm("batch_norm", NORMALIZED, label="5 layers, batch norm", sweep=LONG)
plain_3 = Arm("plain_3", PLAIN.but(THREE_LAYERS), label="3 layers, plain", sweep=LONG, num_seeds=6)
batch_norm_3 = Arm("batch_norm_3", NORMALIZED.but(THREE_LAYERS), label="3 layers, batch norm", sweep=LONG, num_seeds=6)
ARMS = (plain, batch_norm, plain_3, batch_norm_3)
SOONER, LATEST = {"num_steps": Ranked(0)}, {"num_steps": Ranked(-1)}  # of an arm's own budgets
trained = Reached(Last("test_accuracy"), above=0.5)

experiment = Experiment.here(
    __name__,
    title="Sigmoid units, given time",
    question="Does a deep sigmoid network need batch normalization to train, given ten and twenty times the updates?",
    method="Five and three hidden layers of 64 sigmoid units from Glorot's weights, with and without batch normalization, on "
    "digits of 14 x 14 pixels in batches of 32 with plain SGD at four rates from 1.6 to 12.8. The experiment on speed-up gives "
    "400 updates; here are 4,000, and 8,000 for the five plain layers. A network counts as trained when it ends with more than "
    "half of the test images right.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (1.6, 3.2, 6.4, 12.8)},
    num_seeds=10,
    probes=Evaluate(steps=Steps(count=10), splits=("validation", "test"), num_examples=500),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=batch_norm_3.at({"optimizer.learning_rate": 3.2, "num_steps": 10 * SPEEDUP}),
    claims=(
        claim(
            "B-BN7 (longer)",
            "In ten times the updates, too, more runs of a deep sigmoid network train with batch normalization than without.",
            ProportionDifference(trained, batch_norm.best(at=SOONER), plain.best(at=SOONER)).above(0.2),
            source="Ioffe and Szegedy 2015, section 4.2.2",
            unit="share of runs that train in 4,000 updates, with it minus without",
            because="a fifth more runs at least, as in EG2 (weights x 2), each network at its own best rate",
        ),
        claim(
            "B-BN7 (much longer)",
            "Without batch normalization this network does not train at any rate in twenty times the updates.",
            Proportion(trained, plain.best(at=LATEST)).below(0.5),
            source="Ioffe and Szegedy 2015, section 4.2.2",
            unit="share of plain runs that train in 8,000 updates",
            because="what most runs do at the best rate is what a reader would meet who waits",
        ),
        claim(
            "B-BN7 (how much)",
            "With half of the updates the network with batch normalization ends ten points above the plain one.",
            PairedDifference(Last("test_accuracy"), batch_norm.best(at=SOONER), plain.best(at=LATEST)).above(0.1),
            source="asked after a look at other budgets",
            unit="test accuracy, with it after 4,000 minus without after 8,000 updates",
            because="by how much, and not whether; ten points are a difference that anyone would notice",
        ),
        claim(
            "B-BN7 (three layers)",
            "A sigmoid network that trains without batch normalization ends higher with it.",
            PairedDifference(Last("test_accuracy"), batch_norm_3.best(), plain_3.best()).above(0.02),
            source="asked after a look at other depths",
            unit="test accuracy after 4,000 updates",
            because="both networks learn; two points of accuracy are more than the choice of the images does (noise floor)",
        ),
    ),
    figures=figure(
        "sigmoid_longer",
        "Test accuracy after 4,000 updates, and after 8,000 of the five plain layers, over the rate.",
        sweep_curve(
            "Five layers",
            Last("test_accuracy"),
            {
                "plain, 4,000 updates": plain.at(SOONER),
                "plain, 8,000 updates": plain.at(LATEST),
                "batch norm, 4,000 updates": batch_norm.at(),
            },
            over="optimizer.learning_rate",
        ).axes(y_limits=(0.0, 1.0)),
        sweep_curve(
            "Three layers", Last("test_accuracy"), all_runs(plain_3, batch_norm_3), over="optimizer.learning_rate"
        ).axes(y_limits=(0.0, 1.0)),
    ),
    laptop=Changes(skip=True),
    full=Changes(seeds={"plain": 38, "batch_norm": 38, "plain_3": 12, "batch_norm_3": 12}),
    smoke=Changes({"num_steps": (10, 20), "optimizer.learning_rate": (1.6, 3.2)}, num_seeds=2),
    paper=Changes(skip=True),
)
