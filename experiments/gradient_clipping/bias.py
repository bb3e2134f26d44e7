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

plain = Arm(name="plain", label="no clipping", training=PLAIN)
clipped = Arm(name="clipped", label="clipped", training=CLIPPED)
symmetric = Arm(name="symmetric", label="clipped, symmetric noise", training=CLIPPED.but({"task.noise": "student"}))
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
    probes=(Distance(steps=Steps(count=50), num=CHAINS),),
    selection=Selection(metric="squared_distance"),
    noise_floor=plain.at({RATE: 0.03}),
    claims=(
        Claim(
            id="B-GC8",
            form="as said",
            statement="Clipped SGD converges to the minimum when the rate is small enough.",
            source="folklore",
            estimate=Mean(measure=position, runs=clipped.at({RATE: Ranked(0)})),
            rule=Within(-0.1, 0.1),
            unit="mean position at the smallest rate, the minimum is 0",
            because="a tenth is a thirtieth of the noise's standard deviation; unclipped SGD at this rate keeps within a hundredth",
        ),
        Claim(
            id="B-GC8",
            form="fair",
            statement="Under skewed noise clipped SGD converges to the wrong point, and to the same one at every rate.",
            source="Koloskova et al. 2023; the point is algebra",
            estimate=WorstDeviation(measure=position, expected=7 / 9, runs=(clipped.at(),), mean_over_seeds=True),
            rule=Below(0.05),
            unit="mean position, relative deviation from 7/9",
            because="a twentieth is more than the sampling error and far less than the distance to the minimum",
            scales=("laptop", "full", "paper"),
        ),
        Claim(
            id="B-GC8",
            form="without clipping",
            statement="Without clipping the mean position is the minimum at every rate.",
            source="algebra",
            estimate=WorstDeviation(
                measure=position, expected=0.0, runs=(plain.at(),), absolute=True, mean_over_seeds=True
            ),
            rule=Below(0.05),
            unit="mean position, distance from the minimum",
            because="the mean of SGD on a quadratic follows gradient descent; 0.05 is more than the sampling error",
            scales=("laptop", "full", "paper"),
        ),
        Claim(
            id="B-GC8",
            form="symmetric noise",
            statement="Under symmetric noise clipping leaves the mean position at the minimum, however heavy the tails.",
            source="algebra",
            estimate=WorstDeviation(
                measure=position, expected=0.0, runs=(symmetric.at(),), absolute=True, mean_over_seeds=True
            ),
            rule=Below(0.05),
            unit="mean position, distance from the minimum",
            because="by symmetry the mean step at 0 vanishes; 0.05 is more than the sampling error",
            scales=("laptop", "full", "paper"),
        ),
    ),
    figures=(
        Figure(
            name="bias",
            caption="Mean position over the second half of training, over the rate. The minimum is 0.",
            panels=(
                sweep_curve(
                    "Clipping moves the fixed point",
                    position,
                    all_runs(plain, clipped, symmetric),
                    over=RATE,
                    y_label="mean position",
                    log_x=True,
                    references=(Reference(label="7 / 9", y=7 / 9),),
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"num_steps": 200}, sweep={RATE: (0.03, 0.1)}),
        "paper": Changes(num_seeds=20, training={"num_steps": 20_000}),
    },
)
