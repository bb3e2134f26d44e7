"""Does clipping lower the loss of a recurrent network on real music, at each form's own best rate? Table 1 of 2013."""

from seven_terms.spec import *

UNCLIPPED = Training(
    task=PolyphonicMusic(name="nottingham", chunk=200),
    model=Recurrent(cell="sigmoid", width=300, read_all=True),
    initialization=Initialization(kind="sigmoid"),
    optimizer=Sgd(learning_rate=1.0),
    num_steps=20_000,
    batch_size=1,
)
none = Arm("none", UNCLIPPED, label="no clipping")
norm = Arm("norm", UNCLIPPED.but(clipping=Clipping(norm=8.0)), label="clip by norm")
TITLES = {"nottingham": "Nottingham", "piano_midi": "Piano-midi", "muse_data": "MuseData"}


def clipping_helps(name: str, *, form: str, published: str) -> Claim:
    return claim(
        f"B-GC6 ({form})",
        f"On {TITLES[name]} clipping lowers the test loss, at each form's own best rate.",
        PairedDifference(Last("test_loss"), norm.best(at={"task.name": name}), none.best(at={"task.name": name})).below(
            0.0
        ),
        source="Pascanu et al. 2013, table 1",
        unit="nats per frame, clipped minus not",
        because=f"a negative paired difference on test data; the published one is {published}",
        scales=("paper",),
    )


def losses(split: str) -> Figure:
    return figure(
        f"{split}_loss",
        f"{split.capitalize()} loss with and without clipping, each at its own best rate.",
        *(
            curve(title, f"{split}_loss", best_runs(none, norm, at={"task.name": name})).axes(
                "update", "nats per frame"
            )
            for name, title in TITLES.items()
        ),
    )


experiment = Experiment.here(
    __name__,
    title="Polyphonic music with and without clipping",
    question="Does clipping lower training and test loss of a recurrent network on real sequences?",
    method="A recurrent network of 300 sigmoid units predicts the next frame of folk tunes (Nottingham), of piano pieces "
    "(Piano-midi) and of orchestral and piano music (MuseData), in chunks of 200 frames, with plain SGD at a constant rate; "
    "the original halves the rate when an epoch's error rises, and has 400 units for MuseData. Without clipping and with the "
    "norm clipped at 8, each at the best of the same rates on validation data.",
    arms=(none, norm),
    sweep={"task.name": tuple(TITLES), "optimizer.learning_rate": (0.01, 0.03, 0.1, 0.3, 1.0)},
    num_seeds=5,
    probes=(Stream(window=200), Evaluate(steps=Steps(count=20), num_examples=200)),
    selection=Selection(metric="validation_loss", at="best"),
    noise_floor=norm.at({"task.name": "nottingham", "optimizer.learning_rate": 0.1}),
    claims=(
        clipping_helps("nottingham", form="music", published="-0.32"),
        clipping_helps("piano_midi", form="Piano-midi", published="-0.03"),
        clipping_helps("muse_data", form="MuseData", published="-0.11"),
    ),
    figures=(losses("test"), losses("train")),
    smoke=Changes(skip=True),
    laptop=Changes(skip=True),
    full=Changes(skip=True),
)
