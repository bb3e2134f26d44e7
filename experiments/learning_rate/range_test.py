"""How good is the rate that a learning-rate range test finds, against a grid search that costs 44 times as much?

Seeds were raised from 30 after a first look, for intervals that survive the correction over all claims.
"""

from seven_terms.spec import *

CONSTANT = Training(
    task=Digits(resolution=7),
    model=Mlp(depth=2, width=32, activation="relu"),
    initialization=Initialization(kind="he"),
    optimizer=Sgd(),
    num_steps=600,
    batch_size=64,
)
RISING = CONSTANT.but(optimizer=Sgd(learning_rate=10.0), schedule=Ramp(start=1e-4), num_steps=150)
RATES = tuple(round(2.0**power, 4) for power in range(-7, 4))  # 1/128 to 8

lowest_at = AtBest("learning_rate", of="batch_loss")

grid_arm = Arm("grid", CONSTANT, label="constant rate", sweep={"optimizer.learning_rate": RATES})
range_test = Arm("range_test", RISING)
grid, ramp = grid_arm.at(), range_test.at()

experiment = Experiment.here(
    __name__,
    title="A range test against a grid search",
    question="Does a range test of 150 updates find a rate as good as a grid search of 6,600?",
    method="The rate rises geometrically from 0.001 to 10 in 150 updates; a tenth of the rate at which the mean batch loss of "
    "five updates was lowest is picked, once for each seed, before anything else is known. The grid search trains "
    "eleven constant rates for 600 updates each and takes the one with the lowest validation loss. Regret is the test "
    "loss of a 600-update run at the grid's rate nearest to the pick, minus that at the grid's best.",
    arms=(grid_arm, range_test),
    num_seeds=45,
    probes=(Stream(window=5), Evaluate(steps=Steps(count=1), splits=("validation", "test"))),
    noise_floor=grid_arm.at({"optimizer.learning_rate": 0.5}),
    claims=(
        claim(
            "LR5 (a tenth)",
            "Finding a good rate is long work, and techniques shorten it: a tenth of the rate at which a range test "
            "has its lowest loss is as good as a grid search that costs 44 times as much.",
            Regret(
                measure=Last("test_loss"),
                setting="optimizer.learning_rate",
                picked=Combine("ratio", lowest_at, 10.0),
                picks=ramp,
                runs=grid,
            ).below(0.05),
            source="article; Smith 2015; the rule of a tenth is fastai's (recalled)",
            unit="nats of test loss more than the grid search",
            because="0.05 nats is about what another seed changes; more regret than that would be worth a search",
        ),
        claim(
            "LR5 (a third)",
            "A third of the rate at which a range test has its lowest loss is as good as that grid search.",
            Regret(
                measure=Last("test_loss"),
                setting="optimizer.learning_rate",
                picked=Combine("ratio", lowest_at, 3.0),
                picks=ramp,
                runs=grid,
            ).below(0.05),
            source="Smith 2015, whose rule of thumb is a third or a fourth of the upper bound (recalled)",
            unit="nats of test loss more than the grid search",
            because="the same margin as for the tenth",
        ),
    ),
    figures=figure(
        "range_test",
        "Left: loss while the rate rises, one line a seed. Right: what the grid search finds at each constant rate.",
        curve("Range test", "batch_loss", {"range test": ramp}, band="seeds").axes(
            "update (the rate rises from 0.001 to 10)", "batch loss (nats)", y_limits=(1.0, 4.0)
        ),
        sweep_curve(
            "Grid search, 600 updates each", Last("test_loss"), {"constant rate": grid}, over="optimizer.learning_rate"
        ).axes(y="test loss (nats)"),
        key=1,
    ),
    smoke=Changes({"num_steps": 30}, num_seeds=2),
    full=Changes(num_seeds=400),
    paper=Changes(
        {"task.source": "mnist", "task.resolution": 28, "model.width": 256},
        arms={"grid": {"num_steps": 10_000}, "range_test": {"num_steps": 1000}},
    ),
)
