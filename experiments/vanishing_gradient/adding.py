"""The adding problem: which recurrent network carries a number across twenty steps?"""

from seven_terms.spec import *

# name: (label, model, initialization)
NETWORKS: dict[str, tuple[str, Recurrent, Initialization]] = {
    "tanh": ("tanh, default", Recurrent(cell="tanh", width=24), Initialization(kind="default")),
    "tanh_orthogonal": ("tanh, orthogonal", Recurrent(cell="tanh", width=24), Initialization(kind="orthogonal")),
    "lstm_default": ("LSTM, default", Recurrent(cell="lstm", width=24), Initialization(kind="default")),
    "lstm": ("LSTM, forget bias 1", Recurrent(cell="lstm", width=24), Initialization(kind="default", forget_bias=1.0)),
    "lstm_open": (
        "LSTM, forget bias 5",
        Recurrent(cell="lstm", width=24),
        Initialization(kind="default", forget_bias=5.0),
    ),
    "gru": ("GRU, default", Recurrent(cell="gru", width=24), Initialization(kind="default")),
}
LENGTH = 20


def network(name: str) -> Arm:
    label, model, initialization = NETWORKS[name]
    training = Training(
        task=Adding(length=LENGTH),
        model=model,
        initialization=initialization,
        optimizer=Adam(),
        clipping=Clipping(norm=1.0),
        num_steps=450,
        batch_size=20,
    )
    return Arm(name, training, label=label)


ARMS = by_name(network(name) for name in NETWORKS)
tanh, tanh_orthogonal, lstm_default, lstm, lstm_open, gru = ARMS.values()
BEST = {label: ARMS[name].best() for name, (label, *_) in NETWORKS.items()}
LEARNT = StepsTo("test_loss", below=0.05)

experiment = Experiment.here(
    __name__,
    title="The adding problem",
    question="Which recurrent networks learn to add two numbers that lie many steps apart?",
    method="A recurrent network of 24 units reads 20 numbers, two of them marked, and must give their sum; always answering 1 "
    "has a squared error of 1/6. Adam with gradients clipped at norm 1 makes 450 updates on batches of 20 fresh "
    "sequences, at each network's own best rate. A run has learnt the task when its error on 250 fixed sequences is "
    "below 0.05.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03, 0.1)},
    num_seeds=4,
    probes=Evaluate(steps=Steps(count=15), splits=("validation", "test"), num_examples=250),
    selection=Selection(metric="validation_loss"),
    noise_floor=tanh.at({"optimizer.learning_rate": 0.01}),
    claims=(
        claim(
            "B-VG5 (training, open gates)",
            "An LSTM learns a lag sooner when its forget gates start open, at a bias of 5.",
            PairedRatio(LEARNT, lstm_default.best(), lstm_open.best()).above(1.0),
            source="Gers et al. 2000; Jozefowicz et al. 2015",
            unit="times fewer updates to a squared error of 0.05",
            because="nothing differs but the bias, each has its own best rate; a ratio above 1 is a speed-up",
        ),
        claim(
            "B-VG5 (training, by its gradient)",
            "The network that keeps more of its gradient learns a lag sooner: orthogonal tanh before a default GRU.",
            PairedRatio(LEARNT, gru.best(), tanh_orthogonal.best()).above(1.0),
            source="folklore",
            unit="updates to a squared error of 0.05, default GRU over orthogonal tanh",
            because="before training the gradient keeps 0.95 a step in the one and 0.65 in the other; more updates for the "
            "one that keeps less would be the order that gradients before training foretell",
        ),
    ),
    figures=figure(
        "adding",
        "The adding problem, each network at its own best rate: squared error, and time until it is below 0.05.",
        curve(f"{LENGTH} steps", "test_loss", BEST, references=(Reference(label="always answering 1", y=1 / 6),)).axes(
            "update", "squared error", log="y"
        ),
        survival("Time to a squared error of 0.05", StepsTo("test_loss", below=0.05), BEST).axes("update"),
    ),
    smoke=Changes(
        {"num_steps": 4, "task.length": 10, "model.width": 8, "optimizer.learning_rate": (0.01,)}, num_seeds=2
    ),
    laptop=Changes(num_seeds=3),
    full=Changes(num_seeds=112, seeds={"lstm_default": 640, "lstm_open": 640}),
    paper=Changes(
        {
            "num_steps": 20_000,
            "task.length": 100,
            "model.width": 100,
            "batch_size": 50,
            "optimizer.learning_rate": (0.0003, 0.001, 0.003, 0.01, 0.03),
        },
        num_seeds=20,
    ),
)
