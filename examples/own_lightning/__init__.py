"""Anybody's LightningModule, by Lightning's own Trainer: arguments of module, data and Trainer are swept, seeds are ours."""

from seven_terms.spec import *

training = LightningTraining(
    module=Instance(cls="own_lightning.modules:Classifier", arguments={"learning_rate": 1.0}),
    datamodule=Instance(cls="own_lightning.modules:Moons"),
    trainer={"max_steps": 60, "val_check_interval": 13, "gradient_clip_val": 0.0},
    metrics={
        "val_loss": Metric(name="validation_loss", direction="min", unit="nats", split="validation"),
        "test_loss": Metric(name="test_loss", direction="min", unit="nats", split="test"),
    },
)
RATES = (0.03, 0.1, 0.3, 1.0)
plain = Arm("plain", training, label="no clipping")
clipped = Arm("clipped", training.but({"trainer.gradient_clip_val": 0.1}), label="clipped at 0.1")
experiment = Experiment(
    name="clipping_of_a_trainer",
    term="gradient_clipping",
    title="Clipping, by somebody else's Trainer",
    question="Does the Trainer's clipping lower the loss after 60 steps, each rate tuned?",
    method="Two half circles, two hidden layers, plain SGD.",
    arms=(plain, clipped),
    sweep={"module.arguments.learning_rate": RATES},
    num_seeds=4,
    selection=Selection(metric="validation_loss"),
    claims=(
        claim(
            "MINE4",
            "Clipping lowers the loss that a small network reaches.",
            PairedDifference(Last("test_loss"), clipped.best(), plain.best()).below(0.0),
            source="folklore",
            unit="nats of test loss, clipped minus not",
            because="each arm has the rate that is best for it on validation data",
        ),
    ),
    figures=(
        figure(
            "rates",
            "Test loss after 60 steps over the learning rate.",
            sweep_curve(
                "loss", Last("test_loss"), all_runs(plain, clipped), over="module.arguments.learning_rate"
            ).axes(log="xy"),
        ),
    ),
)
EXPERIMENTS = (experiment,)
