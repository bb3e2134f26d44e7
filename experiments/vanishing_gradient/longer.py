"""Given ten, twenty and forty times the updates, or fewer layers, what do vanishing gradients still cost?

Added after `early_layers` and `cures` had been seen to compare with a network at chance, where an effect says "nothing was
learned" and not how much. Depths, budgets and rates were set in a pilot with one other seed, and the rules before the runs.
"""

from seven_terms.spec import *

CURES = 200  # updates of `early_layers` and `cures`
TWENTY_LAYERS = Training(
    task=Digits(resolution=14),
    model=Mlp(depth=20, width=40, activation="tanh"),
    initialization=Initialization(kind="uniform_fan_in"),
    optimizer=Sgd(momentum=0.9),
    num_steps=CURES,
    batch_size=32,
)
TEN_LAYERS = TWENTY_LAYERS.but({"model.depth": 10})
HEALTHY = {"initialization.kind": "glorot"}
SIGMOID = TEN_LAYERS.but(HEALTHY, model=Mlp(depth=5, width=40, activation="sigmoid"))
LOW, MIDDLE, HIGH = (0.003, 0.01, 0.03), (0.01, 0.03, 0.1), (0.03, 0.1, 0.3, 1.0)
# name: (label, training, rates, times the updates, seeds)
NETWORKS = {
    "uniform": ("20 tanh layers, uniform fan-in", TWENTY_LAYERS, MIDDLE, (20,), 4),
    "glorot": ("20 tanh layers, Glorot", TWENTY_LAYERS.but(HEALTHY), LOW, (20,), 4),
    "uniform_10": ("10 tanh layers, uniform fan-in", TEN_LAYERS, MIDDLE, (10, 20), 12),
    "glorot_10": ("10 tanh layers, Glorot", TEN_LAYERS.but(HEALTHY), LOW, (10, 20), 12),
    "sigmoid": ("5 sigmoid layers", SIGMOID, HIGH, (20,), 6),
    "sigmoid_4": ("4 sigmoid layers", SIGMOID.but({"model.depth": 4}), HIGH, (40,), 6),
}
SOONER, LATEST = {"num_steps": Ranked(0)}, {"num_steps": Ranked(-1)}  # of an arm's own budgets


def network(name: str) -> Arm:
    label, training, rates, times, seeds = NETWORKS[name]
    budgets = tuple(CURES * factor for factor in times)
    return Arm(
        name, training, label=label, sweep={"optimizer.learning_rate": rates, "num_steps": budgets}, num_seeds=seeds
    )


def early_to_late(depth: int) -> Measure:
    return Combine("ratio", Last("layer_movement", index=0), Last("layer_movement", index=depth - 1))


def lost(arm: Arm, healthy: Arm, at: dict[str, Ranked]) -> PairedDifference:
    return PairedDifference(Last("test_accuracy"), arm.best(at=at), healthy.best(at=at))


ARMS = by_name(network(name) for name in NETWORKS)
uniform, glorot, uniform_10, glorot_10, sigmoid, sigmoid_4 = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Vanishing gradients, given time",
    question="With ten to forty times the updates, or fewer layers, what do vanishing gradients still cost?",
    method="The networks of 40 units of the two experiments before, SGD with momentum 0.9 on digits, for more than their 200 "
    "updates: 20 tanh layers for 4,000; 10 tanh layers, which learn under weights from U(±1/sqrt(n)), too, for 2,000 and "
    "4,000; five sigmoid layers for 4,000, and four, which learn in the end, for 8,000. Each has three or "
    "four rates about the pilot's best and its own best one; the five sigmoid layers, which are at chance at every rate, have the one that is best for four.",
    arms=ARMS,
    num_seeds=6,
    probes=(
        Evaluate(steps=Steps(count=10), splits=("validation", "test"), num_examples=500),
        LayerUpdates(steps=Steps(count=2)),
    ),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=glorot_10.at({"optimizer.learning_rate": 0.01, "num_steps": 10 * CURES}),
    claims=(
        claim(
            "VG4 (longer)",
            "In a sigmoid network of five layers the weights of the early layers hardly change in twenty times the updates, too.",
            Mean(early_to_late(5), sigmoid.at_best_of(sigmoid_4, "optimizer.learning_rate"), log=True).below(0.1),
            source="article; Glorot and Bengio 2010, section 3.1",
            unit="movement, first over last hidden layer",
            because="the margin of VG4 (fair), at a rate that is not noise: the one at which four layers learn",
        ),
        claim(
            "VG4 (learns)",
            "In a sigmoid network that learns in the end the weights of the early layers hardly change during training.",
            Mean(early_to_late(4), sigmoid_4.best(), log=True).below(0.1),
            source="asked after a look at other budgets",
            unit="movement, first over last hidden layer",
            because="the same measure and margin where more is learned than nothing",
        ),
        claim(
            "VG5 (longer)",
            "Vanishing gradients limit what a network of 20 layers learns in twenty times the updates, too.",
            lost(uniform, glorot, LATEST).below(-0.1),
            source="article",
            unit="test accuracy after 4,000 updates",
            because="the margin of VG5 (result): what is late is no limit, what does not come in twenty times the time is one",
        ),
        claim(
            "VG5 (ten layers)",
            "Where a network learns in spite of vanishing gradients, it ends lower.",
            lost(uniform_10, glorot_10, SOONER).below(-0.02),
            source="asked after a look at other budgets",
            unit="test accuracy after 2,000 updates",
            because="both networks learn; two points of accuracy are more than the choice of the images does (noise floor)",
        ),
        claim(
            "VG5 (ten layers, longer)",
            "Where a network learns in spite of vanishing gradients, it ends lower, with twice that time, too.",
            lost(uniform_10, glorot_10, LATEST).below(-0.02),
            source="asked after a look at other budgets",
            unit="test accuracy after 4,000 updates",
            because="the same margin: a gap that closes with time is a matter of speed and no limit",
        ),
    ),
    figures=figure(
        "longer",
        "Left: test accuracy over updates, each network at its own best rate and longest budget. Right: how far each "
        "layer's weights are from their start at the end; the five sigmoid layers at the rate that is best for four.",
        curve("Given time", "test_accuracy", best_runs(*ARMS.values(), at=LATEST)).axes(y_limits=(0.0, 1.0)),
        curve(
            "Movement by layer",
            "layer_movement",
            {
                sigmoid.label: sigmoid.at_best_of(sigmoid_4, "optimizer.learning_rate"),
                sigmoid_4.label: sigmoid_4.best(),
            },
            over="index",
            step=10**9,
        ).axes("layer (0 is nearest the input)", "relative movement", log="y"),
    ),
    laptop=Changes(skip=True),
    full=Changes(seeds={"uniform_10": 115, "glorot_10": 115}),
    smoke=Changes({"num_steps": (6, 8), "model.width": 20, "optimizer.learning_rate": (0.03, 0.1)}, num_seeds=2),
    paper=Changes(skip=True),
)
