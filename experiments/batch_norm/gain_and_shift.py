"""What can the learned gain and shift of a batch normalization do alone, when all weights stay as they were drawn?

Frankle et al. 2021 train nothing else in residual networks: 82 % on CIFAR-10. The control here, and of about as many parameters,
is the readout alone on the same random features. The claims were written before the first run.
"""

from seven_terms.spec import *

RATE, DEPTH = "optimizer.learning_rate", "model.depth"
ALL = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=4, width=48, activation="relu", normalization=BatchNorm()),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    num_steps=300,
    batch_size=32,
)

everything = Arm("everything", ALL, label="everything")
alone = Arm("alone", ALL.but(trained="normalization"), label="gain and shift alone")
readout = Arm("readout", ALL.but(trained="readout"), label="readout alone")
ARMS = (everything, alone, readout)
accuracy = Last("test_accuracy")
DEEP, SHALLOW = {DEPTH: Ranked(-1)}, {DEPTH: Ranked(0)}

experiment = Experiment.here(
    __name__,
    title="Gain and shift alone",
    question="How much can a network learn by the gain and shift of its normalizations alone?",
    method="One, four or eight layers of 48 ReLU units with batch normalization classify digits of 7 x 7 pixels in batches of 32 "
    "with plain SGD, 300 steps, each arm and depth at its own best of five rates. Trained are all parameters; or gain and "
    "shift alone, 96 numbers a layer, while all weights, those of the readout too, stay random; or the 490 numbers of the readout alone.",
    arms=ARMS,
    sweep={RATE: (0.05, 0.15, 0.5, 1.5, 5.0), DEPTH: (1, 4, 8)},
    num_seeds=6,
    probes=Evaluate(steps=Steps(), splits=("validation", "test")),
    selection=Selection(metric="validation_accuracy", which="max"),
    noise_floor=everything.at({RATE: 0.5, DEPTH: 4}),
    claims=(
        claim(
            "B-BN16 (as said)",
            "With all weights random, gain and shift alone learn a lot.",
            Mean(measure=accuracy, runs=alone.best(at={DEPTH: Ranked(1)})).above(0.5),
            source="Frankle et al. 2021",
            unit="share of test images, four layers",
            because="half of the images is five times what guessing gives",
        ),
        claim(
            "B-BN16 (depth)",
            "With eight layers they learn more than with one, by two points or more.",
            PairedDifference(measure=accuracy, runs=alone.best(at=DEEP), baseline=alone.best(at=SHALLOW)).above(0.02),
            source="Frankle et al. 2021",
            unit="share of test images, eight layers minus one",
            because="two points are more than the sampling error of a thousand images, and seven more layers bring 672 more parameters",
        ),
        claim(
            "B-BN16 (against the readout)",
            "They learn more than as many parameters elsewhere do: than the readout alone.",
            PairedDifference(
                measure=accuracy, runs=alone.best(at={DEPTH: Ranked(1)}), baseline=readout.best(at={DEPTH: Ranked(1)})
            ).above(0.0),
            source="Frankle et al. 2021, of parameters chosen at random; the readout is ours",
            unit="share of test images, four layers: 384 numbers against 490",
            because="more is an accuracy above that of the readout, each at its own best rate",
        ),
        claim(
            "B-BN16 (all)",
            "They reach most of what training everything reaches.",
            PairedRatio(measure=accuracy, runs=alone.best(at=DEEP), baseline=everything.best(at=DEEP)).above(0.8),
            source="Frankle et al. 2021: 82 % on CIFAR-10",
            unit="ratio of accuracies, eight layers",
            because="most is four fifths; 82 % of CIFAR-10 are nine tenths of what such networks reach",
        ),
    ),
    figures=figure(
        "gain_and_shift",
        "Final test accuracy by what is trained, at the own best rate of each arm and depth.",
        sweep_curve("By depth", accuracy, best_runs(*ARMS), over=DEPTH).axes(x="hidden layers", y_limits=(0.0, 1.0)),
        sweep_curve("Over the rate, four layers", accuracy, all_runs(*ARMS, at={DEPTH: Ranked(1)}), over=RATE),
    ),
    smoke=Changes({"num_steps": 20, RATE: (0.15, 0.5), DEPTH: (1, 2, 4)}, num_seeds=2),
    laptop=Changes(num_seeds=4),
    full=Changes(num_seeds=20, seeds={"everything": 160, "alone": 160}),
    paper=Changes(
        {"task": Digits(source="mnist"), "num_steps": 20_000, "model.width": 256, DEPTH: (1, 4, 16)}, num_seeds=8
    ),
)
