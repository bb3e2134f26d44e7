"""Between 2 and 4 over the initial sharpness: does the loss grow first and training then end in a flatter place?

Scale full and above. The claims were written before the first run.
"""

from dataclasses import replace

from seven_terms.spec import *

RATE = "optimizer.learning_rate"
TRAINING = Training(
    task=Digits(resolution=7, num_train=200, loss="half_squared_error"),
    model=Mlp(depth=1, width=256, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    num_steps=300,
    batch_size=None,
)
START = At("sharpness", step=0)
RATE_TIMES_SHARPNESS = Combine("product", START, Setting(RATE))
LOSS_AT_FIRST = At("train_loss", step=0)

descent = Arm("descent", TRAINING, label="gradient descent")
catapulted = replace(descent.at(), given=Reached(RATE_TIMES_SHARPNESS, above=2.2, below=3.8))
beyond = replace(descent.at(), given=Reached(RATE_TIMES_SHARPNESS, above=16.0))

experiment = Experiment.here(
    __name__,
    title="The catapult",
    question="What happens at rates between two and four over the sharpness that training starts with?",
    method="A ReLU network of one hidden layer of 256 units learns 200 digits by full-batch gradient descent on the squared error, "
    "300 steps at twelve rates half an octave apart. The sharpness is that of the training loss, before training and at its end. "
    "Runs are sorted by rate times initial sharpness: on a quadratic all above 2 diverge.",
    arms=(descent,),
    sweep={RATE: tuple(2.0 ** (power / 2) for power in range(-8, 4))},
    num_seeds=24,
    probes=(
        Evaluate(steps=Steps(at=tuple(range(40)), count=20), splits=("train",)),
        Sharpness(steps=Steps(count=2), num_iterations=20),
    ),
    selection=Selection(metric="train_loss"),
    noise_floor=descent.at({RATE: 2.0**-4}),
    claims=(
        claim(
            "B-LR9 (loss grows)",
            "At rates between 2 and 4 over the initial sharpness the loss grows at first.",
            Proportion(
                Reached(Combine("ratio", Over("train_loss", "max"), LOSS_AT_FIRST), above=1.0), catapulted
            ).above(0.5),
            source="Lewkowycz et al. 2020",
            unit="share, of the runs with rate x sharpness in 2.2 to 3.8, whose loss exceeds that of the start",
            because="most of these runs; a tenth from the limits, where growth or fall is too slow to be seen",
        ),
        claim(
            "B-LR9 (training goes on)",
            "These runs do not diverge: their loss ends below half of what it was at the start.",
            Proportion(Reached(Combine("ratio", Last("train_loss"), LOSS_AT_FIRST), below=0.5), catapulted).above(0.5),
            source="Lewkowycz et al. 2020",
            unit="share, of the runs with rate x sharpness in 2.2 to 3.8, that end below half of the loss of the start",
            because="on a quadratic each of them would have diverged",
        ),
        claim(
            "B-LR9 (flatter)",
            "These runs end where the loss is flatter than at the start.",
            Mean(Combine("ratio", Last("sharpness"), START), catapulted, log=True).below(1.0),
            source="Lewkowycz et al. 2020",
            unit="sharpness at the end over that at the start",
            because="below one is flatter; at small rates sharpness grows",
        ),
        claim(
            "B-LR9 (too far)",
            "At rates above 16 over the initial sharpness training diverges.",
            Proportion(Diverged(), beyond).above(0.5),
            source="Lewkowycz et al. 2020",
            unit="share, of the runs with rate x sharpness above 16, that diverge",
            because="the second threshold lies near 12 for ReLU networks, a quarter below this",
        ),
    ),
    figures=figure(
        "catapult",
        "Final training loss and sharpness of full-batch gradient descent over the rate.",
        sweep_curve("Loss", Last("train_loss"), all_runs(descent), over=RATE).axes(log="xy"),
        sweep_curve("Sharpness", Last("sharpness"), all_runs(descent), over=RATE).axes(log="xy"),
    ),
    smoke=Changes(skip=True),
    laptop=Changes(skip=True),
    paper=Changes({"task.source": "mnist", "task.num_train": 2000, "model.width": 1024}),
)
