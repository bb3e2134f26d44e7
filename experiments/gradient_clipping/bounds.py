"""Does clipping put the bounds that it promises on entries and norms, and is it normalized descent when always at work?"""

from seven_terms.spec import *

TRAINING = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=1.0),
    num_steps=150,
    batch_size=32,
    precision="float64",
)
RATES, THRESHOLDS = (1.0, 2.0, 4.0), (0.005, 0.01, 0.02)
BY_NORM = TRAINING.but(clipping=Clipping(norm=0.01))
BY_VALUE = TRAINING.but(clipping=Clipping(value=1e-4))
STEP = Combine("product", Setting("optimizer.learning_rate"), Setting("clipping.norm"))


def pair(rate: float, threshold: float) -> Selected:
    return norm.at({"optimizer.learning_rate": rate, "clipping.norm": threshold})


def bound_reached(entry: str, threshold: str) -> Combine:
    return Combine("ratio", Over(entry, "max"), Setting(f"clipping.{threshold}"))


norm = Arm("norm", BY_NORM, label="clip by norm", sweep={"optimizer.learning_rate": RATES, "clipping.norm": THRESHOLDS})
value = Arm("value", BY_VALUE, label="clip by value", sweep={"clipping.value": (1e-4, 1e-3)})

experiment = Experiment.here(
    __name__,
    title="What clipping does exactly",
    question="Do clipped gradients keep to their bounds, and is a step that is always clipped a step of fixed length?",
    method="A network of two layers of 32 ReLU units learns digits of 7 by 7 points for 150 updates in double precision, with "
    "thresholds so low that every update is clipped. Recorded are the largest entry and the norm of clipped gradients "
    "and the length of each update. Nine pairs of rate and threshold have five different products.",
    arms=(norm, value),
    num_seeds=5,
    probes=(
        Stream(window=1, update_norms=True),
        ClippedDirection(steps=Steps(every=10, last=False)),
        Evaluate(steps=Steps(at=(0,)), splits=("validation", "test"), num_examples=500),
    ),
    noise_floor=value,
    claims=(
        claim(
            "GC1 (value)",
            "Clipping keeps every gradient value between a minimum and a maximum.",
            WorstDeviation(bound_reached("clipped_entry_max", "value"), 1.0, (value.at(),)).below(1e-12),
            source="article",
            unit="largest entry over threshold, relative difference from 1",
            because="clipping by value is a minimum and a maximum of numbers: exact, and where it is at work, reached",
        ),
        claim(
            "GC1 (norm)",
            "Clipping by norm bounds the norm of the gradient.",
            WorstDeviation(bound_reached("clipped_gradient_norm", "norm"), 1.0, (norm.at(),)).below(1e-5),
            source="Pascanu et al. 2013, algorithm 1",
            unit="largest norm over threshold, relative difference from 1",
            because="PyTorch's formula adds 1e-6 to the norm it divides by, which is 1e-5 of a gradient norm of 0.1",
        ),
        claim(
            "B-GC4",
            "When every step is clipped, descent is normalized: each update is as long as rate times threshold.",
            WorstDeviation(Combine("ratio", Over("update_norm", "min"), STEP), 1.0, (norm.at(),)).below(1e-5),
            source="algebra",
            unit="shortest update over rate times threshold, relative difference from 1",
            because="by algebra the length is exact up to the 1e-6 of PyTorch's formula; the shortest is the worst",
        ),
        claim(
            "B-GC4 (product)",
            "Runs with an equal product of rate and threshold coincide.",
            PairedDifference(Last("test_loss"), pair(4.0, 0.005), pair(1.0, 0.02), exact=True).within(-1e-9, 1e-9),
            source="algebra",
            unit="nats of test loss",
            because="only the product enters the update, so 150 updates may differ by rounding alone",
        ),
    ),
    figures=figure(
        "bounds",
        "When every update is clipped, rate and threshold are one number: test loss after 150 updates over their "
        "product. Runs with equal products lie on top of each other.",
        cloud(
            "Only the product counts",
            STEP,
            Last("test_loss"),
            {f"rate {rate:g}": norm.at({"optimizer.learning_rate": rate}) for rate in RATES},
        ).axes("rate x threshold", "test loss (nats)", log="x"),
    ),
    smoke=Changes({"num_steps": 20}, num_seeds=2),
    paper=Changes({"task.source": "mnist", "task.resolution": 28, "num_steps": 500}, num_seeds=20),
)
