"""Does batch normalization keep gradients from exploding with depth? Deep networks before training."""

import math

from seven_terms.spec import *

DEPTH = 25
THEORY = math.pi / (math.pi - 1.0)
# name: (label, normalization, residual)
NETWORKS: dict[str, tuple[str, Normalization | None, bool]] = {
    "plain": ("no normalization", None, False),
    "batch_norm": ("batch norm", BatchNorm(), False),
    "residual": ("batch norm, residual", BatchNorm(), True),
}
# The first layers see inputs of another kind and the last ones the loss: both ends are left out.
PER_LAYER = LogSlope("layer_signal_gradient_rms", over="index", first_index=3, last_index=DEPTH - 4)
VARIANCE_FACTOR = Combine("exp", Combine("product", PER_LAYER, -2.0))


def network(name: str) -> Arm:
    label, normalization, residual = NETWORKS[name]
    training = Training(
        task=GaussianInputs(num_features=200),
        model=Mlp(depth=DEPTH, width=200, activation="relu", normalization=normalization, residual=residual),
        initialization=Initialization(kind="he"),
        num_steps=0,
        batch_size=256,
    )
    return Arm(name, training, label=label)


def growth(name: str, scale: float = 1.0) -> Mean:
    return Mean(VARIANCE_FACTOR, ARMS[name].at({"initialization.scale": scale}), log=True)


ARMS = by_name(network(name) for name in NETWORKS)
plain, batch_norm, residual = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Gradient growth under batch normalization",
    question="Does batch normalization keep the gradient of a deep network from growing on its way to the first layer?",
    method="Networks of 25 layers of 200 ReLU units see one batch of 256 random inputs at their initial weights, He's or "
    "sqrt(2) times as large; nothing is trained. Without normalization, with batch normalization, and with batch "
    "normalization in residual layers, the factor per layer on the variance of the gradient with respect to the "
    "activation functions' inputs is fitted over the middle layers. By algebra, for large layers and batches, ReLU halves "
    "that variance and batch normalization divides it by (pi - 1)/(2 pi), while the weights cancel: pi/(pi - 1) is left.",
    arms=ARMS,
    sweep={"initialization.scale": (1.0, math.sqrt(2.0))},
    num_seeds=10,
    probes=(
        LayerGradients(steps=Steps(at=(0,), last=False)),
        Evaluate(steps=Steps(at=(0,)), splits=("validation",), num_examples=64),  # what the noise floor is measured on
    ),
    noise_floor=batch_norm,
    claims=(
        claim(
            "B-EG3 (as said)",
            "Batch normalization prevents exploding gradients.",
            growth("batch_norm").below(1.1),
            source="folklore",
            unit="factor on the gradient's variance per layer",
            because="prevented means that it does not grow with depth; 1.1 per layer still allows a factor of 10 over 25 layers",
        ),
        claim(
            "B-EG3 (fair)",
            "In deep plain networks batch normalization itself makes gradients grow, by pi/(pi - 1) a layer.",
            growth("batch_norm", math.sqrt(2.0)).within(THEORY / 1.05, THEORY * 1.05),
            source="Yang et al. 2019",
            unit="factor on the gradient's variance per layer, weights sqrt(2) times He's",
            because="theory is for infinite width and batch; 5 % on the factor leaves room for 200 units and 256 examples and "
            "still tells it from 1 and from the 2 that these weights give without normalization",
            scales=("laptop", "full", "paper"),
        ),
    ),
    figures=figure(
        "batch_norm_growth",
        "Gradient before training in 25-layer ReLU networks with He's weights, by layer, and its factor per layer over "
        "the size of the weights. Residual layers make the growth nearly vanish.",
        curve(
            "By layer, He's weights",
            "layer_signal_gradient_rms",
            {label: ARMS[name].at({"initialization.scale": 1.0}) for name, (label, *_) in NETWORKS.items()},
            over="index",
        ).axes("hidden layer (0 is nearest the input)", "gradient (root mean square)", log="y"),
        sweep_curve(
            "Factor per layer",
            VARIANCE_FACTOR,
            all_runs(*ARMS.values()),
            over="initialization.scale",
            references=(Reference(label="theory: $\\pi/(\\pi-1)$", y=THEORY), Reference(label="no growth", y=1.0)),
        ).axes("weights relative to He's", "factor on the variance"),
    ),
    smoke=Changes({"model.width": 32, "batch_size": 32}, num_seeds=2),
    laptop=Changes(num_seeds=4),
    paper=Changes({"model.width": 1000, "batch_size": 1024}, num_seeds=20),
)
