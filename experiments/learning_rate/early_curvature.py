"""Warm-up, clipping, batch normalization, skips and initialization: five remedies against one enemy, early curvature?

Gilmer and others 2021: what limits the rate of a deep network is its curvature early in training; whatever lowers it, or waits until
training has lowered it, lets larger rates train. All remedies here meet the same deep network with weights that are too large.
"""

from seven_terms.spec import *

RATE = "optimizer.learning_rate"
SHARP = Training(
    task=Digits(resolution=7, num_train=512),
    model=Mlp(depth=6, width=48, activation="relu"),
    initialization=Initialization(kind="he", scale=1.5),
    optimizer=Sgd(),
    num_steps=300,
    batch_size=32,
)
WARMUP = 0.2  # of the budget

none = Arm("none", SHARP, label="no remedy")
warmup = Arm("warmup", SHARP.but(schedule=Warmup(fraction=WARMUP, then=Constant())), label="warm-up")
clipping = Arm("clipping", SHARP.but(clipping=Clipping(norm=1.0)))
batch_norm = Arm("batch_norm", SHARP.but({"model.normalization": BatchNorm()}))
residual = Arm("residual", SHARP.but({"model.residual": True}), label="skips")
weights = Arm("weights", SHARP.but({"initialization.scale": 1.0}), label="smaller weights")
ARMS = (none, warmup, clipping, batch_norm, residual, weights)

trained = Reached(Last("test_accuracy"), above=0.5)
FINER = {
    2.0 ** (power / 16) for power in range(-52, -11)
}  # where networks without remedy or with smaller weights cease to train
EARLY = At("sharpness", step=0)
SETTLED = Combine("ratio", At("sharpness", fraction=WARMUP), EARLY)


def larger_rate(remedy: Arm, baseline: Arm = none) -> BestSetting:
    return BestSetting(trained, RATE, remedy.at(), which="largest_reached", baseline=baseline.at())  # fmt: skip


def permits(remedy: Arm, form: str, statement: str) -> Claim:
    return claim(
        f"B-LR7 ({form})",
        statement,
        larger_rate(remedy).above(1.5),
        source="Gilmer et al. 2021",
        unit="largest rate that trains, with the remedy over without",
        because="half as large again is what somebody who chooses a rate by factors of two would notice in most seeds",
        scales=("laptop", "full", "paper"),
    )


experiment = Experiment.here(
    __name__,
    title="Five remedies against one enemy",
    question="Do warm-up, clipping, batch normalization, skips and smaller weights let larger rates train, and for one reason?",
    method="A network of six ReLU layers, whose weights are half as large again as He's, learns 512 digits of 7 x 7 pixels in 300 "
    "updates. Five remedies are applied one at a time: a rate that rises over the first fifth, a bound of 1 on the gradient's norm, "
    "batch normalization, a skip over each layer, and He's own weights. A run has trained when it names more than half of the test "
    "digits. The sharpness is that of the training loss, before training and at the end of the first fifth.",
    arms=ARMS,
    sweep={RATE: tuple(2.0**power for power in range(-9, 5))},
    num_seeds=8,
    probes=(
        Sharpness(steps=Steps(at=(0, 60), last=False), num_iterations=8),
        Evaluate(steps=Steps(at=(0,)), splits=("validation", "test"), num_examples=500),
    ),
    selection=Selection(metric="validation_loss"),
    noise_floor=weights.at({RATE: 2.0**-5}),
    claims=(
        permits(warmup, "warm-up", "Warm-up lets a sharp network train at larger rates."),
        permits(clipping, "clipping", "Clipping lets a sharp network train at larger rates."),
        permits(batch_norm, "batch norm", "Batch normalization lets a sharp network train at larger rates."),
        permits(residual, "skips", "Residual connections let a sharp network train at larger rates."),
        permits(weights, "initialization", "Smaller initial weights let a sharp network train at larger rates."),
        claim(
            "B-LR7 (as said)",
            "Warm-up helps as much as batch normalization does.",
            larger_rate(warmup, batch_norm).within(0.5, 2.0),
            source="Gilmer et al. 2021",
            unit="largest rate that trains, warm-up over batch norm",
            because="as much: within a factor of two, either way",
            scales=("laptop", "full", "paper"),
        ),
        claim(
            "B-LR7 (one enemy, batch norm)",
            "Batch normalization lowers the curvature that training starts with.",
            PairedRatio(EARLY, batch_norm.at({RATE: Ranked(0)}), none.at({RATE: Ranked(0)})).below(0.5),
            source="Gilmer et al. 2021",
            unit="sharpness before training, batch norm over no remedy",
            because="half the sharpness is twice the rate at which a quadratic diverges",
        ),
        claim(
            "B-LR7 (one enemy, initialization)",
            "Smaller initial weights lower the curvature that training starts with.",
            PairedRatio(EARLY, weights.at({RATE: Ranked(0)}), none.at({RATE: Ranked(0)})).below(0.5),
            source="Gilmer et al. 2021",
            unit="sharpness before training, smaller weights over no remedy",
            because="half the sharpness is twice the rate at which a quadratic diverges",
        ),
        claim(
            "B-LR7 (one enemy, warm-up)",
            "By its end warm-up has led a sharp network to where the curvature is lower than at the start.",
            Mean(SETTLED, warmup.best(), log=True).below(0.5),
            source="Gilmer et al. 2021",
            unit="sharpness after the warm-up over that before training, at warm-up's best rate",
            because="half the sharpness is twice the rate at which a quadratic diverges",
        ),
    ),
    figures=figure(
        "early_curvature",
        "Test accuracy over the rate of a deep network with large weights, without remedy and with each of five; and the "
        "sharpness before training.",
        sweep_curve("Which rates train", Last("test_accuracy"), all_runs(*ARMS), over=RATE).axes(y_limits=(0.0, 1.0)),
        bars("Before training", EARLY, all_runs(*ARMS, at={RATE: Ranked(0)})).axes(log="y"),
    ),
    smoke=Changes(
        {"num_steps": 20, "task.num_train": 64, RATE: (2.0**-6, 2.0**-5)},
        num_seeds=2,
        probes=(
            Sharpness(steps=Steps(at=(0, 4), last=False), num_iterations=3),
            Evaluate(steps=Steps(at=(0,)), splits=("validation", "test"), num_examples=200),
        ),
    ),
    laptop=Changes(num_seeds=4),
    full=Changes(
        {RATE: tuple(sorted({2.0 ** (power / 2) for power in range(-18, 9)} | FINER))},
        num_seeds=24,
        seeds={"none": 128, "weights": 128},
    ),
    paper=Changes(
        {"task": Digits(source="mnist", num_train=5000), "model.width": 256, "num_steps": 3000, "batch_size": 64},
        num_seeds=20,
        probes=(
            Sharpness(steps=Steps(at=(0, 600), last=False), num_iterations=16),
            Evaluate(steps=Steps(at=(0,)), splits=("validation", "test")),
        ),
    ),
)
