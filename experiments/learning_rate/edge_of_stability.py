"""Does a network diverge when the rate exceeds 2 / sharpness? Full-batch gradient descent, as in Cohen et al. 2021.

Rates and lengths were found in pilot runs with other seeds, so that the sharpness has time to rise to the line.
"""

from seven_terms.spec import *

DESCENT = Training(
    task=Digits(resolution=14, num_train=200, loss="half_squared_error"),
    model=Mlp(depth=2, width=32, activation="tanh"),
    optimizer=Sgd(),
    num_steps=1800,
    batch_size=None,
)
RATES = (0.1, 0.15, 0.25)
MOMENTUM_RATES = (0.15, 0.25)
SLOW_RATE = 0.03

edge_arm = Arm("edge", DESCENT, label="gradient descent", sweep={"optimizer.learning_rate": RATES})
heavy_ball_arm = Arm(
    "heavy_ball",
    DESCENT.but(optimizer=Sgd(momentum=0.9)),
    label="heavy ball, momentum 0.9",
    sweep={"optimizer.learning_rate": MOMENTUM_RATES},
)
slow = Arm("slow", DESCENT.but(optimizer=Sgd(learning_rate=SLOW_RATE)), label="gradient descent, slow", num_seeds=2)

edge, heavy_ball = edge_arm.at(), heavy_ball_arm.at()
limit = Setting("curvature_limit")  # 2 / rate, or 2 (1 + momentum) / rate
exceeds = Reached(Combine("ratio", Over("sharpness", "max"), limit), above=1.0)
hovering = Combine("ratio", Over("sharpness", "median", start=0.6), limit)
still_falls = Combine("ratio", Last("train_loss"), At("train_loss", fraction=0.6))

experiment = Experiment.here(
    __name__,
    title="The edge of stability",
    question="Does a network diverge as soon as the rate exceeds 2 / sharpness?",
    method="Two hidden layers of 32 tanh units learn 200 digits by full-batch gradient descent on the squared error. Every 30 "
    "steps the sharpness, the largest eigenvalue of the Hessian of the training loss, is computed by Lanczos iteration "
    "on Hessian-vector products. On a quadratic a step diverges where the sharpness exceeds 2 / rate, with heavy ball "
    "2 (1 + momentum) / rate. A slow rate shows how the sharpness grows when nothing holds it.",
    arms=(edge_arm, heavy_ball_arm, slow),
    num_seeds=12,
    probes=(Sharpness(steps=Steps(count=60), num_iterations=12), Evaluate(steps=Steps(count=60), splits=("train",))),
    selection=Selection(metric="train_loss"),
    noise_floor=edge_arm.at({"optimizer.learning_rate": RATES[-1]}),
    claims=(
        claim(
            "B-LR2 (as said)",
            "A network diverges as soon as the rate exceeds 2 / sharpness.",
            Proportion(Diverged(), edge).above(0.5),
            source="folklore from quadratics",
            unit="share of runs that diverge",
            because="all these runs exceed 2 / sharpness (next claim), so most of them would have to diverge",
        ),
        claim(
            "B-LR2 (exceeded)",
            "Gradient descent drives the sharpness above 2 / rate.",
            Proportion(exceeds, edge).above(0.5),
            source="Cohen et al. 2021, section 3",
            unit="share of runs whose sharpness exceeds 2 / rate and that do not diverge",
            because="without it the claim about divergence would be about nothing",
        ),
        claim(
            "B-LR2 (fair)",
            "The sharpness rises to 2 / rate and hovers at or just above it.",
            Mean(hovering, edge).within(1.0, 1.1),
            source="Cohen et al. 2021, section 3",
            unit="median sharpness x rate / 2 over the last 40 %",
            because="at or just above the line: the literature's figures show up to a tenth more",
        ),
        claim(
            "B-LR2 (heavy ball)",
            "With heavy-ball momentum b the line is 2 (1 + b) / rate.",
            Median(hovering, heavy_ball).within(0.9, 1.1),
            source="Cohen et al. 2021, section 3",
            unit="median sharpness x rate / (2 + 2 b) over the last 40 %",
            because="within a tenth of the line; without the factor 1 + b it would be off by 1.9",
        ),
        claim(
            "B-LR2 (training goes on)",
            "At the edge the loss goes on falling over long times.",
            Mean(still_falls, edge, log=True).below(0.9),
            source="Cohen et al. 2021, section 3",
            unit="final loss over that at 60 % of the run",
            because="a loss that falls by a tenth and more while the sharpness stays at the line is training, not divergence",
        ),
    ),
    figures=(
        figure(
            "sharpness",
            "Sharpness and loss over full-batch training, one line a seed. On a quadratic a sharpness above 2 / rate "
            "(dashed) would mean divergence.",
            curve(
                "Edge of stability",
                "sharpness",
                {f"rate {rate}": edge_arm.at({"optimizer.learning_rate": rate}) for rate in (0.1, 0.25)}
                | {f"rate {SLOW_RATE}": slow.at()},
                band="seeds",
                references=(Reference(label="2 / 0.1", y=20.0), Reference(label="2 / 0.25", y=8.0)),
            ),
            curve(
                "Training loss",
                "train_loss",
                {f"rate {rate}": edge_arm.at({"optimizer.learning_rate": rate}) for rate in (0.1, 0.25)}
                | {f"rate {SLOW_RATE}": slow.at()},
                band="seeds",
            ).axes(y="loss (half squared error)", log="y"),
            scales=("smoke", "laptop", "full"),
            summary=0,
        ),
        figure(
            "heavy_ball",
            "With heavy-ball momentum 0.9 the lines are 3.8 / rate. A line that breaks off is a run that diverged.",
            curve(
                "Heavy ball",
                "sharpness",
                {f"rate {rate}": heavy_ball_arm.at({"optimizer.learning_rate": rate}) for rate in MOMENTUM_RATES},
                band="seeds",
                references=(Reference(label="3.8 / 0.15", y=3.8 / 0.15), Reference(label="3.8 / 0.25", y=3.8 / 0.25)),
            ).axes(y_limits=(0.0, 40.0)),
            scales=("smoke", "laptop", "full"),
        ),
    ),
    smoke=Changes({"num_steps": 20}, num_seeds=2),
    laptop=Changes(num_seeds=8),
    full=Changes(num_seeds=24),
    paper=Changes(
        {
            "task": Cifar10(num_train=5000, loss="half_squared_error", image=False, standardize="feature"),
            "model.width": 200,
            "num_steps": 20_000,
            "optimizer.learning_rate": (2 / 200, 2 / 150, 2 / 100),
        },
        arms={"slow": {"optimizer.learning_rate": 0.001}},
        probes=(
            Sharpness(steps=Steps(count=100), num_iterations=30),
            Evaluate(steps=Steps(count=100), splits=("train",), num_examples=5000),
        ),
    ),
)
