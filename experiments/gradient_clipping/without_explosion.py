"""What does clipping do where gradients do not explode: in a well-behaved network, and in one where they vanish?"""

from seven_terms.spec import *

WELL_BEHAVED = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=64, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    num_steps=300,
    batch_size=32,
)
VANISHING = WELL_BEHAVED.but(
    model=Mlp(depth=3, width=32, activation="sigmoid"), initialization=Initialization(kind="lecun"), num_steps=1000
)
NETWORKS = {"well_behaved": ("well-behaved", WELL_BEHAVED), "vanishing": ("vanishing", VANISHING)}
BOUND = {"clipping.norm": (0.5, 2.0, 8.0)}
RATES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FINER = tuple(
    round(0.03 * 10 ** (i / 6.8), 4) for i in range(18)
)  # as many settings as rates times thresholds: 0.03 to 9.5


def arms(name: str) -> tuple[Arm, Arm]:
    label, training = NETWORKS[name]
    clipped = training.but(clipping=Clipping(norm=1.0))
    return (
        Arm(name, training, label=f"{label}, no clipping", sweep={"optimizer.learning_rate": FINER}),
        Arm(
            f"{name}_clipped",
            clipped,
            label=f"{label}, clip by norm",
            sweep={"optimizer.learning_rate": RATES, **BOUND},
        ),
    )


def gain(name: str) -> PairedDifference:
    return PairedDifference(Last("test_accuracy"), ARMS[f"{name}_clipped"].best(), ARMS[name].best())


ARMS = by_name(arm for name in NETWORKS for arm in arms(name))
well_behaved, well_behaved_clipped, vanishing, vanishing_clipped = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Where gradients do not explode",
    question="Does clipping help, or harm, where there is no explosion to prevent?",
    method="A network of two ReLU layers with He's weights, whose gradients are healthy, and one of three sigmoid layers, whose "
    "gradients vanish, learn digits of 7 by 7 points for 300 and, to get above chance, 1,000 updates of plain SGD, without clipping and with the norm "
    "clipped at one of three thresholds; rate and threshold are selected on validation loss. Either has eighteen settings: "
    "eighteen rates, or six rates times three thresholds over the same range.",
    arms=ARMS,
    num_seeds=8,
    probes=(Stream(window=25), Evaluate(steps=Steps(at=(0,)), splits=("validation", "test"), num_examples=1000)),
    selection=Selection(metric="validation_loss"),
    noise_floor=well_behaved,
    claims=(
        claim(
            "GC4",
            "Clipping is there for explosions: where gradients vanish it does not help.",
            gain("vanishing").within(-0.05, 0.05),
            source="article",
            unit="test accuracy, clipped minus not, each at its own best rate",
            because="no difference that matters for a network that learns slowly and is far from what it could reach: five digits of a hundred",
        ),
        claim(
            "GC4 (healthy)",
            "In a network whose gradients are healthy clipping neither helps nor harms.",
            gain("well_behaved").within(-0.02, 0.02),
            source="article",
            unit="test accuracy, clipped minus not, each at its own best rate",
            because="neither helps nor harms: within two digits of a hundred, about the spread between seeds",
        ),
    ),
    figures=figure(
        "without_explosion",
        "Test accuracy at the end over the rate, without clipping and at the best threshold of each rate. "
        "Clipping helps only at rates that are too large; it does not bring back what vanishes.",
        *(
            sweep_curve(
                label,
                Last("test_accuracy"),
                {"no clipping": ARMS[name].at(), "clip by norm": ARMS[f"{name}_clipped"].best()},
                over="optimizer.learning_rate",
            ).axes(y_limits=(0.0, 1.0))
            for name, label in (("well_behaved", "Healthy gradients"), ("vanishing", "Vanishing gradients"))
        ),
    ),
    smoke=Changes({"num_steps": 20, "optimizer.learning_rate": (0.1, 1.0), "clipping.norm": (0.5,)}, num_seeds=2),
    laptop=Changes(num_seeds=4),
    full=Changes(num_seeds=160, seeds={"vanishing": 480, "vanishing_clipped": 480}),
    paper=Changes({"num_steps": 3000, "model.width": 256, "task.source": "mnist", "task.resolution": 28}, num_seeds=20),
)
