"""Does the factor 2 of He's initialization decide whether 30 ReLU layers train?"""

from seven_terms.spec import *

XAVIER = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=30, width=50, activation="relu"),
    initialization=Initialization(kind="xavier_fan_in"),
    optimizer=Sgd(momentum=0.9),
    num_steps=150,
    batch_size=32,
)
HE = XAVIER.but(initialization=Initialization(kind="he"))

xavier_arm = Arm("xavier", XAVIER, label="Xavier")
he_arm = Arm("he", HE, label="He")
he, xavier = he_arm.best(), xavier_arm.best()
LEFT_CHANCE = Reached(Over("test_accuracy", "max"), above=0.2)

experiment = Experiment.here(
    __name__,
    title="Thirty ReLU layers with Xavier's and He's initialization",
    question="Does a factor of 2 in the variance of the initial weights decide whether 30 ReLU layers train?",
    method="Networks of 30 ReLU layers of 50 units are trained for 150 steps with SGD and momentum 0.9 on digits. Under "
    "Xavier's initialization, N(0, 1/n), each layer halves the variance of signals and gradients; He's, N(0, 2/n), "
    "keeps them. A run has left chance when it names more than 20 % of the test digits at any time.",
    arms=(xavier_arm, he_arm),
    sweep={"optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03)},
    num_seeds=10,
    probes=(
        Evaluate(steps=Steps(count=10), splits=("validation", "test"), num_examples=250),
        LayerGradients(steps=Steps(at=(0,), last=False)),
    ),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=he_arm.at({"optimizer.learning_rate": 0.003}),
    claims=claim(
        "B-VG2",
        "Thirty ReLU layers stall with Xavier's initialization and train with He's.",
        ProportionDifference(LEFT_CHANCE, he, xavier).above(0.2),
        source="He et al. 2015, section 2.2",
        unit="share of seeds that leave chance, He minus Xavier",
        because="the literature's difference is 1, all seeds against none; above 0.2 the gain is more than one run in five, "
        "each initialization at its own best rate",
    ),
    figures=figure(
        "rectifiers",
        "Thirty ReLU layers: test accuracy at the best rate of each, and the gradient before training.",
        curve(
            "Training", "test_accuracy", {"Xavier": xavier, "He": he}, references=(Reference(label="chance", y=0.1),)
        ),
        curve("Gradient before training", "layer_signal_gradient_rms", all_runs(xavier_arm, he_arm), over="index").axes(
            "hidden layer (0 is nearest the input)", "gradient (root mean square)", log="y"
        ),
    ),
    smoke=Changes({"num_steps": 10, "model.width": 20, "optimizer.learning_rate": (0.01,)}, num_seeds=2),
    laptop=Changes(num_seeds=5),
    full=Changes(num_seeds=32),
    paper=Changes(
        {
            "num_steps": 5_000,
            "model.width": 256,
            "task.source": "mnist",
            "task.resolution": 28,
            "optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03, 0.1),
        },
        num_seeds=6,  # sixteen times as long with 20, a sixth rate and 20,000 updates; the claim needs five
    ),
)
