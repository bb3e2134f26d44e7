"""What sits at 2 / rate when batches are small? Not the largest curvature of the loss: Andreyev and Beneventano 2024.

Network, data and rates are those of `edge_of_stability`. The claims were written before the first run.
"""

from seven_terms.spec import *

RATE, BATCH = "optimizer.learning_rate", "batch_size"
WHOLE, LATE = 200, 0.6  # images; the fraction of training from which on is averaged
TRAINING = Training(
    task=Digits(resolution=14, num_train=WHOLE, loss="half_squared_error"),
    model=Mlp(depth=2, width=32, activation="tanh"),
    optimizer=Sgd(),
    num_steps=1800,
    batch_size=WHOLE,
)

descent = Arm("descent", TRAINING, label="SGD")
limit = Setting("curvature_limit")  # 2 / rate
of_batches = Combine("ratio", Over("batch_sharpness", "mean", start=LATE), limit)
of_all = Combine("ratio", Over("sharpness", "mean", start=LATE), limit)
SMALLEST, MIDDLE, ALL = ({BATCH: Ranked(rank)} for rank in range(3))

experiment = Experiment.here(
    __name__,
    title="The edge of stability of batches",
    question="What does mini-batch SGD hold at 2 / rate?",
    method="Two hidden layers of 32 tanh units learn 200 digits by SGD on the squared error, in batches of 8, of 32, or of all. At 30 "
    "looks over 1,800 steps the sharpness, the largest eigenvalue of the Hessian of the whole training loss, is computed by Lanczos "
    "iteration, and the batch sharpness, the curvature of a batch's loss along its own gradient, as a mean over the next 16 batches. "
    "Both are averaged over the last 40 % and divided by 2 / rate.",
    arms=(descent,),
    sweep={RATE: (0.15, 0.25), BATCH: (8, 32, WHOLE)},
    num_seeds=8,
    probes=(
        Sharpness(steps=Steps(count=30), num_iterations=12),
        BatchSharpness(steps=Steps(count=30)),
        Evaluate(steps=Steps(count=30), splits=("train",)),
    ),
    selection=Selection(metric="train_loss"),
    noise_floor=descent.at({RATE: 0.25, BATCH: 32}),
    claims=(
        claim(
            "B-LR11 (as said)",
            "Mini-batch SGD, too, trains with its sharpness at 2 / rate.",
            Mean(measure=of_all, runs=descent.at(SMALLEST)).within(0.9, 1.1),
            source="folklore from full batches",
            unit="sharpness x rate / 2 in batches of 8, last 40 %",
            because="within a tenth of the line, as for full batches",
        ),
        claim(
            "B-LR11 (fair)",
            "What sits at 2 / rate is the batch sharpness.",
            Mean(measure=of_batches, runs=descent.at(SMALLEST)).within(0.9, 1.1),
            source="Andreyev and Beneventano 2024",
            unit="batch sharpness x rate / 2 in batches of 8, last 40 %",
            because="within a tenth of the line, as for full batches",
        ),
        claim(
            "B-LR11 (fair, middle)",
            "In batches of a medium size, too, what sits at 2 / rate is the batch sharpness.",
            Mean(measure=of_batches, runs=descent.at(MIDDLE)).within(0.9, 1.1),
            source="Andreyev and Beneventano 2024",
            unit="batch sharpness x rate / 2 in batches of 32, last 40 %",
            because="the same line for another size",
        ),
        claim(
            "B-LR11 (flatter)",
            "The sharpness itself lies below, and the smaller the batch the lower it lies.",
            PairedRatio(measure=of_all, runs=descent.at(SMALLEST), baseline=descent.at(ALL)).below(0.9),
            source="Andreyev and Beneventano 2024",
            unit="sharpness in batches of 8 over that of the whole set, at the same rate",
            because="a tenth below is more than the hovering of full batches, which ends up to a tenth above the line",
        ),
    ),
    figures=(
        figure(
            "batch_sharpness",
            "Sharpness and batch sharpness, times rate / 2, over the batch size. The line is the edge of stability.",
            sweep_curve(
                "Whole training loss",
                of_all,
                {f"rate {rate}": descent.at({RATE: rate}) for rate in (0.15, 0.25)},
                over=BATCH,
                references=(Reference(label="2 / rate", y=1.0),),
            ).axes(y="sharpness x rate / 2", log="x"),
            sweep_curve(
                "Along a batch's own gradient",
                of_batches,
                {f"rate {rate}": descent.at({RATE: rate}) for rate in (0.15, 0.25)},
                over=BATCH,
                references=(Reference(label="2 / rate", y=1.0),),
            ).axes(y="batch sharpness x rate / 2", log="x"),
            scales=("smoke", "laptop", "full"),
        ),
        figure(
            "over_training",
            "Sharpness and batch sharpness over training at the rate 0.25; on a quadratic 8 is the edge.",
            *(
                curve(
                    title,
                    metric,
                    {f"batch {size}": descent.at({RATE: 0.25, BATCH: size}) for size in (8, 32, WHOLE)},
                    references=(Reference(label="2 / 0.25", y=8.0),),
                )
                for title, metric in (("Whole training loss", "sharpness"), ("Batches", "batch_sharpness"))
            ),
            scales=("smoke", "laptop", "full"),
        ),
    ),
    smoke=Changes({"num_steps": 20}, num_seeds=2),
    laptop=Changes(num_seeds=3),
    full=Changes(num_seeds=20),
    paper=Changes(
        {"task.num_train": 2000, "model.width": 200, "num_steps": 10_000, RATE: (0.02, 0.04), BATCH: (8, 64, 2000)}
    ),
)
