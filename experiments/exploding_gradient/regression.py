"""Does a shallow network with raw targets run to NaN, and how does the threshold of clipping matter there?"""

from seven_terms.spec import *

RAW = Training(
    task=LinearRegression(),
    model=Mlp(depth=1, width=25, activation="relu"),
    optimizer=Sgd(learning_rate=0.01, momentum=0.9),
    initialization=Initialization(kind="default"),
    num_steps=1250,
    batch_size=32,
)
THRESHOLDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)

raw = Arm("raw", RAW, label="raw targets")
standardized = Arm("standardized", RAW.but(task=LinearRegression(standardize=True)))
clipped = Arm(
    "clipped", RAW.but(clipping=Clipping(norm=4.0)), label="clip by norm", sweep={"clipping.norm": THRESHOLDS}
)

experiment = Experiment.here(
    __name__,
    title="Regression on raw targets",
    question="Does a small network run to NaN when targets are not scaled, and does the clipping threshold matter?",
    method="The toy problem of a widely copied tutorial: 1,000 examples with 20 features, a linear target with a standard "
    "deviation of some hundreds, half of them for training, one hidden layer of 25 ReLU units, SGD with rate 0.01 and "
    "momentum 0.9 for 100 epochs. It is trained as it is, with targets divided by their standard deviation, and with "
    "the gradient's norm clipped at ten thresholds. Each seed draws its own problem. The network's size and "
    "PyTorch's initialization are our reading of the tutorial.",
    arms=(raw, standardized, clipped),
    num_seeds=20,
    probes=(Stream(window=50), Evaluate(steps=Steps(at=(0,)), splits=("validation", "test"))),
    noise_floor=standardized,
    claims=claim(
        "GC2 (divergence)",
        "Clipping keeps exploding gradients from ending the training.",
        ProportionDifference(Diverged(), clipped.at({"clipping.norm": 4.0}), raw.at()).below(0.0),
        source="article",
        unit="share of runs that diverge, clipped minus not",
        because="a smaller share of diverged runs, at the tutorial's rate and threshold, is what clipping is said to do",
        scales=("laptop", "full", "paper"),
    ),
    figures=figure(
        "regression",
        "Left: share of diverged runs at the tutorial's rate. Right: test error over the clipping threshold; every "
        "update is clipped at most of them, so the threshold acts as a rate.",
        bars(
            "Diverged",
            Diverged(),
            {
                "raw targets": raw.at(),
                "standardized": standardized.at(),
                "clip at 4": clipped.at({"clipping.norm": 4.0}),
            },
        ).axes(y="share of runs", y_limits=(-0.03, 1.03)),
        sweep_curve("Threshold", Last("test_loss"), all_runs(clipped), over="clipping.norm").axes(
            "threshold", "mean squared test error", log="xy"
        ),
    ),
    smoke=Changes({"num_steps": 100, "clipping.norm": (1.0, 4.0, 16.0)}, num_seeds=2),
    full=Changes(num_seeds=40),
    paper=Changes(num_seeds=50),
)
