"""An own judge: is the difference between two activation functions too small to matter? One of them is from elsewhere."""

from seven_terms.spec import *

from .judging import Negligible, PairedMedian

training = Training(
    task=Digits(resolution=7, num_train=500),
    model=Mlp(depth=2, width=16, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=0.1, momentum=0.9),
    num_steps=100,
    batch_size=25,
)
relu = Arm("relu", training, label="ReLU")
gelu = Arm("gelu", training.but({"model.activation": Function("torch.nn:GELU")}), label="GELU")
experiment = Experiment(
    name="gelu_or_relu",
    term="vanishing_gradient",
    title="GELU or ReLU",
    question="Does it matter which of the two a small network has?",
    method="Two hidden layers, the same weights at the start.",
    arms=(relu, gelu),
    num_seeds=12,
    probes=(Stream(window=10), Evaluate(steps=Steps(count=4), splits=("test",))),
    claims=(
        claim(
            "MINE3",
            "The smooth one is no better by more than three of a hundred images.",
            PairedMedian(measure=Last("test_accuracy"), runs=gelu.at(), baseline=relu.at()).by(Negligible(0.03)),
            source="a doubt",
            unit="share of test images, GELU minus ReLU",
            because="three in a hundred was the least that would make us change it",
        ),
    ),
    figures=(
        figure(
            "accuracy",
            "Accuracy of each seed at the end.",
            bars("accuracy", Last("test_accuracy"), all_runs(relu, gelu)),
        ),
    ),
)
EXPERIMENTS = (experiment,)
