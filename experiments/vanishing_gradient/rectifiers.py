"""Does the factor 2 of He's initialization decide whether 30 ReLU layers train?"""

import dataclasses

from seven_terms.spec import (
    Above,
    Arm,
    Changes,
    Claim,
    Curve,
    Digits,
    Evaluate,
    Experiment,
    Figure,
    Initialization,
    LayerGradients,
    Mlp,
    Over,
    Panel,
    ProportionDifference,
    Reached,
    Reference,
    Selected,
    Selection,
    Sgd,
    Steps,
    Training,
)

XAVIER = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=30, width=50, activation="relu"),
    initialization=Initialization(kind="xavier_fan_in"),
    optimizer=Sgd(momentum=0.9),
    num_steps=150,
    batch_size=32,
)
HE = dataclasses.replace(XAVIER, initialization=Initialization(kind="he"))
RATE = ("learning_rate",)
he, xavier = Selected("he", best=RATE), Selected("xavier", best=RATE)
LEFT_CHANCE = Reached(Over("test_accuracy", "max"), above=0.2)

experiment = Experiment(
    name="rectifiers",
    term="vanishing_gradient",
    title="Thirty ReLU layers with Xavier's and He's initialization",
    question="Does a factor of 2 in the variance of the initial weights decide whether 30 ReLU layers train?",
    method=(
        "Networks of 30 ReLU layers of 50 units are trained for 150 steps with SGD and momentum 0.9 on digits. Under "
        "Xavier's initialization, N(0, 1/n), each layer halves the variance of signals and gradients; He's, N(0, 2/n), "
        "keeps them. A run has left chance when it names more than 20 % of the test digits at any time."
    ),
    arms=(
        Arm(name="xavier", label="Xavier", training=XAVIER),
        Arm(name="he", label="He", training=HE),
    ),
    sweep={"optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03)},
    num_seeds=10,
    probes=(
        Evaluate(steps=Steps(count=10), splits=("validation", "test"), num_examples=250),
        LayerGradients(steps=Steps(at=(0,), last=False)),
    ),
    selection=Selection(metric="validation_accuracy", mode="max"),
    noise_floor_arm="he",
    noise_floor_at={"optimizer.learning_rate": 0.003},
    claims=(
        Claim(
            id="B-VG2",
            statement="Thirty ReLU layers stall with Xavier's initialization and train with He's.",
            source="He et al. 2015, section 2.2",
            estimate=ProportionDifference(measure=LEFT_CHANCE, runs=he, baseline=xavier),
            rule=Above(0.2),
            unit="share of seeds that leave chance",
            because=(
                "the literature's difference is 1, all seeds against none; above 0.2 the gain is more than one run in five, "
                "each initialization at its own best rate"
            ),
        ),
    ),
    figures=(
        Figure(
            name="rectifiers",
            caption="Thirty ReLU layers: test accuracy at the best rate of each, and the gradient before training.",
            panels=(
                Panel(
                    title="Training",
                    content=Curve(metric="test_accuracy", runs={"Xavier": xavier, "He": he}),
                    x_label="step",
                    y_label="test accuracy",
                    references=(Reference(label="chance", y=0.1),),
                ),
                Panel(
                    title="Gradient before training",
                    content=Curve(
                        metric="layer_signal_gradient_rms",
                        runs={"Xavier": Selected("xavier"), "He": Selected("he")},
                        over="index",
                    ),
                    x_label="hidden layer (0 is nearest the input)",
                    y_label="gradient (root mean square)",
                    log_y=True,
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(
            num_seeds=2,
            training={"num_steps": 10, "model.width": 20},
            sweep={"optimizer.learning_rate": (0.01,)},
        ),
        "paper": Changes(
            num_seeds=20,
            training={"num_steps": 20_000, "model.width": 256, "task.source": "mnist", "task.resolution": 28},
            sweep={"optimizer.learning_rate": (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)},
        ),
    },
)
