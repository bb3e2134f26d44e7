"""Do a convolutional network and a transformer train at the edge of stability, too? Full-batch gradient descent.

Scale full and above. The claims were written before the first run; rates, length and the warm-up, without which the transformer
diverges, come from pilots with one other seed.
"""

from seven_terms.spec import *

RATE = "optimizer.learning_rate"
NETWORKS: dict[str, tuple[str, Model, tuple[float, float]]] = {  # name: label, model, rates
    "cnn": ("convolutional network", Cnn(channels=(8, 16), strides=(2, 2), activation="tanh"), (0.25, 0.4)),
    "transformer": ("transformer", Transformer(depth=1, width=16, heads=2), (0.014, 0.017)),
}


def network(name: str) -> Arm:
    label, model, rates = NETWORKS[name]
    training = Training(
        task=Digits(resolution=7, image=True, num_train=100, loss="half_squared_error"),
        model=model,
        initialization=Initialization(kind="lecun"),
        optimizer=Sgd(),
        schedule=Warmup(fraction=0.1, then=Constant()),
        num_steps=1500,
        batch_size=None,
    )
    return Arm(name, training, label=label, sweep={RATE: rates})


ARMS = by_name(network(name) for name in NETWORKS)
HOVERING = Combine("ratio", Over("sharpness", "median", start=0.6), Setting("curvature_limit"))
STILL_FALLS = Combine("ratio", Last("train_loss"), At("train_loss", fraction=0.6))


def hovers(name: str) -> tuple[Claim, Claim]:
    label = NETWORKS[name][0]
    return (
        claim(
            f"B-LR10 ({name})",
            f"In a {label}, too, the sharpness rises to 2 / rate and hovers near it.",
            Mean(HOVERING, ARMS[name].at({RATE: Ranked(-1)})).within(0.95, 1.15),
            source="Cohen et al. 2021, section 3",
            unit="median sharpness x rate / 2 over the last 40 %",
            because="near: from 5 % below the line to 15 % above it, more room than for the network of tanh layers",
        ),
        claim(
            f"B-LR10 ({name}, training goes on)",
            f"At the edge the loss of a {label} goes on falling.",
            Mean(STILL_FALLS, ARMS[name].at({RATE: Ranked(-1)}), log=True).below(0.9),
            source="Cohen et al. 2021, section 3",
            unit="final loss over that at 60 % of the run",
            because="a loss that falls by a tenth and more is training, not divergence",
        ),
    )


experiment = Experiment.here(
    __name__,
    title="The edge of stability of other networks",
    question="Do a convolutional network and a transformer train at the edge of stability?",
    method="A convolutional network of two layers and a transformer of one block learn 100 digits of 7 x 7 pixels by full-batch "
    "gradient descent on the squared error, 1,500 steps at two rates, to which the rate rises over the first tenth. The sharpness is the largest eigenvalue of the Hessian of the "
    "training loss, by Lanczos iteration on Hessian-vector products.",
    arms=ARMS,
    num_seeds=6,
    probes=(Sharpness(steps=Steps(count=30), num_iterations=12), Evaluate(steps=Steps(count=30), splits=("train",))),
    selection=Selection(metric="train_loss"),
    noise_floor=ARMS["cnn"].at({RATE: 0.4}),
    claims=tuple(claim for name in NETWORKS for claim in hovers(name)),
    figures=figure(
        "sharpness",
        "Sharpness times rate over training, one line a seed; a quadratic diverges above 2.",
        *(
            curve(
                NETWORKS[name][0].capitalize(),
                "sharpness",
                {f"rate {rate:g}": ARMS[name].at({RATE: rate}) for rate in NETWORKS[name][2]},
                band="seeds",
                references=tuple(Reference(label=f"2 / {rate:g}", y=2 / rate) for rate in NETWORKS[name][2]),
            ).axes(log="y")
            for name in NETWORKS
        ),
    ),
    smoke=Changes(skip=True),
    laptop=Changes(skip=True),
    full=Changes(num_seeds=16, seeds={"transformer": 48}),
    paper=Changes({"task.source": "mnist", "task.resolution": 28, "task.num_train": 1000}),
)
