"""With five layers, do the early weights stand still where gradients vanish, and does training take longer?

These questions were first part of `cures`, with four seeds; they have an experiment of their own because they need one
depth only, where more seeds are cheap.
"""

from seven_terms.spec import *

DEPTH = 5
TANH = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=DEPTH, width=40, activation="tanh"),
    initialization=Initialization(kind="uniform_fan_in"),
    optimizer=Sgd(momentum=0.9),
    num_steps=200,
    batch_size=32,
)
GLOROT = TANH.but(initialization=Initialization(kind="glorot"))
SIGMOID = GLOROT.but(model=Mlp(depth=DEPTH, width=40, activation="sigmoid"))
RELU = TANH.but(model=Mlp(depth=DEPTH, width=40, activation="relu"), initialization=Initialization(kind="he"))
NETWORKS = {
    "tanh_uniform": ("tanh, uniform fan-in", TANH),
    "tanh_glorot": ("tanh, Glorot", GLOROT),
    "relu_he": ("ReLU, He", RELU),
    "sigmoid_glorot": ("sigmoid, Glorot", SIGMOID),
}

ARMS = by_name(Arm(name, training, label=label) for name, (label, training) in NETWORKS.items())
tanh_uniform, tanh_glorot, relu_he, sigmoid_glorot = ARMS.values()
BEST = {name: ARMS[name].best() for name in NETWORKS}
SHOWN = {label: BEST[name] for name, (label, _) in NETWORKS.items()}
TO_TARGET = StepsTo("test_accuracy", above=0.8)
EARLY_TO_LATE = Combine("ratio", Last("layer_movement", index=0), Last("layer_movement", index=DEPTH - 1))

experiment = Experiment.here(
    __name__,
    title="Early layers and time",
    question="Do early weights stand still where gradients vanish, and does training take longer where it succeeds?",
    method="Networks of five layers of 40 units are trained for 200 steps with SGD and momentum 0.9 on digits, each at its own "
    "best rate: tanh with weights from U(±1/sqrt(n)), whose back-propagated gradient loses a factor of three in "
    "variance per layer, tanh with Glorot's initialization, ReLU with He's, and sigmoid, which loses a factor of "
    "sixteen. A layer's movement is the distance of its weights from their start, relative to their size at the start.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3)},
    num_seeds=10,
    probes=(
        Evaluate(steps=Steps(count=20), splits=("validation", "test"), num_examples=250),
        LayerUpdates(steps=Steps(count=5)),
    ),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=tanh_glorot.at({"optimizer.learning_rate": 0.03}),
    claims=(
        claim(
            "VG4 (as said)",
            "Where gradients vanish, the weights of the early layers hardly change during training.",
            Mean(EARLY_TO_LATE, BEST["tanh_uniform"], log=True).below(0.1),
            source="article",
            unit="movement, first over last hidden layer",
            because="hardly: less than a tenth of the movement of the last hidden layer, each relative to where it started; "
            "said of any network whose back-propagated gradients vanish, so tested in the tanh network",
        ),
        claim(
            "VG4 (fair)",
            "In a sigmoid network of five layers the weights of the early layers hardly change within the budget.",
            Mean(EARLY_TO_LATE, BEST["sigmoid_glorot"], log=True).below(0.1),
            source="article; Glorot and Bengio 2010, section 3.1",
            unit="movement, first over last hidden layer",
            because="the same measure and margin where the weights' gradients vanish with the signals' gradients",
        ),
        claim(
            "VG5 (time)",
            "Where a network learns in spite of vanishing gradients, it takes longer.",
            PairedRatio(TO_TARGET, BEST["tanh_uniform"], BEST["tanh_glorot"]).above(1.2),
            source="article",
            unit="times as many steps",
            because="with five layers both learn; a fifth more steps is the least that matters in practice",
        ),
    ),
    figures=figure(
        "early_layers",
        "Five layers, each network at its own best rate: how far each layer's weights have moved from their start "
        "late in training, and time to a test accuracy of 80 %.",
        curve("Movement by layer", "layer_movement", SHOWN, over="index", step=10**9).axes(
            "layer (0 is nearest the input, 5 the readout)", "relative movement", log="y"
        ),
        survival("Time to 80 %", TO_TARGET, SHOWN),
    ),
    smoke=Changes({"num_steps": 10, "model.width": 20, "optimizer.learning_rate": (0.03,)}, num_seeds=2),
    laptop=Changes(num_seeds=5),
    full=Changes(num_seeds=20),
    paper=Changes(
        {
            "num_steps": 20_000,
            "model.width": 300,
            "task.source": "mnist",
            "task.resolution": 28,
            "optimizer.learning_rate": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
        },
        num_seeds=20,
    ),
)
