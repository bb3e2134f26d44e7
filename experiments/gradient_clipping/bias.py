"""Does clipped SGD find the minimum when its rate is small enough? Not with skewed noise, and the point it finds is known.

Noise of 9 with probability 0.1 and of -1 otherwise has mean zero. Clipped at 2, at a curvature of one and near the minimum, its mean
step is 0.9 (x - 1) + 0.1 x 2, which vanishes at x = 7/9, whatever the rate.
"""

from seven_terms.spec import *

RATE, THRESHOLD = "optimizer.learning_rate", 2.0
CHAINS = 100
PLAIN = Training(
    task=Quadratic(dimension=CHAINS, spectrum="equal", noise_scale=3.0, noise="skewed"),
    model=Point(dimension=CHAINS, start=2.0),
    optimizer=Sgd(),
    num_steps=5000,
    batch_size=1,
    precision="float64",
)
CLIPPED = PLAIN.but(clipping=Clipping(value=THRESHOLD))

plain = Arm("plain", PLAIN, label="no clipping")
clipped = Arm("clipped", CLIPPED)
symmetric = Arm("symmetric", CLIPPED.but({"task.noise": "student"}), label="clipped, symmetric noise")
position = Over("coordinate", "mean", start=0.5)

experiment = Experiment.here(
    __name__,
    title="Clipping is biased",
    question="Does clipped SGD find the minimum when its rate is small enough?",
    method="SGD on a quadratic of curvature one with 100 independent chains. The noise is skewed, 9 with probability 0.1 and -1 "
    "otherwise, and each entry of the gradient is clipped at 2 or not at all; a third arm is clipped under symmetric noise of the "
    "same variance with heavy tails. The mean position over the second half of 5,000 updates is compared with the minimum at 0.",
    arms=(plain, clipped, symmetric),
    sweep={RATE: (0.003, 0.01, 0.03, 0.1, 0.3)},
    num_seeds=8,
    probes=Distance(steps=Steps(count=50), num=CHAINS),
    selection=Selection(metric="squared_distance"),
    noise_floor=plain.at({RATE: 0.03}),
    claims=(
        claim(
            "B-GC8 (as said)",
            "Clipped SGD converges to the minimum when the rate is small enough.",
            Mean(position, clipped.at({RATE: Ranked(0)})).within(-0.1, 0.1),
            source="folklore",
            unit="mean position at the smallest rate, the minimum is 0",
            because="a tenth is a thirtieth of the noise's standard deviation; unclipped SGD at this rate keeps within a hundredth",
        ),
        claim(
            "B-GC8 (fair)",
            "Under skewed noise clipped SGD converges to the wrong point, and to the same one at every rate.",
            WorstDeviation(position, 7 / 9, (clipped.at(),), mean_over_seeds=True).below(0.05),
            source="Koloskova et al. 2023; the point is algebra",
            unit="mean position, relative deviation from 7/9",
            because="a twentieth is more than the sampling error and far less than the distance to the minimum",
            scales=("laptop", "full", "paper"),
        ),
        claim(
            "B-GC8 (without clipping)",
            "Without clipping the mean position is the minimum, at the largest rate too.",
            Mean(position, plain.at({RATE: Ranked(-1)})).within(-0.05, 0.05),
            source="algebra",
            unit="mean position at the largest rate, the minimum is 0",
            because="the mean of SGD on a quadratic follows gradient descent; a twentieth is small beside the 0.78 of clipped SGD",
            scales=("laptop", "full", "paper"),
        ),
        claim(
            "B-GC8 (symmetric noise)",
            "Under symmetric noise clipping leaves the mean position at the minimum, however heavy the tails.",
            Mean(position, symmetric.at({RATE: Ranked(-1)})).within(-0.05, 0.05),
            source="algebra",
            unit="mean position at the largest rate, the minimum is 0",
            because="by symmetry the mean step at 0 vanishes; a twentieth is small beside the 0.78 of skewed noise",
            scales=("laptop", "full", "paper"),
        ),
    ),
    figures=figure(
        "bias",
        "Mean position over the second half of training, over the rate. The minimum is 0.",
        sweep_curve(
            "Clipping moves the fixed point",
            position,
            all_runs(plain, clipped, symmetric),
            over=RATE,
            references=(Reference(label="7 / 9", y=7 / 9),),
        ).axes(y="mean position"),
    ),
    smoke=Changes({"num_steps": 200, RATE: (0.03, 0.1)}, num_seeds=2),
    full=Changes(num_seeds=128),
    paper=Changes({"num_steps": 20_000}, num_seeds=20),
)
