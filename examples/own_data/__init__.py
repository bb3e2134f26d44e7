"""Own data: does momentum help on 178 wines? A file beside the experiment, split and standardized by its record."""

from seven_terms.spec import *

RATES = (0.03, 0.1, 0.3, 1.0, 3.0)
plain_training = Training(
    task=ArrayData(path="own_data/wine.csv", targets="cultivar"),
    model=Mlp(depth=1, width=16, activation="tanh"),
    initialization=Initialization(kind="glorot"),
    num_steps=60,
    batch_size=16,
)
plain = Arm("plain", plain_training, label="plain SGD")
heavy = Arm("heavy", plain_training.but({"optimizer.momentum": 0.9}), label="momentum 0.9")
experiment = Experiment(
    name="momentum_on_wines",
    term="learning_rate",
    title="Momentum on wines",
    question="Does momentum lower the loss after 60 steps, each rate tuned?",
    method="One hidden layer tells three cultivars apart by thirteen chemical measurements.",
    arms=(plain, heavy),
    sweep={"optimizer.learning_rate": RATES},
    num_seeds=10,
    noise_floor_arm="plain",
    probes=(Stream(window=10), Evaluate(steps=Steps(count=6), splits=("validation", "test"))),
    selection=Selection(metric="validation_loss"),
    claims=(
        claim(
            "MINE1",
            "Momentum lowers the loss of a small network.",
            PairedDifference(Last("test_loss"), heavy.best(), plain.best()).below(0.0),
            source="folklore",
            unit="nats of test loss, with momentum minus without",
            because="equal data orders are paired, and each arm has the rate that is best for it on validation data",
        ),
    ),
    figures=(
        figure(
            "rates",
            "Test loss after 60 steps over the learning rate.",
            sweep_curve("loss", Last("test_loss"), all_runs(plain, heavy), over="optimizer.learning_rate").axes(
                log="xy"
            ),
        ),
    ),
)
EXPERIMENTS = (experiment,)
