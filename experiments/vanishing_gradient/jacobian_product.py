"""Is the gradient of the first layer a product of one factor per layer, and are the factors between 0 and 1?"""

from seven_terms.spec import *

# name: (label, activation, initialization)
NETWORKS: dict[str, tuple[str, Activation, Initialization]] = {
    "sigmoid": ("sigmoid, Glorot", "sigmoid", Initialization(kind="glorot")),
    "tanh_uniform": ("tanh, uniform fan-in", "tanh", Initialization(kind="uniform_fan_in")),
    "tanh_glorot": ("tanh, Glorot", "tanh", Initialization(kind="glorot")),
    "relu": ("ReLU, He", "relu", Initialization(kind="he")),
}
MEAN_SINGULAR_VALUE = Over("layer_jacobian_mean_singular_value")
LARGEST_SINGULAR_VALUE = Over("layer_jacobian_largest_singular_value", "max")


def network(name: str) -> Arm:
    label, activation, initialization = NETWORKS[name]
    training = Training(
        task=Digits(resolution=14),
        model=Mlp(depth=5, width=100, activation=activation),
        initialization=initialization,
        num_steps=0,
        batch_size=16,
        precision="float64",
    )
    return Arm(name, training, label=label)


ARMS = by_name(network(name) for name in NETWORKS)
sigmoid, tanh_uniform, tanh_glorot, relu = ARMS.values()

ALL = all_runs(*ARMS.values())

experiment = Experiment.here(
    __name__,
    title="The gradient as a product of layer Jacobians",
    question="Is the first layer's gradient a product of one factor per layer, and are the factors between 0 and 1?",
    method="For networks of five hidden layers of 100 units at their initial weights, in double precision, the Jacobian of "
    "each layer's pre-activations with respect to those of the layer below is computed on its own for 16 digits. The "
    "gradient at the last hidden layer times these matrices is compared with the gradient that back-propagation "
    "delivers at the first. The factors are described by the singular values of the matrices.",
    arms=ARMS,
    num_seeds=10,
    probes=(
        LayerJacobians(steps=Steps(at=(0,)), num_examples=16),
        Evaluate(steps=Steps(at=(0,)), splits=("validation",), num_examples=100),
    ),
    noise_floor=tanh_glorot,
    claims=(
        claim(
            "VG3 (product)",
            "The gradient of an early layer is the product of the Jacobians of the layers above it.",
            WorstDeviation(Over("jacobian_product_error", "max"), 0.0, tuple(ALL.values()), absolute=True).below(1e-12),
            source="article; the chain rule",
            unit="largest relative difference",
            because="an identity holds up to rounding, about 1e-16 for each of some hundred operations",
        ),
        claim(
            "VG3 (factors)",
            "Where gradients vanish, no factor of the product stretches any direction.",
            Mean(LARGEST_SINGULAR_VALUE, tanh_uniform.at()).below(1.0),
            source="article",
            unit="largest singular value",
            because="a factor is a matrix, and it lies below 1 when it stretches no direction; the gradient of this network "
            "vanishes (B-VG1), so its factors must have no singular value above 1",
        ),
        claim(
            "VG3 (typical factor)",
            "Where gradients vanish, a typical factor of the product lies between 0 and 1.",
            Mean(MEAN_SINGULAR_VALUE, ARMS["tanh_uniform"].at()).below(1.0),
            source="article",
            unit="mean singular value",
            because="the other reading: the factor by which a layer shrinks a gradient on average over directions",
        ),
    ),
    figures=figure(
        "factors",
        "Singular values of the layers' Jacobians before training: the mean, which Glorot and Bengio give as about "
        "0.5 for the uniform and 0.8 for their own initialization of tanh networks, and the gain by layer.",
        bars("Mean singular value", MEAN_SINGULAR_VALUE, ALL).axes("network", "mean singular value"),
        curve(
            "Root mean square by layer",
            "layer_jacobian_gain",
            ALL,
            over="index",
            references=(Reference(label="neither shrinks nor grows", y=1.0),),
        ).axes("from hidden layer (0 is nearest the input)", "gain", y_limits=(0.0, None)),
    ),
    smoke=Changes({"model.width": 16}, num_seeds=2),
    laptop=Changes(num_seeds=4),
    full=Changes(num_seeds=20),
    paper=Changes({"model.width": 300, "task.source": "mnist", "task.resolution": 28, "batch_size": 300}, num_seeds=20),
)
