"""How fast does the gradient shrink on its way to the first layer? Depth x activation x initialization, before training."""

from seven_terms.spec import *

# name: (label, activation, initialization)
NETWORKS: dict[str, tuple[str, Activation, Initialization]] = {
    "sigmoid_glorot": ("sigmoid, Glorot", "sigmoid", Initialization(kind="glorot")),
    "sigmoid_he": ("sigmoid, He", "sigmoid", Initialization(kind="he")),
    "tanh_uniform": ("tanh, uniform fan-in", "tanh", Initialization(kind="uniform_fan_in")),
    "tanh_glorot": ("tanh, Glorot", "tanh", Initialization(kind="glorot")),
    "tanh_orthogonal": ("tanh, orthogonal", "tanh", Initialization(kind="orthogonal")),
    "relu_uniform": ("ReLU, uniform fan-in", "relu", Initialization(kind="uniform_fan_in")),
    "relu_xavier": ("ReLU, Xavier", "relu", Initialization(kind="xavier_fan_in")),
    "relu_he": ("ReLU, He", "relu", Initialization(kind="he")),
    "linear_uniform": ("linear, uniform fan-in", "identity", Initialization(kind="uniform_fan_in")),
    "linear_glorot": ("linear, Glorot", "identity", Initialization(kind="glorot")),
}
SHOWN = ("sigmoid_glorot", "tanh_uniform", "tanh_glorot", "relu_xavier", "relu_he")
SHALLOW, DEEP = 5, 30

FIRST_LAYER = At("layer_signal_gradient_rms", step=0, index=0)
PER_LAYER = LogSlope("layer_signal_gradient_rms", over="index")
VARIANCE_FACTOR = Combine("exp", Combine("product", PER_LAYER, -2.0))  # towards the input


def network(name: str) -> Arm:
    label, activation, initialization = NETWORKS[name]
    training = Training(
        task=Digits(resolution=14),
        model=Mlp(depth=SHALLOW, width=100, activation=activation),
        initialization=initialization,
        num_steps=0,
        batch_size=64,
    )
    # The linear regime is asked about at one depth only.
    sweep = {"model.depth": (SHALLOW,)} if activation == "identity" else {}
    return Arm(name, training, label=label, sweep=sweep)


def shown(depth: int | None = None) -> dict[str, Selected]:
    where = {} if depth is None else {"model.depth": depth}
    return {NETWORKS[name][0]: ARMS[name].at(where) for name in SHOWN}


ARMS = by_name(network(name) for name in NETWORKS)

experiment = Experiment.here(
    __name__,
    title="Gradient by layer before training",
    question="How does the gradient change from layer to layer, and what decides it: depth, activation or initialization?",
    method="Networks of 5, 15 and 30 hidden layers of 100 units see one batch of 64 digits at their initial weights; nothing "
    "is trained. Measured is the root mean square of the loss gradient with respect to each layer's pre-activations, "
    "which says more than the gradient of the weights: that one can look healthy while signals fade. Theory predicts "
    "the factor on its variance per layer, n Var(W) times the mean squared slope of the activation.",
    arms=ARMS,
    sweep={"model.depth": (SHALLOW, 15, DEEP)},
    num_seeds=10,
    probes=(
        LayerGradients(steps=Steps(at=(0,))),
        Evaluate(steps=Steps(at=(0,)), splits=("validation",), num_examples=200),
    ),
    noise_floor=ARMS["tanh_glorot"].at({"model.depth": SHALLOW}),
    claims=(
        claim(
            "VG1 (as said)",
            "Back-propagated gradients shrink from layer to layer, whatever the network.",
            Mean(VARIANCE_FACTOR, ARMS["relu_he"].at({"model.depth": SHALLOW}), log=True).below(0.5),
            source="article",
            unit="factor on the gradient's variance per layer",
            because="said without a condition, as VG2 is, it must hold for a well initialized network too",
        ),
        claim(
            "VG1 (fair)",
            "Back-propagated gradients shrink from layer to layer, so that the early layers receive least.",
            Mean(VARIANCE_FACTOR, ARMS["sigmoid_glorot"].at({"model.depth": SHALLOW}), log=True).below(0.5),
            source="article",
            unit="factor on the gradient's variance per layer",
            because="in the sigmoid network that textbooks draw, a variance that at least halves with each layer leaves the "
            "first of ten layers a five-hundredth of it",
            condition="sigmoid units with Glorot's weights, before training",
        ),
        claim(
            "VG2 (as said)",
            "Vanishing gradients are a matter of depth: more layers, smaller gradients, whatever the network.",
            Slope(FIRST_LAYER, over="model.depth", runs=(ARMS["relu_he"].at(),), log_x=False).below(-0.1),
            source="article",
            unit="log gradient per layer",
            because="said without a condition, it must hold for a well initialized network too; a loss of 10 % a layer is a "
            "factor of 3 in ten layers, less is no disease",
        ),
        claim(
            "VG2 (fair)",
            "The gradient at the first layer falls exponentially with depth.",
            Slope(FIRST_LAYER, over="model.depth", runs=(ARMS["sigmoid_glorot"].at(),), log_x=False).below(-0.1),
            source="article; Bengio et al. 1994",
            unit="log gradient per layer",
            because="the same margin, a loss of 10 % a layer, where each factor is known to be below one",
            condition="sigmoid units with Glorot's weights, before training",
        ),
        claim(
            "B-VG1 (as said)",
            "In a tanh network the gradient's variance falls to a third a layer under U(±1/sqrt(n)) and stays put "
            "under Glorot's initialization.",
            WorstDeviation(
                VARIANCE_FACTOR,
                "gradient_variance_gain",
                tuple(ARMS[name].at({"model.depth": SHALLOW}) for name in ("tanh_uniform", "tanh_glorot")),
                mean_over_seeds=True,
            ).below(0.1),
            source="Glorot and Bengio 2010, section 4.2.1",
            unit="largest relative deviation",
            because="the paper's own networks, five tanh layers; 10 % is the tolerance asked of 0.33 ± 0.03 and 1.0 ± 0.1",
        ),
        claim(
            "B-VG1 (fair)",
            "In the linear regime the gradient's variance falls to a third a layer under U(±1/sqrt(n)) and stays put "
            "under Glorot's initialization.",
            WorstDeviation(
                VARIANCE_FACTOR,
                "gradient_variance_gain",
                tuple(ARMS[name].at({"model.depth": SHALLOW}) for name in ("linear_uniform", "linear_glorot")),
                mean_over_seeds=True,
            ).below(0.1),
            source="Glorot and Bengio 2010, equations 5 to 16",
            unit="largest relative deviation",
            because="the derivation assumes units in their linear range, so identity activations test it; same tolerance",
        ),
        claim(
            "B-VG5 (as said, ReLU)",
            "ReLU does not suffer from vanishing gradients, however the network is initialized.",
            Mean(VARIANCE_FACTOR, ARMS["relu_xavier"].at({"model.depth": DEEP}), log=True).above(0.9),
            source="folklore; against it He et al. 2015, section 2.2",
            unit="factor on the gradient's variance per layer",
            because="said without a condition, it must hold for the initialization that was usual when ReLU came; at 0.9 a "
            "layer 4 % of the variance is left after 30 layers, less is a gradient that vanishes",
        ),
        claim(
            "B-VG5 (fair, ReLU)",
            "ReLU does not suffer from vanishing gradients when weights have the variance 2/n.",
            Mean(VARIANCE_FACTOR, ARMS["relu_he"].at({"model.depth": DEEP}), log=True).above(0.9),
            source="He et al. 2015, section 2.2",
            unit="factor on the gradient's variance per layer",
            because="the same threshold with the initialization made for it",
        ),
    ),
    figures=figure(
        "by_layer",
        "The gradient with respect to pre-activations before training: by layer at 30 hidden layers, and the "
        "factor on its variance per layer at all depths beside theory for units in their linear range.",
        curve("By layer, 30 hidden layers", "layer_signal_gradient_rms", shown(DEEP), over="index").axes(
            "hidden layer (0 is nearest the input)", "gradient (root mean square)", log="y"
        ),
        sweep_curve(
            "Factor per layer",
            VARIANCE_FACTOR,
            shown(),
            over="model.depth",
            references=(
                Reference(label="theory: 1", y=1.0),
                Reference(label="theory: 1/2", y=1 / 2),
                Reference(label="theory: 1/3", y=1 / 3),
            ),
        ).axes("hidden layers", "factor on the variance", log="y"),
        summary=0,
    ),
    smoke=Changes({"model.width": 40, "model.depth": (SHALLOW, DEEP)}, num_seeds=2),
    full=Changes(num_seeds=20),
    paper=Changes(
        {
            "model.width": 1000,
            "task.source": "mnist",
            "task.resolution": 28,
            "model.depth": (SHALLOW, 10, 15, 20, DEEP),
        },
        num_seeds=20,
    ),
)
