"""Does clipping restore learning across long lags? Temporal order of Pascanu, Mikolov and Bengio 2013."""

import dataclasses

from seven_terms.spec import (
    Above,
    Arm,
    Changes,
    Claim,
    Clipping,
    Evaluate,
    Experiment,
    Figure,
    Initialization,
    Over,
    Panel,
    ProportionDifference,
    Reached,
    Recurrence,
    Recurrent,
    Selected,
    Selection,
    Sgd,
    Steps,
    StepsTo,
    Stream,
    Survival,
    SweepCurve,
    TemporalOrder,
    Training,
)

UNCLIPPED = Training(
    task=TemporalOrder(length=30),
    model=Recurrent(cell="tanh", width=50),
    initialization=Initialization(kind="smart_tanh"),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=3000,
    batch_size=20,
)
solved = Reached(Over("test_error", "min"), below=0.01)
time_to_success = StepsTo("test_error", below=0.01)
LENGTHS = (20, 30, 40)

ARMS = {
    "none": ("no clipping", Clipping(), {}),
    "norm": ("clip by norm", Clipping(norm=1.0), {"clipping.norm": (0.3, 1.0)}),
    "value": ("clip by value", Clipping(value=0.1), {"clipping.value": (0.03, 0.1)}),
}
THRESHOLD = {"none": (), "norm": ("norm",), "value": ("value",)}


def own_best(arm: str, length: int | None = None) -> Selected:
    where = {} if length is None else {"length": length}
    return Selected(arm, where=where, best=("learning_rate", *THRESHOLD[arm]))


experiment = Experiment(
    name="temporal_order",
    term="gradient_clipping",
    title="Temporal order with and without clipping",
    question="Does gradient clipping restore learning over long lags, and does the form of clipping matter?",
    method=(
        "A recurrent network of 50 tanh units, sparsely initialized with spectral radius 0.95, reads a sequence with two "
        "relevant symbols and names their order; batches of 20 fresh sequences, plain SGD. Rates, clipping thresholds and "
        "lengths are swept; a run succeeds when fewer than 1 % of 1,000 fresh sequences are wrong."
    ),
    arms=tuple(
        Arm(name=name, label=label, training=dataclasses.replace(UNCLIPPED, clipping=clipping), sweep=sweep)
        for name, (label, clipping, sweep) in ARMS.items()
    ),
    sweep={"optimizer.learning_rate": (0.03, 0.1, 0.3), "task.length": LENGTHS},
    num_seeds=10,
    probes=(
        Stream(window=50),
        Evaluate(steps=Steps(count=30), splits=("validation", "test")),
        Recurrence(steps=Steps(count=30)),
    ),
    selection=Selection(metric="validation_error", at="best"),
    claims=(
        Claim(
            id="GC2",
            statement="Clipping prevents exploding gradients from stopping the learning.",
            source="article; Pascanu et al. 2013",
            estimate=ProportionDifference(
                measure=solved, runs=own_best("norm", LENGTHS[-1]), baseline=own_best("none", LENGTHS[-1])
            ),
            rule=Above(0.0),
            unit="share of runs that solve the task",
            because="a higher success rate at the longest length, each arm at its own best rate, is learning restored",
        ),
    ),
    figures=(
        Figure(
            name="success",
            caption="Share of runs that solve temporal order, by sequence length, and time to success.",
            panels=(
                Panel(
                    title="Success by length, own best rate",
                    content=SweepCurve(
                        measure=solved, over="length", runs={label: own_best(arm) for arm, (label, *_) in ARMS.items()}
                    ),
                    x_label="sequence length",
                    y_label="share of runs solved",
                    y_limits=(-0.03, 1.03),
                ),
                Panel(
                    title=f"Time to success, length {LENGTHS[1]}",
                    content=Survival(
                        measure=time_to_success,
                        runs={label: own_best(arm, LENGTHS[1]) for arm, (label, *_) in ARMS.items()},
                    ),
                    x_label="update",
                    y_label="share of runs unsolved",
                ),
            ),
            summary=0,
        ),
    ),
    scales={
        "smoke": Changes(
            num_seeds=2,
            training={"num_steps": 40},
            sweep={
                "optimizer.learning_rate": (0.1,),
                "task.length": LENGTHS,
                "clipping.norm": (1.0,),
                "clipping.value": (0.1,),
            },
        ),
        "paper": Changes(
            num_seeds=20,
            training={"num_steps": 200_000},
            sweep={"task.length": (20, 50, 100, 150, 200)},
        ),
    },
)
