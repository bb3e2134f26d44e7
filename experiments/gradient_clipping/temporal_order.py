"""Does clipping restore learning across long lags? Temporal order of Pascanu, Mikolov and Bengio 2013."""

from seven_terms.spec import *

PLAIN = Training(
    task=TemporalOrder(length=30, num_evaluated=1000),
    model=Recurrent(cell="tanh", width=50),
    initialization=Initialization(kind="smart_tanh"),
    optimizer=Sgd(learning_rate=0.2),
    num_steps=1000,
    batch_size=20,
)
BY_NORM, BY_VALUE = PLAIN.but(clipping=Clipping(norm=1.0)), PLAIN.but(clipping=Clipping(value=0.05))
RATE, LENGTH = "optimizer.learning_rate", "task.length"
SHORT, _, LONG = LENGTHS = (10, 20, 30)
RATES = (0.01, 0.04, 0.2, 1.0)

FINER = (0.01, 0.02, 0.04, 0.09, 0.2, 0.4, 0.7, 1.0)  # as many as rates times thresholds

none = Arm("none", PLAIN, label="no clipping", sweep={RATE: FINER})
norm = Arm("norm", BY_NORM, label="clip by norm", sweep={"clipping.norm": (0.3, 1.0)})
value = Arm("value", BY_VALUE, label="clip by value", sweep={"clipping.value": (0.02, 0.05)}, num_seeds=10)
reference = Arm(
    "reference",
    BY_NORM,
    label="clip by norm, length 10, rate 0.2",
    sweep={LENGTH: (SHORT,), RATE: (0.2,)},
    num_seeds=10,
)
solved = Reached(Over("test_error", "min"), below=0.01)
LOOKS = (Stream(window=50), Evaluate(steps=Steps(count=10), splits=("validation", "test")))

experiment = Experiment.here(
    __name__,
    title="Temporal order with and without clipping",
    question="Does gradient clipping restore learning over long lags?",
    method="A recurrent network of 50 tanh units, sparsely initialized with spectral radius 0.95, reads a sequence with two "
    "relevant symbols and names their order; batches of 20 fresh sequences, plain SGD, 1,000 updates. The gradient is "
    "left as it is, its norm is clipped at 1 as in the original or at 0.3, or its entries are clipped at 0.05 or 0.02; each at four "
    "rates, and at eight without clipping. A "
    "run succeeds when fewer than 1 % of 1,000 test sequences are wrong at one of ten looks. Rates and thresholds "
    "are selected by the lowest error on 1,000 other sequences at one of the same looks, that is by success.",
    arms=(none, norm, value, reference),
    sweep={LENGTH: LENGTHS, RATE: RATES},
    num_seeds=16,
    probes=(*LOOKS, Recurrence(steps=Steps(count=20))),
    selection=Selection(metric="validation_error", at="best"),
    noise_floor=reference,
    claims=(
        claim(
            "GC2",
            "Clipping prevents exploding gradients from stopping the learning.",
            ProportionDifference(solved, norm.best(at={LENGTH: LONG}), none.best(at={LENGTH: LONG})).above(0.0),
            source="article; Pascanu et al. 2013",
            unit="share that solves the longest length, clipped minus not",
            because="a higher success rate at the longest length, each arm at its own best rate, is learning restored",
        ),
        claim(
            "B-GC1",
            "Without clipping, success falls as sequences grow longer.",
            ProportionDifference(solved, none.best(at={LENGTH: LONG}), none.best(at={LENGTH: SHORT})).below(0.0),
            source="Pascanu et al. 2013, figure 7",
            unit="share of runs that solve the task, length 30 minus length 10",
            because="a lower share at the longest than at the shortest length, each at its own best rate, is the fall",
        ),
        claim(
            "B-GC3 (long lags)",
            "At long lags clipping by norm solves more than clipping by value does.",
            ProportionDifference(solved, norm.best(at={LENGTH: LONG}), value.best(at={LENGTH: LONG})).above(0.2),
            source="folklore: clip recurrent networks by norm",
            unit="share of runs that solve length 30, norm minus value",
            because="a fifth of the runs more would be a reason to prefer one form; each has its own best rate and threshold",
        ),
    ),
    figures=(
        figure(
            "success",
            "Share of runs that solve temporal order, by sequence length, and time to success, each at its best rate.",
            sweep_curve("Success by length", solved, best_runs(none, norm, value), over=LENGTH).axes(
                "sequence length", "share of runs solved"
            ),
            survival(
                f"Time to success, length {LONG}",
                StepsTo("test_error", below=0.01),
                best_runs(none, norm, value, at={LENGTH: LONG}),
            ).axes("update", "share of runs unsolved"),
            summary=0,
        ),
        figure(
            "rates",
            "Share of runs that solve temporal order over the rate, by length.",
            *(
                sweep_curve(
                    f"Length {length}", solved, best_runs(none, norm, value, at={LENGTH: length}), over=RATE
                ).axes(y="share of runs solved")
                for length in (SHORT, LONG)
            ),
        ),
    ),
    smoke=Changes({"num_steps": 40, RATE: (0.2,)}, num_seeds=2),
    laptop=Changes(
        {LENGTH: (SHORT, LONG)}, arms={"reference": {LENGTH: (SHORT,)}}, probes=LOOKS, num_seeds=5, seeds={"value": 5}
    ),  # what claims read
    full=Changes(num_seeds=32),
    paper=Changes(
        {
            "num_steps": 200_000,
            "task.num_evaluated": 10_000,
            LENGTH: (*LENGTHS, 50, 100, 150, 200),
            RATE: (0.001, 0.003, *RATES),
            "clipping.norm": (0.3, 1.0, 3.0),
            "clipping.value": (0.02, 0.05, 0.1),
        },
        arms={"none": {RATE: tuple(round(0.001 * 10 ** (i / 5.67), 4) for i in range(18))}},
        num_seeds=20,
    ),
)
