"""Does clipping lower the loss of a recurrent network on real music, at each form's own best rate? Table 1 of 2013."""

import dataclasses

from seven_terms.spec import (
    Arm,
    Below,
    Changes,
    Claim,
    Clipping,
    Curve,
    Evaluate,
    Experiment,
    Figure,
    Initialization,
    Last,
    PairedDifference,
    Panel,
    PolyphonicMusic,
    Recurrent,
    Selected,
    Selection,
    Sgd,
    Steps,
    Stream,
    Training,
)

UNCLIPPED = Training(
    task=PolyphonicMusic(name="nottingham", chunk=200),
    model=Recurrent(cell="sigmoid", width=300, read_all=True),
    initialization=Initialization(kind="sigmoid"),
    optimizer=Sgd(learning_rate=1.0),
    num_steps=20_000,
    batch_size=1,
)
CLIPPED = dataclasses.replace(UNCLIPPED, clipping=Clipping(norm=8.0))
RATE = ("learning_rate",)
NONE, NORM = Selected("none", best=RATE), Selected("norm", best=RATE)

experiment = Experiment(
    name="polyphonic_music",
    term="gradient_clipping",
    title="Polyphonic music with and without clipping",
    question="Does clipping lower training and test loss of a recurrent network on real sequences?",
    method=(
        "A recurrent network of 300 sigmoid units predicts the next frame of the Nottingham collection of folk tunes, in "
        "chunks of 200 frames, with plain SGD at a constant rate; the original halves the rate when an epoch's error rises. "
        "Without clipping and with the norm clipped at 8, each at the best of the same rates on validation data."
    ),
    arms=(
        Arm(name="none", label="no clipping", training=UNCLIPPED),
        Arm(name="norm", label="clip by norm", training=CLIPPED),
    ),
    sweep={"optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0)},
    num_seeds=5,
    probes=(Stream(window=200), Evaluate(steps=Steps(count=20), num_examples=200)),
    selection=Selection(metric="validation_loss", at="best"),
    noise_floor_arm="none",
    claims=(
        Claim(
            id="B-GC6",
            form="music",
            statement="On real music clipping lowers the test loss, at each form's own best rate.",
            source="Pascanu et al. 2013, table 1",
            estimate=PairedDifference(measure=Last("test_loss"), runs=NORM, baseline=NONE),
            rule=Below(0.0),
            unit="nats per frame, clipped minus not",
            because="a negative paired difference on test data; the published one is -0.32",
            scales=("paper",),
        ),
    ),
    figures=(
        Figure(
            name="polyphonic_music",
            caption="Training and test loss on Nottingham with and without clipping, each at its own best rate.",
            panels=tuple(
                Panel(
                    title=title,
                    content=Curve(metric=metric, runs={"no clipping": NONE, "clip by norm": NORM}),
                    x_label="update",
                    y_label="nats per frame",
                )
                for title, metric in (("Training", "train_loss"), ("Test", "test_loss"))
            ),
        ),
    ),
    scales={"smoke": Changes(skip=True), "laptop": Changes(skip=True)},
)
