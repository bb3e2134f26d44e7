"""The recipe of today with one part left out at a time: AdamW, warm-up, cosine, clipping at 1, normalization.

The claims were written before the first run. What practitioners ask is asked of the two kinds of network that they train, a
convolutional one and a transformer, as small as the report's budget wants them.
"""

from seven_terms.spec import *

RATE = "optimizer.learning_rate"
RATES = tuple(0.002 * 2**power for power in range(7))  # 0.002 to 0.128
LARGER = 4  # times the batch
WARMUP = 0.1
NETWORKS: dict[str, tuple[str, Model]] = {
    "cnn": ("convolutional", Cnn(channels=(8, 16), strides=(2, 2), normalization=BatchNorm())),
    "transformer": ("transformer", Transformer(depth=2, width=16, heads=2)),
}


def whole(model: Model) -> Training:
    return Training(
        task=Digits(resolution=7, image=True),
        model=model,
        initialization=Initialization(kind="lecun"),
        optimizer=Adam(decoupled=True, weight_decay=0.01),
        schedule=Warmup(fraction=WARMUP),
        clipping=Clipping(norm=1.0),
        num_steps=200,
        batch_size=32,
    )


LEFT_OUT: dict[str, tuple[str, dict[str, object]]] = {
    "whole": ("whole recipe", {}),
    "no_decay": ("no decay", {"schedule": Warmup(fraction=WARMUP, then=Constant())}),
    "no_warmup": ("no warm-up", {"schedule": Cosine()}),
    "no_clipping": ("no clipping", {"clipping": Clipping()}),
    "no_normalization": ("no normalization", {"model.normalization": None}),
}
ARMS = by_name(
    (
        *(
            Arm(f"{kind}_{part}", whole(model).but(changes), label=f"{kind}, {label}")
            for kind, (_, model) in NETWORKS.items()
            for part, (label, changes) in LEFT_OUT.items()
        ),
        *(
            Arm(
                f"{kind}_large",
                whole(model).but(batch_size=32 * LARGER, num_steps=200 // LARGER),
                label=f"{kind}, batch x {LARGER}",
                sweep={RATE: tuple(0.002 * 2**power for power in range(9))},
            )
            for kind, (_, model) in NETWORKS.items()
        ),
    )
)
LOSS = Last("test_loss")


def gain(kind: str, part: str, id: str, statement: str, source: str) -> Claim:
    return claim(
        f"{id} ({kind})",
        f"{statement} by a hundredth of a nat or more, in a {NETWORKS[kind][0]} network with AdamW.",
        PairedDifference(LOSS, ARMS[f"{kind}_{part}"].best(), ARMS[f"{kind}_whole"].best()).above(0.01),
        source=source,
        unit="nats of test loss more without it",
        because="a hundredth of a nat at least, each with its own best rate: less is not worth a part of a recipe",
    )


def scaled(kind: str, times: float) -> Selected:
    return ARMS[f"{kind}_large"].at_best_of(ARMS[f"{kind}_whole"], times=times)


def root_rule(kind: str) -> Claim:
    return claim(
        f"B-LR8 ({kind})",
        "With AdamW the rate follows the root of the batch size and not the batch size: "
        f"a {NETWORKS[kind][0]} network ends lower so.",
        PairedDifference(LOSS, scaled(kind, LARGER**0.5), scaled(kind, LARGER)).below(0.0),
        source="Malladi et al. 2022; Li et al. 2024",
        unit="nats of test loss, rate x 2 minus rate x 4, at four times the batch",
        because="both start from the rate that is best for the small batch and see as many images; the lower loss is the better rule",
        scales=("laptop", "full", "paper"),
    )


experiment = Experiment.here(
    __name__,
    title="One part left out",
    question="Which parts of the usual recipe do a convolutional network and a transformer need?",
    method="A convolutional network of two layers with batch normalization and a transformer of two blocks of width 16 with layer "
    "normalization, rows of pixels as tokens, learn digits of 7 x 7 pixels by AdamW with weight decay 0.01: 200 updates on batches of "
    "32, a rise of the rate over the first tenth, then a cosine to zero, gradients clipped at norm 1. Then one part is left out: the "
    "decay, the warm-up, the clipping, the normalization; and once the batch is four times as large and the updates a quarter. "
    "Seven rates in factors of two for each.",
    arms=ARMS,
    sweep={RATE: RATES},
    num_seeds=4,
    probes=Evaluate(steps=Steps(), splits=("validation", "test"), num_examples=500),
    selection=Selection(metric="validation_loss"),
    noise_floor=ARMS["transformer_whole"].at({RATE: RATES[3]}),
    claims=tuple(
        claim
        for kind in NETWORKS
        for claim in (
            gain(kind, "no_decay", "B-DE4", "Decay to zero lowers the loss", "Hagele et al. 2024"),
            gain(kind, "no_warmup", "B-SC9", "Warm-up lowers the loss", "Kalra and Barkeshli 2024"),
            gain(kind, "no_clipping", "B-GC10", "Clipping at norm 1 lowers the loss", "folklore"),
            gain(kind, "no_normalization", "B-BN14", "Normalization lowers the loss", "folklore"),
            root_rule(kind),
        )
    ),
    figures=figure(
        "recipe",
        "Test loss over the rate with the whole recipe and with one part left out.",
        *(
            sweep_curve(
                NETWORKS[kind][0].capitalize(),
                LOSS,
                {label: ARMS[f"{kind}_{part}"].at() for part, (label, _) in LEFT_OUT.items()},
                over=RATE,
            ).axes(y="test loss (nats)", y_limits=(0.0, 2.5))
            for kind in NETWORKS
        ),
    ),
    smoke=Changes({"num_steps": 8, RATE: RATES[2:5]}, num_seeds=2),
    laptop=Changes(num_seeds=3),
    full=Changes(num_seeds=32, seeds={"transformer_whole": 288, "transformer_no_clipping": 288}),
    paper=Changes(
        {"task.source": "mnist", "task.resolution": 28, "num_steps": 5000},
        num_seeds=10,
        arms={f"{kind}_large": {"num_steps": 1250} for kind in NETWORKS},
    ),
)
