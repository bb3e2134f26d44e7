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

everything = Arm(name="everything", label="everything", training=ALL)
alone = Arm(name="alone", label="gain and shift alone", training=ALL.but(trained="normalization"))
readout = Arm(name="readout", label="readout alone", training=ALL.but(trained="readout"))
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
    probes=(Evaluate(steps=Steps(), splits=("validation", "test")),),
    selection=Selection(metric="validation_accuracy", mode="max"),
    noise_floor=everything.at({RATE: 0.5, DEPTH: 4}),
    claims=(
        Claim(
            id="B-BN16",
            form="as said",
            statement="With all weights random, gain and shift alone learn a lot.",
            source="Frankle et al. 2021",
            estimate=Mean(measure=accuracy, runs=alone.best(at={DEPTH: Ranked(1)})),
            rule=Above(0.5),
            unit="share of test images, four layers",
            because="half of the images is five times what guessing gives",
        ),
        Claim(
            id="B-BN16",
            form="depth",
            statement="The deeper the network, the more they learn.",
            source="Frankle et al. 2021",
            estimate=PairedDifference(measure=accuracy, runs=alone.best(at=DEEP), baseline=alone.best(at=SHALLOW)),
            rule=Above(0.02),
            unit="share of test images, eight layers minus one",
            because="two points are more than the sampling error of a thousand images, and seven more layers bring 672 more parameters",
        ),
        Claim(
            id="B-BN16",
            form="against the readout",
            statement="They learn more than as many parameters elsewhere do: than the readout alone.",
            source="Frankle et al. 2021, of parameters chosen at random; the readout is ours",
            estimate=PairedDifference(
                measure=accuracy, runs=alone.best(at={DEPTH: Ranked(1)}), baseline=readout.best(at={DEPTH: Ranked(1)})
            ),
            rule=Above(0.0),
            unit="share of test images, four layers: 384 numbers against 490",
            because="more is an accuracy above that of the readout, each at its own best rate",
        ),
        Claim(
            id="B-BN16",
            form="all",
            statement="They reach most of what training everything reaches.",
            source="Frankle et al. 2021: 82 % on CIFAR-10",
            estimate=PairedRatio(measure=accuracy, runs=alone.best(at=DEEP), baseline=everything.best(at=DEEP)),
            rule=Above(0.8),
            unit="ratio of accuracies, eight layers",
            because="most is four fifths; 82 % of CIFAR-10 are nine tenths of what such networks reach",
        ),
    ),
    figures=(
        Figure(
            name="gain_and_shift",
            caption="Final test accuracy by what is trained, at the own best rate of each arm and depth.",
            panels=(
                sweep_curve(
                    "By depth", accuracy, best_runs(*ARMS), over=DEPTH, x_label="hidden layers", y_limits=(0.0, 1.0)
                ),
                sweep_curve(
                    "Over the rate, four layers",
                    accuracy,
                    all_runs(*ARMS, at={DEPTH: Ranked(1)}),
                    over=RATE,
                    log_x=True,
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"num_steps": 20}, sweep={RATE: (0.15, 0.5), DEPTH: (1, 2, 4)}),
        "full": Changes(num_seeds=20),
        "paper": Changes(
            num_seeds=8,
            training={"task": Digits(source="mnist"), "num_steps": 20_000, "model.width": 256},
            sweep={DEPTH: (1, 4, 16)},
        ),
    },
)
