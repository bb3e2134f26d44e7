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


norm = Arm(
    name="norm",
    label="clip by norm",
    training=BY_NORM,
    sweep={"optimizer.learning_rate": RATES, "clipping.norm": THRESHOLDS},
)
value = Arm(name="value", label="clip by value", training=BY_VALUE, sweep={"clipping.value": (1e-4, 1e-3)})


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
        Claim(
            id="GC1",
            form="value",
            statement="Clipping keeps every gradient value between a minimum and a maximum.",
            source="article",
            estimate=WorstDeviation(
                measure=bound_reached("clipped_entry_max", "value"), expected=1.0, runs=(value.at(),)
            ),
            rule=Below(1e-12),
            unit="largest entry over threshold, relative difference from 1",
            because="clipping by value is a minimum and a maximum of numbers: exact, and where it is at work, reached",
        ),
        Claim(
            id="GC1",
            form="norm",
            statement="Clipping by norm bounds the norm of the gradient.",
            source="Pascanu et al. 2013, algorithm 1",
            estimate=WorstDeviation(
                measure=bound_reached("clipped_gradient_norm", "norm"), expected=1.0, runs=(norm.at(),)
            ),
            rule=Below(1e-5),
            unit="largest norm over threshold, relative difference from 1",
            because="PyTorch's formula adds 1e-6 to the norm it divides by, which is 1e-5 of a gradient norm of 0.1",
        ),
        Claim(
            id="B-GC4",
            statement="When every step is clipped, descent is normalized: each update is as long as rate times threshold.",
            source="algebra",
            estimate=WorstDeviation(
                measure=Combine("ratio", Over("update_norm", "min"), STEP), expected=1.0, runs=(norm.at(),)
            ),
            rule=Below(1e-5),
            unit="shortest update over rate times threshold, relative difference from 1",
            because="by algebra the length is exact up to the 1e-6 of PyTorch's formula; the shortest is the worst",
        ),
        Claim(
            id="B-GC4",
            form="product",
            statement="Runs with an equal product of rate and threshold coincide.",
            source="algebra",
            estimate=PairedDifference(
                measure=Last("test_loss"), runs=pair(4.0, 0.005), baseline=pair(1.0, 0.02), exact=True
            ),
            rule=Within(-1e-9, 1e-9),
            unit="nats of test loss",
            because="only the product enters the update, so 150 updates may differ by rounding alone",
        ),
    ),
    figures=(
        Figure(
            name="bounds",
            caption=(
                "When every update is clipped, rate and threshold are one number: test loss after 150 updates over their "
                "product. Runs with equal products lie on top of each other."
            ),
            panels=(
                cloud(
                    "Only the product counts",
                    STEP,
                    Last("test_loss"),
                    {f"rate {rate:g}": norm.at({"optimizer.learning_rate": rate}) for rate in RATES},
                    x_label="rate x threshold",
                    y_label="test loss (nats)",
                    log_x=True,
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"num_steps": 20}),
        "paper": Changes(num_seeds=20, training={"task.source": "mnist", "task.resolution": 28, "num_steps": 500}),
    },
)
