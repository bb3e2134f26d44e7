"""Is the depth that can be trained a multiple of the depth scale that theory computes from the initialization?

In a first version the trainable depth was the deepest network of the grid that trained. Seeds then agreed on grid points
that are a factor of 1.5 apart, which says nothing about how far off they are; the depth is now interpolated.
"""

import math

from seven_terms.spec import *

CRITICAL = 1.7610  # where the depth scale diverges, for a bias variance of 0.05


def weight_scales(*variances: float) -> tuple[float, ...]:
    """Return factors on N(0, 1/n) for given weight variances sigma_w^2 / n."""
    return tuple(math.sqrt(variance) for variance in variances)


LIMITED = weight_scales(
    1.0, 1.25, 2.5, 3.0, 4.0
)  # where the depth scale is short enough to end inside the grid of depths
TRAINING = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=18, width=64, activation="tanh"),
    initialization=Initialization(kind="lecun", scale=math.sqrt(CRITICAL), bias_scale=math.sqrt(0.05)),
    optimizer=Sgd(learning_rate=0.02),
    num_steps=200,
    batch_size=32,
)

ACCURACY = Last("train_accuracy")
MULTIPLE = Combine("ratio", Setting("model.depth"), Setting("depth_scale"))
VARIANCE_FACTOR = Combine("exp", Combine("product", LogSlope("layer_signal_gradient_rms", over="index"), -2.0))


def of(variance: float) -> Selected:
    return tanh.at({"initialization.scale": math.sqrt(variance)})


tanh = Arm(
    "tanh",
    TRAINING,
    sweep={"model.depth": (8, 12, 18, 27, 40), "initialization.scale": weight_scales(1.0, 1.25, 1.5, 2.5, 3.0, 4.0)},
)

experiment = Experiment.here(
    __name__,
    title="Trainable depth and the depth scale",
    question="Is the depth up to which a plain tanh network trains a multiple of the depth scale of its initialization?",
    method="Tanh networks of width 64 start from weights of variance v / n and biases of variance 0.05. Mean-field theory gives "
    "each v a depth scale, over which what distinguishes two inputs is lost; it diverges at v = 1.76. Each network makes "
    "200 steps of SGD at one rate, 0.02, and counts as trained when it names more than half of 500 training digits. Per "
    "seed and v the depth at which that ends is set against the depth scale.",
    arms=(tanh,),
    num_seeds=5,
    probes=(
        Evaluate(steps=Steps(count=2), splits=("train",), num_examples=500),
        LayerGradients(steps=Steps(at=(0,), last=False)),
    ),
    selection=Selection(metric="train_accuracy", which="max"),
    noise_floor=tanh.at({"model.depth": 8, "initialization.scale": math.sqrt(1.5)}),
    claims=claim(
        "B-VG3",
        "The depth up to which a network can be trained is a multiple of its depth scale.",
        Slope(
            ACCURACY,
            over="depth_scale",
            runs=tuple(tanh.at({"initialization.scale": scale}) for scale in LIMITED),
            argbest="model.depth",
            crosses=0.5,
        ).within(0.75, 1.25),
        source="Schoenholz et al. 2017",
        unit="exponent",
        because="a multiple is an exponent of 1; from 0.75 to 1.25 a doubled depth scale means 1.7 to 2.4 times the depth, "
        "which is the same for practice",
    ),
    figures=figure(
        "depth_scale",
        "Left: accuracy after 200 steps over depth in units of the depth scale; networks with the same depth scale "
        "but different weights should fall on one curve, and a dashed line marks 4.5 depth scales. Right: the "
        "factor on the gradient's variance per layer before training, beside theory.",
        cloud(
            "Training",
            MULTIPLE,
            ACCURACY,
            {f"$\\sigma_w^2$ = {variance:g}": of(variance) for variance in (1.0, 1.25, 1.5, 2.5, 3.0, 4.0)},
            references=(Reference(label="4.5 depth scales", x=4.5),),
        ).axes("depth / depth scale", "training accuracy", log="x"),
        sweep_curve(
            "Gradient before training",
            VARIANCE_FACTOR,
            {"40 layers": tanh.at({"model.depth": 40})},
            over="initialization.scale",
            references=(Reference(label="theory", theory="chi_1"),),
        ).axes("$\\sigma_w$", "factor per layer"),
    ),
    smoke=Changes(
        {
            "num_steps": 4,
            "model.width": 32,
            "model.depth": (8, 40),
            "initialization.scale": weight_scales(1.0, 1.25, 1.5, 2.5, 3.0, 4.0),
        },
        num_seeds=2,
    ),
    laptop=Changes(num_seeds=3),
    full=Changes(num_seeds=40),
    paper=Changes(
        {
            "num_steps": 200,
            "model.width": 300,
            "batch_size": 256,
            "task.source": "mnist",
            "task.resolution": 28,
            "optimizer.learning_rate": 1e-3,
            "model.depth": tuple(range(10, 101, 10)),
            "initialization.scale": weight_scales(*(1.0 + 0.25 * i for i in range(13)), CRITICAL),
        }
    ),
)
