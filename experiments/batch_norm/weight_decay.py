"""What weight decay does to a network with batch normalization: nothing that a growing rate without decay does not do.

A weight in front of a normalization may be multiplied by any number c without a change of the function; its gradient is then
divided by c. Let w_t = (1 - rate decay)^t u_t. One update of SGD with decay, w' = (1 - rate decay) w - rate g(w), is one of u
without it at the rate_t = rate (1 - rate decay)^(-2 t - 1): Li and Arora 2020 for plain SGD, derived again by a test.
"""

from seven_terms.spec import *

RATE, DECAY = "optimizer.learning_rate", "optimizer.weight_decay"
STEPS = 400
EXACT_RATE, EXACT_DECAY = 0.5, 0.01
SHRINKS = 1.0 - EXACT_RATE * EXACT_DECAY  # the weights' factor in an update
INVARIANT = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=3, width=32, activation="relu", normalization=BatchNorm(eps=0.0, affine=False), bias=False),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(learning_rate=EXACT_RATE),
    num_steps=STEPS,
    batch_size=32,
    precision="float64",
    trained="hidden",
)
NETWORK = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=3, width=32, activation="relu", normalization=BatchNorm()),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    num_steps=2000,
    batch_size=32,
)
GROWN = INVARIANT.but(
    optimizer=Sgd(learning_rate=EXACT_RATE / SHRINKS), schedule=Exponential(final=SHRINKS ** (-2 * STEPS))
)

decayed = Arm("decayed", INVARIANT.but({DECAY: EXACT_DECAY}), label="weight decay")
grown = Arm("grown", GROWN, label="growing rate")
neither = Arm("neither", INVARIANT, label="neither")
network = Arm(
    "network",
    NETWORK,
    label="batch norm, weight decay",
    sweep={RATE: (0.2, 0.6), DECAY: (0.003, 0.01, 0.03)},
    num_seeds=6,
)
LAYERS = (0, 1, 2)  # the hidden ones: the readout has no normalization behind it
LOSS = "batch_statistics_test_loss"


def turns(layer: int) -> Measure:
    """Return the root of the mean squared angle of an update over the second half."""
    return Combine("sqrt", Over("layer_squared_rotation", "mean", start=0.5, index=layer))


size = Over("layer_weight_norm", "mean", start=0.5, index=1)
grid = tuple(network.at({RATE: Ranked(rate), DECAY: Ranked(decay)}) for rate in range(2) for decay in range(3))

experiment = Experiment.here(
    __name__,
    title="Weight decay under batch normalization",
    question="What does weight decay do where the size of the weights changes nothing?",
    method="Three hidden layers of 32 ReLU units with batch normalization classify digits of 7 x 7 pixels in batches of 32 with "
    "plain SGD. In the first three arms, in float64, the function does not depend on the size of what is trained: no gain and shift, "
    "no eps, and a readout that stays as it was drawn. They have a weight decay of 0.01 at the rate 0.5, no decay and a rate that "
    "grows as the algebra says, or neither, over 400 steps. The fourth is the usual network at two rates and three decays over 2,000 "
    "steps; over its second half the angle is measured by which the weights of each hidden layer turn in an update.",
    arms=(decayed, grown, neither, network),
    num_seeds=6,
    probes=(
        Evaluate(steps=Steps(count=20), splits=("validation", "test"), batch_statistics=True),
        LayerGradients(steps=Steps(count=20)),
        Rotation(steps=Steps(count=200)),
    ),
    selection=Selection(metric="validation_loss"),
    noise_floor=decayed,
    claims=(
        claim(
            "B-BN17 (function)",
            "With batch normalization, SGD with weight decay trains the same function as a growing rate without decay.",
            PairedDifference(measure=Last(LOSS), runs=grown.at(), baseline=decayed.at()).within(-1e-6, 1e-6),
            source="Li and Arora 2020; for plain SGD the rate is algebra",
            unit="nats of test loss after 400 updates",
            because="equal but for rounding, which training makes larger; a millionth is far below any effect of a rate",
        ),
        claim(
            "B-BN17 (weights)",
            "The two have weights of different size, by 0.995 to the power of -400.",
            PairedRatio(
                measure=Last("layer_weight_norm", index=1), runs=grown.at(), baseline=decayed.at(), exact=True
            ).within(7.42, 7.43),
            source="algebra",
            unit="weight norm of the second layer, growing rate over decay",
            because="by algebra 7.426: the size of the weights says nothing of the function",
        ),
        claim(
            "B-BN17 (effective rate)",
            "What decay does is to keep the rate from fading: without it, the weights turn less than half as far an update.",
            PairedRatio(measure=Last("layer_rotation", index=1), runs=decayed.at(), baseline=neither.at()).above(2.0),
            source="algebra",
            unit="angle of the last update, second layer, with decay over without",
            because="settled weights turn by 0.1; without decay by at most 1 / sqrt(2 x 400) = 0.035 for gradients of one size",
        ),
        claim(
            "B-BN15",
            "Weights in front of a batch normalization come to turn by sqrt(2 rate decay) an update.",
            Mean(measure=Combine("ratio", turns(1), Setting("equilibrium_rotation")), runs=network.at()).within(
                0.9, 1.1
            ),
            source="Kosson et al. 2024",
            unit="angle of the second layer over sqrt(2 rate decay), mean over two rates and three decays",
            because="the formula is of first order in rate x decay, here at most 0.018, and weights that settle slowly are off by more",
        ),
        claim(
            "B-BN15 (every layer)",
            "So do all hidden layers, at every rate and decay.",
            WorstDeviation(
                measure=tuple(turns(layer) for layer in LAYERS),
                expected="equilibrium_rotation",
                runs=grid,
                mean_over_seeds=True,
            ).below(0.2),
            source="Kosson et al. 2024",
            unit="angle, relative deviation from sqrt(2 rate decay)",
            because="a fifth at the worst of eighteen, where the angles themselves span a factor of five",
            scales=("laptop", "full", "paper"),
        ),
        claim(
            "B-BN15 (norm)",
            "Their size settles at a fourth power that is proportional to rate over decay.",
            Slope(
                measure=Combine("square", Combine("square", size)), over="rate_over_decay", runs=(network.at(),)
            ).within(0.8, 1.2),
            source="algebra, for gradients of one size",
            unit="exponent of the fourth power of the weight norm over rate / decay",
            because="exactly 1 along equal products of rate and decay; across them the gradient's size changes, which a fifth allows for",
        ),
    ),
    figures=figure(
        "weight_decay",
        "Test loss with the batch's own statistics, and angle of an update against what theory says.",
        curve("The same function", LOSS, all_runs(neither, decayed, grown)).axes(log="y"),
        cloud("Rotation", Setting("equilibrium_rotation"), turns(1), all_runs(network)).axes(
            x="sqrt(2 rate decay)", y="angle of an update", log="xy"
        ),
    ),
    smoke=Changes(num_seeds=2, arms={"network": {"num_steps": 40}}),
    full=Changes(num_seeds=16),
    paper=Changes(num_seeds=12, arms={"network": {"task.source": "mnist", "num_steps": 20_000}}),
)
