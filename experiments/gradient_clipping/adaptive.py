"""Does a bound relative to the weights let a deep network without normalization train at larger rates and batches?"""

from seven_terms.spec import *

UNCLIPPED = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=8, width=64, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9, nesterov=True),
    num_steps=150,
    batch_size=64,
)
ADAPTIVE = UNCLIPPED.but(clipping=Clipping(adaptive=0.04))
SIZES = SMALL, LARGE = 32, 128
trained = Reached(Last("test_accuracy"), above=0.8)

none = Arm("none", UNCLIPPED, label="no clipping")
adaptive = Arm("adaptive", ADAPTIVE, label="adaptive clipping", sweep={"clipping.adaptive": (0.01, 0.04, 0.16)})


def accuracy_over_rate(size: int, bounds: tuple[float, ...]) -> Panel:
    clipped = {
        f"adaptive, {bound:g}": adaptive.at({"batch_size": size, "clipping.adaptive": bound}) for bound in bounds
    }
    return sweep_curve(
        f"Batches of {size}",
        Last("test_accuracy"),
        {"no clipping": none.at({"batch_size": size}), **clipped},
        over="optimizer.learning_rate",
    )


experiment = Experiment.here(
    __name__,
    title="Adaptive gradient clipping",
    question="Does clipping each unit's gradient relative to its weights let a deep plain network train at larger rates?",
    method="Networks of eight ReLU layers of 64 units without normalization learn digits of 7 by 7 points for 150 updates of "
    "SGD with Nesterov momentum 0.9, batches of 32 and 128, without clipping and with the gradient of each unit bounded "
    "by a multiple of the norm of its weights (Brock and others 2021), all layers but the last. A network counts as "
    "trained when it names more than 80 % of the test digits.",
    arms=(none, adaptive),
    sweep={"optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0), "batch_size": SIZES},
    num_seeds=8,
    probes=Evaluate(steps=Steps(at=(0,)), splits=("validation", "test"), num_examples=500),
    selection=Selection(metric="validation_loss"),
    noise_floor=none.at({"batch_size": SMALL}),
    claims=claim(
        "B-GC2 (adaptive)",
        "Adaptive clipping permits several times larger rates in a deep network without normalization.",
        BestSetting(
            trained,
            "optimizer.learning_rate",
            adaptive.at({"batch_size": LARGE, "clipping.adaptive": 0.04}),
            which="largest_reached",
            baseline=none.at({"batch_size": LARGE}),
        ).above(2.0),
        source="Brock et al. 2021",
        unit="largest rate that trains, with over without, batches of 128",
        because="several times is at least two",
        scales=("laptop", "full", "paper"),
    ),
    figures=(
        figure(
            "adaptive",
            "Test accuracy of a deep plain network over the rate, without clipping and at three adaptive thresholds.",
            *(accuracy_over_rate(size, (0.01, 0.04, 0.16)) for size in SIZES),
            key=1,
            scales=("laptop", "full"),
        ),
        figure(
            "one_bound",
            "Test accuracy of a deep plain network over the rate, without clipping and with an adaptive threshold.",
            *(accuracy_over_rate(size, (0.04,)) for size in SIZES),
            key=1,
            scales=("paper",),
        ),
    ),
    smoke=Changes(
        {"num_steps": 10, "optimizer.learning_rate": (0.01, 0.1), "batch_size": (32,), "clipping.adaptive": (0.04,)},
        num_seeds=2,
    ),
    laptop=Changes(num_seeds=4),
    full=Changes(
        {"optimizer.learning_rate": tuple(10.0 ** (power / 12) for power in range(-30, 1))},  # 0.003 to 1
        num_seeds=24,
        seeds={"none": 96, "adaptive": 96},
        seeds_at={"batch_size": LARGE, "clipping.adaptive": 0.04},
    ),
    paper=Changes(
        {
            "num_steps": 1000,
            "model.width": 256,
            "task.source": "mnist",
            "task.resolution": 28,
            "optimizer.learning_rate": tuple(10.0 ** (power / 6) for power in range(-15, 1)),  # 0.003 to 1
            "clipping.adaptive": (0.04,),
        },
        num_seeds=20,
    ),
)
