"""Does a wider network need a smaller rate when it trains ten times as long, and with two hidden layers?

Added after `width` had refuted B-LR5 (cross-entropy) in 100 updates of one hidden layer. Budget, widths and rates were set in a
pilot with one other seed, at whose rates the best one hardly moved; the rule is that of `width`.
"""

from seven_terms.spec import *

ONE_LAYER = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=1, width=64, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    num_steps=1000,
    batch_size=64,
)
one = Arm("one_layer", ONE_LAYER, label="one layer", sweep={"model.width": (32, 128, 512)})
two = Arm("two_layers", ONE_LAYER.but({"model.depth": 2}), label="two layers", sweep={"model.width": (32, 96, 288)})
RATES = tuple(2.0 ** (half / 2) for half in range(-4, 5))  # 1/4 to 4
final_loss = Over("validation_loss", "mean", start=0.8)  # one value alone is noisy


def smaller_rate(form: str, arm: Arm, *, because: str) -> Claim:
    return claim(
        f"B-LR5 (cross-entropy, {form})",
        "In the standard parametrization a wider network needs a smaller rate in 1,000 updates, too.",
        Slope(final_loss, over="model.width", runs=(arm.at(),), argbest="optimizer.learning_rate").below(-0.25),
        source="Yang et al. 2022",
        unit="exponent of the width",
        because=because,
    )


def over_rates(arm: Arm, title: str) -> Panel:
    widths = arm.sweep["model.width"]
    runs = {f"width {width}": arm.at({"model.width": Ranked(rank)}) for rank, width in enumerate(widths)}
    return sweep_curve(title, final_loss, runs, over="optimizer.learning_rate").axes(y="validation loss (nats)")


experiment = Experiment.here(
    __name__,
    title="Rate against width, ten times as long",
    question="Does the best rate move with the width in a longer training, and with two hidden layers?",
    method="One hidden layer of 32 to 512 ReLU units, and two of 32 to 288, He initialization, 1,000 updates of SGD on small "
    "digits with cross-entropy in the standard parametrization, ten times as many as in the experiment before. The best of nine "
    "rates, half as far apart, is taken for each width by the validation loss over the last fifth; the slope of its logarithm "
    "over that of the width is its exponent.",
    arms=(one, two),
    sweep={"optimizer.learning_rate": RATES},
    num_seeds=12,
    probes=(
        Evaluate(steps=Steps(count=25), splits=("validation",), num_examples=500),
        Evaluate(steps=Steps(count=1), splits=("test",)),
    ),
    noise_floor=one.at({"optimizer.learning_rate": 1.0, "model.width": 128}),
    claims=(
        smaller_rate("longer", one, because="the threshold of B-LR5 (cross-entropy) at a tenfold budget"),
        smaller_rate(
            "two layers", two, because="the same where a layer lies between two hidden ones, which muP scales"
        ),
    ),
    figures=figure(
        "width_longer",
        "Validation loss over the last fifth of 1,000 updates, over the rate, by width.",
        over_rates(one, "One hidden layer"),
        over_rates(two, "Two hidden layers"),
    ),
    laptop=Changes(skip=True),
    full=Changes(seeds={"two_layers": 62}),
    smoke=Changes({"num_steps": 5, "optimizer.learning_rate": (0.25, 0.5, 1.0)}, num_seeds=2),
    paper=Changes(skip=True),
)
