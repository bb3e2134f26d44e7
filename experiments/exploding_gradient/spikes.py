"""Do gradients explode as rare spikes while a recurrent network learns a long lag, and does its spectral radius tell?"""

from dataclasses import replace

from seven_terms.spec import *

TRAINING = Training(
    task=TemporalOrder(length=30),
    model=Recurrent(cell="tanh", width=50),
    initialization=Initialization(kind="smart_tanh"),
    optimizer=Sgd(learning_rate=0.01),
    num_steps=1000,
    batch_size=20,
)
RATES = {"slow": 0.01, "fast": 0.04}
LARGEST = Over("gradient_norm_max", "max")
SPIKE = Combine("ratio", LARGEST, Over("gradient_norm", "median"))
PLATEAU = 1.386  # nats, ln 4: the loss of guessing among four classes
BEGUN = Reached(Over("batch_loss", "min"), below=PLATEAU / 2)  # a mean over five updates
RADIUS = Over("spectral_radius", "max")

ARMS = by_name(
    Arm(name, TRAINING.but({"optimizer.learning_rate": rate}), label=f"rate {rate:g}") for name, rate in RATES.items()
)
slow, fast = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Spikes of the gradient in training",
    question="How far do a recurrent network's gradients stand out from their median while it learns a long lag?",
    method="The network of the temporal-order experiment, 50 tanh units of spectral radius 0.95, reads sequences of 30 symbols "
    "and is trained without clipping, ten seeds, 1,000 updates at the rate of the original paper, 0.01, and at four "
    "times that. The largest gradient norm of a run is set against the run's median (of means over five updates), and "
    "against the largest spectral radius that its recurrent matrix reached.",
    arms=ARMS,
    num_seeds=10,
    probes=(Stream(window=5), Recurrence(steps=Steps(count=20))),
    selection=Selection(metric="batch_loss"),
    noise_floor=slow,
    claims=claim(
        "B-EG2",
        "Explosions are spikes, orders of magnitude above the median gradient.",
        Mean(SPIKE, replace(slow.at(), given=BEGUN), log=True).above(100.0),
        source="Pascanu et al. 2013 and their training log",
        unit="largest gradient norm of a run over its median, of the runs that began to learn",
        because="a run on its plateau has no spikes to show; orders, in the plural, are at least two; the largest window of the published log is some hundred times the next",
    ),
    figures=figure(
        "spikes",
        "Training without clipping at rate 0.01. Left: the gradient norm, largest of five updates, each seed a line. "
        "Right: the largest gradient of each run against the largest spectral radius it reached.",
        curve("Gradient norm in training", "gradient_norm_max", {"no clipping": slow.at()}, band="seeds").axes(
            "update", "gradient norm", log="y"
        ),
        cloud(
            "Link with the recurrent matrix",
            RADIUS,
            LARGEST,
            {f"rate {rate:g}": ARMS[name].at() for name, rate in RATES.items()},
        ).axes("largest spectral radius", "largest gradient norm", log="y"),
        key=1,
    ),
    smoke=Changes({"num_steps": 20, "task.length": 10}, num_seeds=2),
    laptop=Changes(num_seeds=5),
    full=Changes({"num_steps": 3000}, num_seeds=100),
    paper=Changes({"num_steps": 20_000, "task.length": 100}, num_seeds=20),
)
