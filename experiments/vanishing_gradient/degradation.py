"""Is the degradation of deep plain networks, which batch normalization does not mend, a matter of vanishing gradients?

In a first version the training loss was that of the evaluated network, whose running statistics are a second difference
between deep and shallow networks; it is now the loss of the batches that are trained on.
"""

from seven_terms.spec import *

TRAINING = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=6, width=40, activation="relu", normalization=BatchNorm()),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(momentum=0.9),
    num_steps=150,
    batch_size=32,
)
# name: (label, residual, depth, n of the CIFAR network)
NETWORKS = {
    "plain_shallow": ("plain, shallow", False, 6, 3),
    "plain_deep": ("plain, deep", False, 30, 9),
    "residual_shallow": ("residual, shallow", True, 6, 3),
    "residual_deep": ("residual, deep", True, 30, 9),
}
VARIANCE_FACTOR = Combine("exp", Combine("product", LogSlope("layer_signal_gradient_rms", over="index"), -2.0))
TRAINING_LOSS = Over("batch_loss", start=0.8)


def network(name: str) -> Arm:
    label, residual, depth, _ = NETWORKS[name]
    return Arm(name, TRAINING.but({"model.depth": depth, "model.residual": residual}), label=label)


def degraded(kind: str, budget: str = "") -> PairedDifference:
    deep, shallow = (ARMS[f"{kind}_{depth}{budget}"].best() for depth in ("deep", "shallow"))
    return PairedDifference(TRAINING_LOSS, deep, shallow)


def published_error(form: str, network: str, *, error: float, found: str, source: str) -> Claim:
    return claim(
        f"B-VG6 ({form})",
        f"On CIFAR-10 this network ends at the test error that was {found}, {100 * error:.2f} %.",
        Mean(Last("test_error"), BEST[network]).within(error - 0.01, error + 0.01),
        source=source,
        unit="share of test images wrong",
        because="a point either way: reruns by others lie within half a point of the paper",
        scales=("paper",),
    )


def longer(arm: Arm) -> Arm:
    training = arm.training.but(num_steps=10 * TRAINING.num_steps)
    return Arm(f"{arm.name}{LONGER}", training, label=f"{arm.label}, 1,500 updates")


LONGER = "_longer"
ARMS = by_name(network(name) for name in NETWORKS)
plain_shallow, plain_deep, residual_shallow, residual_deep = ARMS.values()
LONG_ARMS = tuple(longer(arm) for arm in ARMS.values())
ARMS |= by_name(LONG_ARMS)
ONLY_AT_FULL = tuple(arm.name for arm in LONG_ARMS)
BEST = {label: ARMS[name].best() for name, (label, *_) in NETWORKS.items()}

experiment = Experiment.here(
    __name__,
    title="Degradation of deep plain networks",
    question="Deep plain networks train worse than shallow ones even with batch normalization: is it vanishing gradients?",
    method="Fully connected ReLU networks with batch normalization and He's initialization, 6 and 30 layers, with and without "
    "residual connections, are trained on digits, each at its own best rate. Degradation is a higher training loss of "
    "the deeper network, over the last fifth of training and with the statistics of its own batches, so it is neither "
    "overfitting nor a matter of running statistics. The gradient with respect to pre-activations is measured layer by "
    "layer before training. At paper scale these are the convolutional networks of 20 and 56 layers on CIFAR-10.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)},
    num_seeds=4,
    probes=(
        Stream(window=5),
        Evaluate(steps=Steps(count=2), splits=("validation", "test"), num_examples=250),
        LayerGradients(steps=Steps(count=2)),
    ),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=plain_shallow.at({"optimizer.learning_rate": 0.03}),
    claims=(
        claim(
            "B-VG4 (as said)",
            "Deep plain networks with batch normalization degrade because their gradients vanish.",
            Mean(VARIANCE_FACTOR, plain_deep.best(), log=True).below(0.9),
            source="folklore; against it He et al. 2016, section 4.1",
            unit="factor on the gradient's variance per layer",
            because="if gradients vanish, their variance must fall towards the first layer; 10 % a layer over 30 layers is a "
            "factor of 24, less would not explain anything",
        ),
        claim(
            "B-VG4 (fair)",
            "Deep plain networks reach a higher training loss than shallow ones although batch normalization is used.",
            PairedDifference(TRAINING_LOSS, BEST["plain, deep"], BEST["plain, shallow"]).above(0.1),
            source="He et al. 2016, figure 6",
            unit="nats",
            because="the deeper network contains the shallower one; 0.1 nats is far above what seeds do",
        ),
        claim(
            "B-VG4 (growth)",
            "Before training the gradient of the deep plain network grows towards the input by pi / (pi - 1) a layer.",
            Mean(VARIANCE_FACTOR, plain_deep.best(), log=True).within(1.3, 1.6),
            source="Yang et al. 2019; Luther 2020",
            unit="factor on the gradient's variance per layer",
            because="1.467 and about a tenth either way: the layers have 40 units, and the theory holds for wide ones",
        ),
        claim(
            "B-VG4 (growth, skips)",
            "Skips take most of that growth away.",
            Mean(VARIANCE_FACTOR, residual_deep.best(), log=True).below(1.2),
            source="Yang et al. 2019, section 5",
            unit="factor on the gradient's variance per layer",
            because="over 30 layers 1.2 is a factor of 240 where 1.467 is one of 100,000",
        ),
        claim(
            "B-VG4 (with skips)",
            "With skips the deep network reaches the training loss of the shallow one.",
            degraded("residual").below(0.1),
            source="He et al. 2016, figure 6",
            unit="nats after 150 updates, deep minus shallow",
            because="the same margin as for the plain networks",
        ),
        claim(
            "B-VG4 (longer)",
            "Deep plain networks reach a higher training loss than shallow ones in ten times the updates, too.",
            degraded("plain", LONGER).above(0.1),
            source="He et al. 2016, figure 6",
            unit="nats after 1,500 updates, deep minus shallow",
            because="the same margin at a tenfold budget",
            scales=("full",),
        ),
        claim(
            "B-VG4 (longer, with skips)",
            "With skips the deep network reaches the training loss of the shallow one in ten times the updates.",
            degraded("residual", LONGER).below(0.1),
            source="He et al. 2016, figure 6",
            unit="nats after 1,500 updates, deep minus shallow",
            because="the same margin at a tenfold budget",
            scales=("full",),
        ),
        published_error(
            "ResNet-20", "residual, shallow", error=0.0875, found="published", source="He et al. 2016, table 6"
        ),
        published_error(
            "ResNet-56", "residual, deep", error=0.0697, found="published", source="He et al. 2016, table 6"
        ),
        published_error(
            "plain-20",
            "plain, shallow",
            error=0.0978,
            found="found by a rerun",
            source="He et al. 2016, figure 6, as rerun",
        ),
        published_error(
            "plain-56",
            "plain, deep",
            error=0.1295,
            found="found by a rerun",
            source="He et al. 2016, figure 6, as rerun",
        ),
    ),
    figures=figure(
        "degradation",
        "With batch normalization: training loss of shallow and deep networks at their best rates, and the "
        "gradient by layer before training. In the plain network it grows towards the input.",
        curve("Training", "batch_loss", BEST).axes(y="training loss (nats)", y_limits=(0.0, 5.0)),
        curve("Gradient before training", "layer_signal_gradient_rms", BEST, over="index").axes(
            "hidden layer (0 is nearest the input)", "gradient (root mean square)", log="y"
        ),
        key=1,
    ),
    laptop=Changes(without_arms=ONLY_AT_FULL),
    smoke=Changes(
        {"num_steps": 8, "model.width": 20, "optimizer.learning_rate": (0.01,)}, num_seeds=2, without_arms=ONLY_AT_FULL
    ),
    full=Changes(num_seeds=24),
    paper=Changes(
        {
            "task": Cifar10(augment=True),
            "optimizer": Sgd(momentum=0.9, weight_decay=1e-4),
            "schedule": Step(fractions=(0.5, 0.75)),
            "num_steps": 64_000,
            "batch_size": 128,
            "optimizer.learning_rate": (0.03, 0.1, 0.3),
        },
        num_seeds=5,
        without_arms=ONLY_AT_FULL,
        probes=(
            Stream(window=100),
            Evaluate(steps=Steps(count=16), splits=("validation", "test"), num_examples=10_000),
            LayerGradients(steps=Steps(count=2)),
        ),
        arms={name: {"model": Resnet(n=n, residual=residual)} for name, (_, residual, _, n) in NETWORKS.items()},
    ),
)
