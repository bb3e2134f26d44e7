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

linear = Arm(name="linear", label="linear to zero", training=LINEAR)
linear_tenth = Arm(name="linear_tenth", label="linear to a tenth", training=LINEAR.but(schedule=Linear(final=0.1)))
wsd = Arm(name="wsd", label="linear cooldown", training=LINEAR.but(schedule=WarmupStableDecay()))
wsd_sqrt = Arm(
    name="wsd_sqrt", label="1-sqrt cooldown", training=LINEAR.but(schedule=WarmupStableDecay(shape="one_minus_sqrt"))
)
ARMS = (linear, linear_tenth, wsd, wsd_sqrt)


def loss_difference(runs: Arm, baseline: Arm) -> PairedDifference:
    return PairedDifference(measure=Last("test_loss"), runs=runs.best(), baseline=baseline.best())


experiment = Experiment.here(
    __name__,
    title="To zero or to a tenth",
    question="Does a rate that ends at zero train a network better than one that ends at a tenth?",
    method="A network of two hidden layers of 32 ReLU units learns digits of 7 x 7 pixels in 600 updates on batches of 16, where "
    "the noise of the batches is what a falling rate removes. Peak rates are selected on validation loss from one grid.",
    arms=ARMS,
    sweep={RATE: (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)},
    num_seeds=24,
    probes=(Evaluate(steps=Steps(at=(0,)), splits=("validation", "test")),),
    selection=Selection(metric="validation_loss"),
    noise_floor=linear,
    claims=(
        Claim(
            id="B-SC7",
            form="network",
            statement="Linear decay to zero ends lower than linear decay to a tenth for a network, each tuned.",
            source="Bergsma et al. 2025",
            estimate=loss_difference(linear, linear_tenth),
            rule=Below(-0.01),
            unit="nats of test loss, to zero minus to a tenth",
            because="lower by a hundredth of a nat at least on test data, about 3 % of the loss; each has its own best peak rate",
        ),
        Claim(
            id="B-SC8",
            form="network",
            statement="A 1-sqrt cooldown ends lower than a linear one for a network, each tuned.",
            source="Hagele et al. 2024",
            estimate=loss_difference(wsd_sqrt, wsd),
            rule=Below(-0.01),
            unit="nats of test loss, 1-sqrt minus linear",
            because="lower by a hundredth of a nat at least on test data, about 3 % of the loss; each has its own best peak rate",
        ),
    ),
    figures=(
        Figure(
            name="final_rate",
            caption="Final test loss over the peak rate, and at each schedule's own best peak rate.",
            panels=(
                sweep_curve(
                    "By peak rate",
                    Last("test_loss"),
                    all_runs(*ARMS),
                    over=RATE,
                    x_label="peak learning rate",
                    y_label="test loss (nats)",
                    log_x=True,
                ),
                bars(
                    "Own best peak rate",
                    Last("test_loss"),
                    best_runs(*ARMS),
                    y_label="test loss (nats)",
                    y_limits=(0.2, None),
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"num_steps": 20}, sweep={RATE: (0.1, 0.4)}),
        "full": Changes(num_seeds=480),
        "paper": Changes(
            training={
                "task.source": "mnist",
                "task.resolution": 28,
                "model.width": 256,
                "num_steps": 20_000,
                "batch_size": 64,
            },
            sweep={RATE: (0.03, 0.1, 0.3, 1.0)},
        ),
    },
)
