"""Where should a schedule end, and how should it fall, for a network? The twin of the exact experiment, with sampling error."""

from seven_terms.spec import *

RATE = "optimizer.learning_rate"
LINEAR = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    schedule=Linear(),
    num_steps=600,
    batch_size=16,
)

linear = Arm("linear", LINEAR, label="linear to zero")
linear_tenth = Arm("linear_tenth", LINEAR.but(schedule=Linear(final=0.1)), label="linear to a tenth")
wsd = Arm("wsd", LINEAR.but(schedule=WarmupStableDecay()), label="linear cooldown")
wsd_sqrt = Arm("wsd_sqrt", LINEAR.but(schedule=WarmupStableDecay(shape="one_minus_sqrt")), label="1-sqrt cooldown")
ARMS = (linear, linear_tenth, wsd, wsd_sqrt)


def loss_difference(runs: Arm, baseline: Arm) -> PairedDifference:
    return PairedDifference(Last("test_loss"), runs.best(), baseline.best())


experiment = Experiment.here(
    __name__,
    title="To zero or to a tenth",
    question="Does a rate that ends at zero train a network better than one that ends at a tenth?",
    method="A network of two hidden layers of 32 ReLU units learns digits of 7 x 7 pixels in 600 updates on batches of 16, where "
    "the noise of the batches is what a falling rate removes. Peak rates are selected on validation loss from one grid.",
    arms=ARMS,
    sweep={RATE: (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)},
    num_seeds=24,
    probes=Evaluate(steps=Steps(at=(0,)), splits=("validation", "test")),
    selection=Selection(metric="validation_loss"),
    noise_floor=linear,
    claims=(
        claim(
            "B-SC7 (network)",
            "Linear decay to zero ends lower than linear decay to a tenth for a network, each tuned, by a hundredth of a nat or more.",
            loss_difference(linear, linear_tenth).below(-0.01),
            source="Bergsma et al. 2025",
            unit="nats of test loss, to zero minus to a tenth",
            because="lower by a hundredth of a nat at least on test data, about 3 % of the loss; each has its own best peak rate",
        ),
        claim(
            "B-SC8 (network)",
            "A 1-sqrt cooldown ends lower than a linear one for a network, each tuned, by a hundredth of a nat or more.",
            loss_difference(wsd_sqrt, wsd).below(-0.01),
            source="Hagele et al. 2024",
            unit="nats of test loss, 1-sqrt minus linear",
            because="lower by a hundredth of a nat at least on test data, about 3 % of the loss; each has its own best peak rate",
        ),
    ),
    figures=figure(
        "final_rate",
        "Final test loss over the peak rate, and at each schedule's own best peak rate.",
        sweep_curve("By peak rate", Last("test_loss"), all_runs(*ARMS), over=RATE).axes(
            "peak learning rate", "test loss (nats)"
        ),
        bars("Own best peak rate", Last("test_loss"), best_runs(*ARMS)).axes(
            y="test loss (nats)", y_limits=(0.2, None)
        ),
    ),
    smoke=Changes({"num_steps": 20, RATE: (0.1, 0.4)}, num_seeds=2),
    laptop=Changes(num_seeds=6),
    full=Changes(num_seeds=480),
    paper=Changes(
        {
            "task.source": "mnist",
            "task.resolution": 28,
            "model.width": 256,
            "num_steps": 20_000,
            "batch_size": 64,
            RATE: (0.03, 0.1, 0.3, 1.0),
        }
    ),
)
