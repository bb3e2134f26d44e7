"""How large does the gradient become when each layer multiplies it by more than one? Before training, over depth."""

import math

from seven_terms.spec import *

DEPTHS = (5, 10, 20, 40)
LARGE, UNIT = math.sqrt(2.0), 1.0  # factors on the weights: 2 and 1 on the variance of the gradient per layer
SCALES = (math.sqrt(0.5), UNIT, LARGE)

SIGNAL = "layer_signal_gradient_rms"
PER_LAYER = Combine("exp", Combine("negative", LogSlope(SIGNAL, over="index")))


def first_over_last(depth: int) -> Combine:
    return Combine("ratio", At(SIGNAL, step=0, index=0), At(SIGNAL, step=0, index=depth - 1))


def network(name: str, label: str, *, activation: str, kind: str) -> Arm:
    training = Training(
        task=GaussianInputs(num_features=100),
        model=Mlp(depth=DEPTHS[-1], width=100, activation=activation),  # type: ignore[arg-type]
        initialization=Initialization(kind=kind),  # type: ignore[arg-type]
        num_steps=0,
        batch_size=64,
    )
    return Arm(name, training, label=label)


def of(arm: str, scale: float) -> Selected:
    return ARMS[arm].at({"model.depth": DEPTHS[-1], "initialization.scale": scale})


ARMS = by_name(
    (network("relu", "ReLU", activation="relu", kind="he"), network("tanh", "tanh", activation="tanh", kind="lecun"))
)
relu, tanh = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Gain and depth",
    question="How large does a gradient become on its way down when every layer multiplies it by more than one?",
    method="Networks of 5 to 40 hidden layers of 100 units see one batch of 64 random inputs at their initial weights; "
    "nothing is trained. He's weights for ReLU, and weights of variance 1/n for tanh, are multiplied by a common "
    "factor; by theory the standard deviation of the gradient is then multiplied by that factor in each layer, as "
    "long as units do not saturate. Measured is the gradient at the first layer over that at the last.",
    arms=ARMS,
    sweep={"model.depth": DEPTHS, "initialization.scale": SCALES},
    num_seeds=10,
    probes=(
        LayerGradients(steps=Steps(at=(0,))),
        Evaluate(steps=Steps(at=(0,)), splits=("validation",), num_examples=64),
    ),
    noise_floor=relu,
    claims=(
        claim(
            "EG1",
            "When the factors of the product are above 1, it becomes huge.",
            Mean(first_over_last(DEPTHS[-1]), of("relu", LARGE), log=True).above(1000.0),
            source="article",
            unit="gradient of the first layer over that of the last of 40",
            because="a factor of sqrt(2) in each of 39 steps should give 740,000; three orders of magnitude is huge by any "
            "practical standard, and no single rate suits layers so far apart",
            scales=("laptop", "full", "paper"),  # the smoke scale has other depths
        ),
        claim(
            "EG1 (per layer)",
            "The factor per layer is the one that the weights' variance gives.",
            Mean(PER_LAYER, of("relu", LARGE), log=True).within(LARGE / 1.05, LARGE * 1.05),
            source="He et al. 2015; Glorot and Bengio 2010",
            unit="factor on the gradient per layer",
            because="theory says sqrt(2); within 5 % leaves room for the finite width of 100 units",
            scales=("laptop", "full", "paper"),
        ),
    ),
    figures=figure(
        "growth",
        "Gradient before training, as a factor per layer: ReLU follows the weights at any gain, tanh grows less than "
        "its weights above 1 because its units saturate.",
        *(
            sweep_curve(
                title,
                PER_LAYER,
                {f"weights x {scale:.2g}": ARMS[arm].at({"initialization.scale": scale}) for scale in SCALES},
                over="model.depth",
                references=(Reference(label="neither shrinks nor grows", y=1.0),),
            ).axes("hidden layers", "factor on the gradient per layer")
            for arm, title in (("relu", "ReLU"), ("tanh", "tanh"))
        ),
    ),
    smoke=Changes({"model.width": 32, "model.depth": (5, 10)}, num_seeds=2),
    laptop=Changes(num_seeds=4),
    full=Changes(num_seeds=20),
    paper=Changes({"model.width": 300}, num_seeds=20),
)
