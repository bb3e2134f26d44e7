"""What do vanishing gradients cost in training, and which cure helps? One sick network, five cures, three depths."""

import dataclasses

from seven_terms.spec import (
    Above,
    Arm,
    BatchNorm,
    Below,
    Changes,
    Claim,
    Combine,
    Curve,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Initialization,
    Last,
    LayerUpdates,
    Mean,
    Mlp,
    PairedDifference,
    PairedRatio,
    Panel,
    Reference,
    Selected,
    Selection,
    Sgd,
    Steps,
    StepsTo,
    Survival,
    SweepCurve,
    Training,
)

SICK = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=5, width=40, activation="tanh"),
    initialization=Initialization(kind="uniform_fan_in"),
    optimizer=Sgd(momentum=0.9),
    num_steps=200,
    batch_size=32,
)


def with_model(**changes: object) -> Training:
    return dataclasses.replace(SICK, model=dataclasses.replace(SICK.model, **changes))


def with_weights(initialization: Initialization, training: Training = SICK) -> Training:
    return dataclasses.replace(training, initialization=initialization)


# name: (label, training)
NETWORKS = {
    "none": ("tanh, uniform fan-in (no cure)", SICK),
    "glorot": ("Glorot initialization", with_weights(Initialization(kind="glorot"))),
    "orthogonal": ("orthogonal initialization", with_weights(Initialization(kind="orthogonal"))),
    "relu": ("ReLU with He initialization", with_weights(Initialization(kind="he"), with_model(activation="relu"))),
    "residual": ("residual connections", with_model(residual=True)),
    "batch_norm": ("batch normalization", with_model(normalization=BatchNorm())),
}
SIGMOID = with_weights(Initialization(kind="glorot"), with_model(activation="sigmoid"))
RATE = ("learning_rate",)
SHALLOW, DEEP = 5, 20
TARGET = 0.8
EARLY_TO_LATE = Combine("ratio", Last("layer_movement", index=0), Last("layer_movement", index=SHALLOW - 1))


def at(name: str, depth: int) -> Selected:
    return Selected(name, where={"depth": depth}, best=RATE)


def curing(depth: int) -> dict[str, Selected]:
    return {label: at(name, depth) for name, (label, _) in NETWORKS.items()}


experiment = Experiment(
    name="cures",
    term="vanishing_gradient",
    title="Training with and without a cure",
    question="What do vanishing gradients cost in training, and what do initialization, ReLU, skips and normalization mend?",
    method=(
        "A tanh network with weights from U(±1/sqrt(n)), whose gradient loses a factor of three in variance per layer, is "
        "trained for 200 steps with SGD and momentum 0.9 on digits, beside networks that differ from it by one cure: "
        "Glorot's or orthogonal initialization, ReLU with He's initialization, residual connections, or batch "
        "normalization. Each has its own best rate at each depth, from one grid. A sigmoid network of five layers is "
        "followed for the movement of its weights."
    ),
    arms=(
        *(Arm(name=name, label=label, training=training) for name, (label, training) in NETWORKS.items()),
        Arm(name="sigmoid", label="sigmoid, Glorot", training=SIGMOID, sweep={"model.depth": (SHALLOW,)}),
    ),
    sweep={"model.depth": (SHALLOW, 10, DEEP), "optimizer.learning_rate": (0.003, 0.01, 0.03, 0.1, 0.3)},
    num_seeds=4,
    probes=(
        Evaluate(steps=Steps(count=14), splits=("validation", "test"), num_examples=250),
        LayerUpdates(steps=Steps(count=4)),
    ),
    selection=Selection(metric="validation_accuracy", mode="max"),
    noise_floor_arm="glorot",
    claims=(
        Claim(
            id="VG4",
            form="as said",
            statement="Where gradients vanish, the weights of the early layers hardly change during training.",
            source="article",
            estimate=Mean(measure=EARLY_TO_LATE, runs=at("none", SHALLOW), log=True),
            rule=Below(0.1),
            unit="relative movement of the first layer's weights over that of the last hidden layer's",
            because=(
                "hardly: less than a tenth of the movement of the last hidden layer, each relative to where it started; "
                "said of any network whose back-propagated gradients vanish, so tested in the tanh network"
            ),
        ),
        Claim(
            id="VG4",
            form="fair",
            statement="In a sigmoid network the weights of the early layers hardly change during training.",
            source="article; Glorot and Bengio 2010, section 3.1",
            estimate=Mean(measure=EARLY_TO_LATE, runs=at("sigmoid", SHALLOW), log=True),
            rule=Below(0.1),
            unit="relative movement of the first layer's weights over that of the last hidden layer's",
            because="the same measure and margin where the weights' gradients vanish with the signals' gradients",
        ),
        Claim(
            id="VG5",
            form="result",
            statement="Vanishing gradients limit what a deep network learns.",
            source="article",
            estimate=PairedDifference(
                measure=Last("test_accuracy"), runs=at("none", DEEP), baseline=at("glorot", DEEP)
            ),
            rule=Below(-0.1),
            unit="test accuracy",
            because=(
                "with 20 layers, initial weights that keep the gradient are the only difference, and each network has its "
                "best rate; ten points of accuracy is a limit that anyone would notice"
            ),
        ),
        Claim(
            id="VG5",
            form="time",
            statement="Where a network learns in spite of vanishing gradients, it takes longer.",
            source="article",
            estimate=PairedRatio(
                measure=StepsTo("test_accuracy", above=TARGET), runs=at("none", SHALLOW), baseline=at("glorot", SHALLOW)
            ),
            rule=Above(1.2),
            unit="times as many steps to 80 % test accuracy",
            because="with five layers both learn; a fifth more steps is the least that matters in practice",
        ),
    ),
    figures=(
        Figure(
            name="cures",
            caption=(
                "Test accuracy after training over depth, and time to 80 % with five layers, each network at its own best "
                "rate."
            ),
            panels=(
                Panel(
                    title="After 200 steps",
                    content=SweepCurve(
                        measure=Last("test_accuracy"),
                        over="depth",
                        runs={label: Selected(name, best=RATE) for name, (label, _) in NETWORKS.items()},
                    ),
                    x_label="hidden layers",
                    y_label="test accuracy",
                    y_limits=(0.0, 1.0),
                    references=(Reference(label="chance", y=0.1),),
                ),
                Panel(
                    title="Time to 80 %, five layers",
                    content=Survival(measure=StepsTo("test_accuracy", above=TARGET), runs=curing(SHALLOW)),
                    x_label="step",
                    y_label="share of runs not there yet",
                ),
            ),
        ),
        Figure(
            name="movement",
            caption="How far each layer's weights have moved from their start, relative to it, late in training.",
            panels=(
                Panel(
                    title="Five layers, own best rate",
                    content=Curve(
                        metric="layer_movement",
                        runs={**curing(SHALLOW), "sigmoid, Glorot": at("sigmoid", SHALLOW)},
                        over="index",
                        step=10**9,
                    ),
                    x_label="layer (0 is nearest the input, 5 the readout)",
                    y_label="relative movement",
                    log_y=True,
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(
            num_seeds=2,
            training={"num_steps": 6, "model.width": 20},
            sweep={"optimizer.learning_rate": (0.03,), "model.depth": (SHALLOW, DEEP)},
        ),
        "paper": Changes(
            num_seeds=10,
            training={"num_steps": 20_000, "model.width": 300, "task.source": "mnist", "task.resolution": 28},
            sweep={"optimizer.learning_rate": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3)},
        ),
    },
)
