"""Does the clipping of Lightning's Trainer do what ours does? Two programs that share no line train the same network.

The rule was written before the first run.
"""

from seven_terms.spec import *

STEPS = 220
STACKED = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu"),
    initialization=Initialization(kind="default"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=STEPS,
    batch_size=32,
)
CLIPPED = {"clipping.norm": 0.25}
LIGHTNING = LightningTraining(
    module=Instance(cls="experiments.modules.digits_in_lightning:Classifier", arguments={"learning_rate": 0.1}),
    datamodule=Instance(cls="experiments.modules.digits_in_lightning:Digits", arguments={"batch_size": 32}),
    trainer={"max_steps": STEPS, "val_check_interval": 110, "gradient_clip_val": 0.0},
    metrics={
        "val_loss": Metric(name="validation_loss", direction="min", unit="nats", split="validation"),
        "test_loss": Metric(name="test_loss", direction="min", unit="nats", split="test"),
    },
    cost=Cost(num_parameters=2_986, flops_per_step=5.6e5, num_batches=110, num_layers=5),
)
IN_LIGHTNING = {"trainer.gradient_clip_val": 0.25}

stack = Arm("stack", STACKED)
stack_clipped = Arm("stack_clipped", STACKED.but(CLIPPED), label="stack, clipped")
lightning = Arm("lightning", LIGHTNING, label="Lightning")
lightning_clipped = Arm("lightning_clipped", LIGHTNING.but(IN_LIGHTNING), label="Lightning, clipped")


def agreement(form: str, ours: Arm, theirs: Arm) -> Claim:
    return claim(
        f"B-GC11 ({form})",
        "The two ways of training agree: Lightning's Trainer ends at the test loss at which a stack ends.",
        PairedRatio(Last("test_loss"), theirs.at(), ours.at()).within(0.9, 1.11),
        source="this project: its two ways to train test each other",
        unit="ratio of test losses",
        because="both draw split, weights and batches anew for each seed, so only a mistake in one of them can shift the mean; "
        "a tenth is less than what clipping changes, and the interval of the mean over these seeds fits into it",
    )


experiment = Experiment.here(
    __name__,
    title="The same clipping in Lightning",
    question="Does gradient clipping in Lightning's own Trainer end where the stacked program ends?",
    method="Two layers of 32 ReLU units on digits of 7 x 7 pixels, batches of 32, 220 steps of SGD at rate 0.1, without clipping and "
    "with the norm clipped at a quarter. Once as stacked runs with our update rule and our clipping, once as a plain "
    "LightningModule with its own data module, PyTorch's optimizer and the clipping of its Trainer. Nothing is shared but the data.",
    arms=(stack, stack_clipped, lightning, lightning_clipped),
    num_seeds=12,
    probes=Evaluate(steps=Steps(count=3), splits=("validation", "test")),
    noise_floor=stack,
    claims=(agreement("plain", stack, lightning), agreement("clipped", stack_clipped, lightning_clipped)),
    figures=figure(
        "in_lightning",
        "Final test loss of the same network trained as a stack and by Lightning's Trainer, with and without clipping.",
        bars("Test loss", Last("test_loss"), all_runs(stack, lightning, stack_clipped, lightning_clipped)).axes(
            "trained"
        ),
    ),
    smoke=Changes(
        num_seeds=2,
        arms={
            **{name: {"num_steps": 20} for name in ("stack", "stack_clipped")},
            **{
                name: {"trainer.max_steps": 20, "trainer.val_check_interval": 10}
                for name in ("lightning", "lightning_clipped")
            },
        },
    ),
    laptop=Changes(num_seeds=9),
    full=Changes(num_seeds=48),
    paper=Changes(skip=True),
)
