"""Does it matter whether entries or the norm are clipped, and does clipping lower training and test loss alike?

First run at a constant rate with six seeds: last iterates scattered by a tenth in accuracy, more than the margin of any
claim, and the best rate lay on the grid's edge. Hence the falling rate, one more rate and more seeds; rules unchanged.
Where every update is clipped only rate times threshold counts (see bounds), so a best setting in a corner of the grid may
still have its product inside.
"""

from seven_terms.spec import *

UNCLIPPED = Training(
    task=Digits(resolution=7, num_train=1000),
    model=Mlp(depth=10, width=64, activation="tanh"),
    initialization=Initialization(kind="lecun", scale=2.0),
    optimizer=Sgd(),
    schedule=Linear(),
    num_steps=150,
    batch_size=32,
)
FINER = tuple(round(0.01 * 10 ** (i / 6.86), 4) for i in range(18))  # as many as rates times thresholds
none = Arm("none", UNCLIPPED, label="no clipping", sweep={"optimizer.learning_rate": FINER})
norm = Arm(
    "norm", UNCLIPPED.but(clipping=Clipping(norm=1.0)), label="clip by norm", sweep={"clipping.norm": (0.3, 1.0, 3.0)}
)
value = Arm(
    "value",
    UNCLIPPED.but(clipping=Clipping(value=0.01)),
    label="clip by value",
    sweep={"clipping.value": (0.003, 0.01, 0.03)},
)
COSINE = Over("clip_cosine")

experiment = Experiment.here(
    __name__,
    title="Clipping by value or by norm",
    question="Does the form of clipping matter, and does clipping help the test data as much as the training data?",
    method="Networks of ten tanh layers whose weights are twice as large as they should be, so that gradients grow with depth, "
    "learn 1,000 digits of 7 by 7 points for 150 updates with a rate that falls linearly to zero. Without clipping at eighteen rates, or clipped by norm or by value, each "
    "at six rates over the same range and at three thresholds a decade apart in all; rate and threshold are selected on validation "
    "loss. The share of clipped updates and the angle between clipped and raw gradient are recorded.",
    arms=(none, norm, value),
    sweep={"optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)},
    num_seeds=8,
    probes=(
        Stream(window=10),
        Evaluate(steps=Steps(at=(0,)), splits=("train", "validation", "test"), num_examples=500),
        ClippedDirection(steps=Steps(count=5, last=False)),
    ),
    selection=Selection(metric="validation_loss"),
    noise_floor=none,
    claims=(
        claim(
            "B-GC3",
            "Clipping by value and by norm end at the same test accuracy.",
            PairedDifference(Last("test_accuracy"), value.best(), norm.best()).within(-0.03, 0.03),
            source="Pascanu et al. 2013, section 3.2",
            unit="test accuracy, value minus norm, each at its own best rate and threshold",
            because="the same: within three digits of a hundred, about the spread between seeds after so short a training",
        ),
        claim(
            "B-GC3 (direction)",
            "Clipping by value changes the direction of the gradient (by norm it cannot).",
            Mean(COSINE, value.best()).below(0.95),
            source="Pascanu et al. 2013, section 3.2",
            unit="cosine between clipped and raw gradient",
            because="a cosine of 0.95 is an angle of 18 degrees, more than rounding and less than what noise between batches does",
        ),
        claim(
            "B-GC6",
            "Clipping lowers the test loss of a network with exploding gradients.",
            PairedDifference(Last("test_loss"), norm.best(), none.best()).below(0.0),
            source="Pascanu et al. 2013, table 1 (music and characters)",
            unit="nats of test loss, clipped minus not, each at its own best rate",
            because="a negative paired difference on test data is the help; its twin asks for the training data",
        ),
        claim(
            "B-GC6 (training data)",
            "It lowers the training loss as well: clipping is an aid to optimization, not a regularizer.",
            PairedDifference(Last("train_loss"), norm.best(), none.best()).below(0.0),
            source="Pascanu et al. 2013, table 1 (music and characters)",
            unit="nats of training loss, clipped minus not, each at its own best rate",
            because="a regularizer would raise the training loss where it lowers the test loss",
        ),
    ),
    figures=figure(
        "value_against_norm",
        "Deep tanh networks with large weights, at the best threshold of each rate. Left: test accuracy. Right: cosine "
        "between the clipped and the raw gradient, one when only the length is changed.",
        sweep_curve("Result", Last("test_accuracy"), best_runs(none, norm, value), over="optimizer.learning_rate"),
        sweep_curve("Direction", COSINE, best_runs(norm, value), over="optimizer.learning_rate").axes(
            y="cosine to the raw gradient"
        ),
    ),
    smoke=Changes(
        {"num_steps": 10, "optimizer.learning_rate": (0.03, 0.1), "clipping.norm": (1.0,), "clipping.value": (0.01,)},
        num_seeds=2,
    ),
    laptop=Changes(num_seeds=4),
    full=Changes(num_seeds=128),
    paper=Changes({"num_steps": 2000, "model.width": 256, "task.source": "mnist", "task.resolution": 28}, num_seeds=20),
)
