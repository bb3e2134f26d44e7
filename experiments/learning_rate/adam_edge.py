"""Has Adam an edge of stability? Full-batch Adam trains where its preconditioned sharpness is (2 + 2 b) / ((1 - b) rate).

With the preconditioner held fixed, Adam's update is an average of gradients with weight b; on a quadratic it is stable up to that
curvature, which is 38 / rate at b = 0.9, 6 / rate at 0.5 and 2 / rate at 0 (algebra, held by a test).
"""

from seven_terms.spec import *

RATE, BETA = "optimizer.learning_rate", "optimizer.beta1"
BETAS = (0.0, 0.5, 0.9)
ADAM = Training(
    task=Digits(resolution=14, num_train=200, loss="half_squared_error"),
    model=Mlp(depth=2, width=32, activation="tanh"),
    optimizer=Adam(beta2=0.99, eps=1e-7),
    num_steps=1500,
    batch_size=None,
)

adam = Arm("adam", ADAM, label="Adam")
at_edge = Combine("ratio", Over("preconditioned_sharpness", "median", start=0.6), Setting("curvature_limit"))
still_falls = Combine("ratio", Last("train_loss"), At("train_loss", fraction=0.6))


def hovers(beta1: float, number: int) -> Claim:
    return claim(
        f"B-LR6 (b = {beta1:g})",
        f"Full-batch Adam with b = {beta1:g} trains at a preconditioned sharpness of {number} / rate.",
        Mean(at_edge, adam.at({BETA: beta1, RATE: Ranked(-1)})).within(0.9, 1.1),
        source="Cohen et al. 2022",
        unit=f"median preconditioned sharpness x rate / {number} over the last 40 %",
        because="within a tenth of the line, as for heavy ball; the three lines lie factors of 3 and 6 apart",
        scales=("laptop", "full", "paper"),
    )


experiment = Experiment.here(
    __name__,
    title="The edge of stability of Adam",
    question="Does full-batch Adam train at the edge of stability of its preconditioned curvature?",
    method="Two hidden layers of 32 tanh units learn 200 digits by full-batch Adam on the squared error. The preconditioned sharpness "
    "is the largest eigenvalue of the Hessian divided by the root of Adam's corrected second moment, by Lanczos iteration.",
    arms=(adam,),
    sweep={RATE: (1e-3, 3e-3), BETA: BETAS},
    num_seeds=4,
    probes=(
        PreconditionedSharpness(steps=Steps(count=25), num_iterations=10),
        Evaluate(steps=Steps(count=50), splits=("train",)),
    ),
    selection=Selection(metric="train_loss"),
    noise_floor=adam.at({RATE: 1e-3, BETA: 0.9}),
    claims=(
        *(hovers(beta1, number) for beta1, number in zip(BETAS, (2, 6, 38), strict=True)),
        claim(
            "B-LR6 (training goes on)",
            "At Adam's edge the loss goes on falling over long times.",
            Mean(still_falls, adam.at({BETA: 0.9, RATE: Ranked(-1)}), log=True).below(0.9),
            source="Cohen et al. 2022",
            unit="final loss over that at 60 % of the run",
            because="a loss that falls by a tenth and more is training, not divergence",
            scales=("laptop", "full", "paper"),
        ),
    ),
    figures=figure(
        "adam_edge",
        "Preconditioned sharpness of full-batch Adam over training, by rate, one line a seed; dashed the stability limit.",
        *(
            curve(
                f"b = {beta1:g}",
                "preconditioned_sharpness",
                {f"rate {rate:g}": adam.at({BETA: beta1, RATE: rate}) for rate in (1e-3, 3e-3)},
                band="seeds",
                references=tuple(Reference(label=f"{number} / {rate:g}", y=number / rate) for rate in (1e-3, 3e-3)),
            ).axes(log="y")
            for beta1, number in zip(BETAS, (2, 6, 38), strict=True)
        ),
        scales=("laptop", "full"),
    ),
    smoke=Changes({"num_steps": 20, RATE: (1e-3,), BETA: (0.9,)}, num_seeds=2),
    laptop=Changes(num_seeds=3),
    full=Changes(num_seeds=64),
    paper=Changes(
        {
            "task": Cifar10(num_train=5000, loss="half_squared_error", image=False, standardize="feature"),
            "model.width": 200,
            "num_steps": 10_000,
            RATE: (1e-4, 3e-4, 1e-3),
        }
    ),
)
