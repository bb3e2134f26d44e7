"""Is a larger batch the same as a smaller rate in a network? Smith, Kindermans, Ying and Le 2018.

Two claims were added after a look, at which doing neither had lain near the first margin: whether neither leaves the margin, and
a margin of a quarter of what neither does (1.13), inside which neither could not hide.
"""

from seven_terms.spec import *

CHANGES = (0.4, 0.7)  # of the budget
FACTOR = 5
CONSTANT = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9),
    schedule=Constant(),
    num_steps=2000,
    batch_size=16,
)
GROWTH = tuple((fraction, FACTOR ** (i + 1)) for i, fraction in enumerate(CHANGES))
ARMS = {
    "decay": ("rate / 5", CONSTANT.but(schedule=Step(drop=1 / FACTOR, fractions=CHANGES))),
    "growth": ("batch x 5", CONSTANT.but(batch_growth=GROWTH)),
    "constant": ("neither", CONSTANT),
}
TIGHT = 0.03  # a quarter of the 13 % by which doing neither had differed


def at_rate_of_decay(arm: str) -> Selected:
    return arms[arm].at_best_of(decay)


def over_decay(arm: str) -> PairedRatio:
    """Training loss once the arms have parted, over that of the decaying arm."""
    return PairedRatio(Over("train_loss", "mean", start=CHANGES[0]), at_rate_of_decay(arm), at_rate_of_decay("decay"))


arms = by_name(Arm(name, training, label=label) for name, (label, training) in ARMS.items())
decay, growth, constant = arms.values()

experiment = Experiment.here(
    __name__,
    title="A larger batch for a smaller rate, in a network",
    question="Do training curves over examples coincide when the batch grows instead of the rate falling?",
    method="A network of two hidden layers of 32 ReLU units learns digits with momentum 0.9 and batches of 16. At 40 % and 70 % "
    "of the examples the rate is divided by five, or the batch multiplied by five, which makes 47 % of the updates; a "
    "third arm does neither. The rate is the best of the decaying arm for all three. The last batch, 400, is a ninth of "
    "the training images.",
    arms=arms,
    sweep={"optimizer.learning_rate": (0.01, 0.03, 0.1)},
    num_seeds=10,
    probes=Evaluate(steps=Steps(count=20)),
    noise_floor=decay.at({"optimizer.learning_rate": 0.03}),
    claims=(
        claim(
            "B-DE3 (network)",
            "Dividing the rate by five equals multiplying the batch by five.",
            over_decay("growth").within(0.9, 1.1),
            source="Smith et al. 2018",
            unit="ratio of training losses",
            because="curves that coincide differ by less than 10 % on average once the arms have parted",
        ),
        claim(
            "B-DE3 (network, tight)",
            "Dividing the rate by five equals multiplying the batch by five, to a quarter of what either does.",
            over_decay("growth").within(1.0 - TIGHT, 1.0 + TIGHT),
            source="Smith et al. 2018",
            unit="ratio of training losses",
            because="an equivalence says something when what is called equal differs by much less than from doing neither",
        ),
        claim(
            "B-DE3 (network, neither)",
            "Doing neither is not equal to dividing the rate by five.",
            over_decay("constant").above(1.1),
            source="a control",
            unit="ratio of training losses, neither over decay",
            because="outside the wider margin: else that margin could not tell a larger batch from none",
        ),
    ),
    figures=figure(
        "curves",
        "Training and test loss over examples, counted in batches of 16, at the best rate of the decaying arm.",
        *(
            curve(
                f"{split.capitalize()} loss",
                f"{split}_loss",
                {label: at_rate_of_decay(name) for name, (label, _) in ARMS.items()},
            ).axes("examples / 16", f"{split} loss (nats)", log="y")
            for split in ("train", "test")
        ),
    ),
    smoke=Changes({"num_steps": 200}, num_seeds=2),
    full=Changes(num_seeds=20),
    paper=Changes(
        {
            "task": Cifar10(augment=True),
            "model": Resnet(n=3, normalization=BatchNorm(ghost=128)),
            "batch_size": 128,
            "num_steps": 14_080,
            "optimizer.weight_decay": 5e-4,
        },
        num_seeds=5,
    ),
)
