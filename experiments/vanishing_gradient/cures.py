"""What do vanishing gradients cost in training, and which cure helps? One sick network, five cures, three depths."""

from seven_terms.spec import *

SICK = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=5, width=40, activation="tanh"),
    initialization=Initialization(kind="uniform_fan_in"),
    optimizer=Sgd(momentum=0.9),
    num_steps=200,
    batch_size=32,
)

# name: (label, training)
NETWORKS = {
    "none": ("tanh, uniform fan-in (no cure)", SICK),
    "glorot": ("Glorot initialization", SICK.but({"initialization.kind": "glorot"})),
    "orthogonal": ("orthogonal initialization", SICK.but({"initialization.kind": "orthogonal"})),
    "relu": ("ReLU with He initialization", SICK.but({"initialization.kind": "he", "model.activation": "relu"})),
    "residual": ("residual connections", SICK.but({"model.residual": True})),
    "batch_norm": ("batch normalization", SICK.but({"model.normalization": BatchNorm()})),
}
SHALLOW, DEEP = 5, 20


def at(name: str, depth: int) -> Selected:
    return ARMS[name].best(at={"model.depth": depth})


ARMS = by_name(Arm(name, training, label=label) for name, (label, training) in NETWORKS.items())
none, glorot, orthogonal, relu, residual, batch_norm = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Training with and without a cure",
    question="What do vanishing gradients cost in training, and what do initialization, ReLU, skips and normalization mend?",
    method="A tanh network with weights from U(±1/sqrt(n)), whose gradient loses a factor of three in variance per layer, is "
    "trained for 200 steps with SGD and momentum 0.9 on digits, beside networks that differ from it by one cure: "
    "Glorot's or orthogonal initialization, ReLU with He's initialization, residual connections, or batch "
    "normalization. Each has its own best rate at each depth, from one grid.",
    arms=ARMS,
    sweep={"model.depth": (SHALLOW, 10, DEEP), "optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03, 0.1)},
    num_seeds=4,
    probes=Evaluate(steps=Steps(count=8), splits=("validation", "test"), num_examples=250),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=glorot.at({"model.depth": SHALLOW, "optimizer.learning_rate": 0.03}),
    claims=claim(
        "VG5 (result)",
        "Vanishing gradients limit what a deep network learns.",
        PairedDifference(Last("test_accuracy"), at("none", DEEP), at("glorot", DEEP)).below(-0.1),
        source="article",
        unit="test accuracy",
        because="with 20 layers, initial weights that keep the gradient are the only difference, and each network has its "
        "best rate; ten points of accuracy is a limit that anyone would notice",
    ),
    figures=(
        figure(
            "cures",
            "Test accuracy after training over depth, each network at its own best rate.",
            sweep_curve(
                "After 200 steps",
                Last("test_accuracy"),
                {label: ARMS[name].best() for name, (label, _) in NETWORKS.items()},
                over="model.depth",
                references=(Reference(label="chance", y=0.1),),
            ).axes("hidden layers", y_limits=(0.0, 1.0)),
            curve("20 layers", "test_accuracy", {label: at(name, DEEP) for name, (label, _) in NETWORKS.items()}).axes(
                y_limits=(0.0, 1.0)
            ),
            scales=("smoke", "laptop", "full"),
        ),
        figure(
            "one_cure",
            "Test accuracy over training with 5 and 20 layers, each network at its own best rate.",
            *(
                curve(
                    f"{depth} layers",
                    "test_accuracy",
                    {NETWORKS[name][0]: at(name, depth) for name in ("none", "glorot")},
                ).axes(y_limits=(0.0, 1.0))
                for depth in (SHALLOW, DEEP)
            ),
            scales=("paper",),
        ),
    ),
    smoke=Changes(
        {"num_steps": 6, "model.width": 20, "optimizer.learning_rate": (0.03,), "model.depth": (SHALLOW, DEEP)},
        num_seeds=2,
    ),
    laptop=Changes(num_seeds=3),
    full=Changes(num_seeds=24),
    paper=Changes(
        {
            "num_steps": 20_000,
            "model.width": 300,
            "task.source": "mnist",
            "task.resolution": 28,
            "optimizer.learning_rate": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3),
            "model.depth": (SHALLOW, DEEP),
        },
        num_seeds=10,
        without_arms=("orthogonal", "relu", "residual", "batch_norm"),  # eleven hours with them, two without
    ),
)
