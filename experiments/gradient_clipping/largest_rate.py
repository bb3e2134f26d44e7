"""How much larger a rate does clipping permit? Temporal order at a length that both forms solve.

Asked at first within the temporal-order experiment, where the largest rate of its coarse grid still worked with clipping;
hence a grid of its own, finer and longer. The rule is unchanged.
"""

from seven_terms.spec import *

UNCLIPPED = Training(
    task=TemporalOrder(length=10),
    model=Recurrent(cell="tanh", width=50),
    initialization=Initialization(kind="smart_tanh"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=500,
    batch_size=20,
)
BY_NORM = UNCLIPPED.but(clipping=Clipping(norm=1.0))
solved = Reached(Over("test_error", "min"), below=0.01)

none = Arm("none", UNCLIPPED, label="no clipping")
norm = Arm("norm", BY_NORM, label="clip by norm")

experiment = Experiment.here(
    __name__,
    title="Largest usable rate",
    question="How much larger may the rate be when gradients are clipped?",
    method="The network and task of the temporal-order experiment at length 10, where rates that are too small are no obstacle, "
    "500 updates without clipping and with the norm clipped at 1, over seven rates. Per seed, the largest rate that "
    "solves the task with clipping is divided by the largest that does so without.",
    arms=(none, norm),
    sweep={"optimizer.learning_rate": (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)},
    num_seeds=8,
    probes=(Stream(window=50), Evaluate(steps=Steps(count=5), splits=("test",))),
    selection=Selection(metric="batch_loss"),
    noise_floor=none,
    claims=claim(
        "B-GC2",
        "Clipping permits rates larger by about an order of magnitude, 3 to 30 times.",
        BestSetting(solved, "optimizer.learning_rate", norm.at(), which="largest_reached", baseline=none.at()).within(
            3.0, 30.0
        ),
        source="Pascanu et al. 2013, table 1",
        unit="largest rate that solves length 10, with clipping over without",
        because="about ten is within half a decade of it; the shortest length, because there both forms can be expected to "
        "solve the task at some rate",
        scales=("laptop", "full", "paper"),
    ),
    figures=figure(
        "largest_rate",
        "Share of runs that solve temporal order of length 10 over the rate, with and without clipping.",
        sweep_curve("Length 10", solved, all_runs(none, norm), over="optimizer.learning_rate").axes(
            y="share of runs solved"
        ),
    ),
    smoke=Changes({"num_steps": 20, "optimizer.learning_rate": (0.1, 1.0)}, num_seeds=2),
    laptop=Changes(num_seeds=5),
    full=Changes({"optimizer.learning_rate": tuple(10 ** (power / 8) for power in range(-14, 15))}, num_seeds=48),
    paper=Changes({"num_steps": 20_000}, num_seeds=20),
)
