"""Temporal order by the protocol of 2013: three initializations, three ways to train, one rate; paper scale only.

Pascanu et al. 2013, section 4.1.1, with the constants of its text (rate 0.01, threshold 1, regularizer 4) and 200,000 updates where the
paper allowed five million. `temporal_order` asks the fair question, with rates and thresholds tuned for each arm.
"""

import itertools

from seven_terms.spec import *

PLAIN = Training(
    task=TemporalOrder(length=50, num_evaluated=10_000),
    model=Recurrent(cell="tanh", width=50),
    optimizer=Sgd(learning_rate=0.01),
    num_steps=200_000,
    batch_size=20,
)
CLIPPED = PLAIN.but(clipping=Clipping(norm=1.0))
REGULARIZED = CLIPPED.but(model=Recurrent(cell="tanh", width=50, regularization=4.0))
METHODS = {"sgd": ("SGD", PLAIN), "clip": ("clip by norm", CLIPPED), "clip_reg": ("clip and regularizer", REGULARIZED)}
# Kind of initialization with its cell and its name in the paper.
STARTS = {
    "smart": ("smart_tanh", "smart tanh"),
    "basic": ("basic_tanh", "basic tanh"),
    "sigmoid": ("sigmoid", "sigmoid"),
}
LENGTHS = (20, 50, 100, 150, 200)
SHORTEST, MIDDLE, LONGEST = LENGTHS[0], LENGTHS[2], LENGTHS[-1]

solved = Reached(Over("test_error", "min"), below=0.01)


def arm(start: str, method: str) -> Arm:
    kind, title = STARTS[start]
    label, training = METHODS[method]
    cell = "sigmoid" if start == "sigmoid" else "tanh"
    started = training.but({"model.cell": cell, "initialization.kind": kind})
    return Arm(f"{start}_{method}", started, label=f"{title}, {label}")


def at(start: str, method: str, length: int) -> Selected:
    return ARMS[f"{start}_{method}"].at({"task.length": length})


ARMS = by_name(arm(start, method) for start, method in itertools.product(STARTS, METHODS))

experiment = Experiment.here(
    __name__,
    title="Temporal order as in 2013",
    question="Do clipping and a regularizer against vanishing gradients solve temporal order at every length, from every start?",
    method="The protocol of the paper: 50 units, batches of 20 fresh sequences, rate 0.01, the norm of the gradient clipped at 1 or "
    "not, and with clipping also four times the regularizer that asks each step to keep the norm of the gradient that "
    "passes through it. Three initializations: sparse with spectral radius 0.95, all weights N(0, 0.1) with tanh units, and "
    "N(0, 0.01) with sigmoid units (standard deviations). A run succeeds when fewer than 1 % of 10,000 test sequences are "
    "wrong at one of a hundred looks within 200,000 updates, where the paper allowed five million. Left out is the authors' "
    "remedy for a gradient that is not a number or enormous: such a run diverges here.",
    arms=ARMS,
    sweep={"task.length": LENGTHS},
    num_seeds=20,
    probes=(Stream(window=2000), Evaluate(steps=Steps(count=100), splits=("test",), num_examples=10_000)),
    noise_floor=ARMS["basic_clip"].at({"task.length": SHORTEST}),
    claims=(
        claim(
            "B-GC1 (2013, restores)",
            "Clipping restores the learning of temporal order at the paper's rate.",
            ProportionDifference(solved, at("basic", "clip", MIDDLE), at("basic", "sgd", MIDDLE)).above(0.0),
            source="Pascanu et al. 2013, figure 7",
            unit="share of runs that solve length 100",
            because="a higher share with clipping than without, all else equal, is learning restored",
            scales=("paper",),
        ),
        claim(
            "B-GC1 (2013, falls)",
            "Without clipping, success falls as sequences grow longer, at the paper's rate.",
            ProportionDifference(solved, at("basic", "sgd", LONGEST), at("basic", "sgd", SHORTEST)).below(0.0),
            source="Pascanu et al. 2013, figure 7",
            unit="share of runs that solve the task, length 200 minus length 20",
            because="a lower share at the longest than at the shortest length is the fall",
            scales=("paper",),
        ),
        claim(
            "B-GC7",
            "A regularizer against vanishing gradients helps where clipping alone does not reach.",
            ProportionDifference(solved, at("basic", "clip_reg", LONGEST), at("basic", "clip", LONGEST)).above(0.0),
            source="Pascanu et al. 2013, section 4.1.1",
            unit="share of runs that solve length 200",
            because="a higher share with the regularizer than with clipping alone is its help",
            scales=("paper",),
        ),
    ),
    figures=(
        figure(
            "success",
            "Share of runs that solve temporal order by sequence length, with Wilson's intervals.",
            *(
                sweep_curve(
                    title.capitalize(),
                    solved,
                    {label: ARMS[f"{start}_{method}"].at() for method, (label, _) in METHODS.items()},
                    over="task.length",
                ).axes("sequence length", "share of runs solved")
                for start, (_, title) in STARTS.items()
            ),
        ),
        figure(
            "time",
            "Share of runs of length 50 that are unsolved, over updates.",
            *(
                survival(
                    title.capitalize(),
                    StepsTo("test_error", below=0.01),
                    {label: at(start, method, 50) for method, (label, _) in METHODS.items()},
                ).axes("update", "share of runs unsolved")
                for start, (_, title) in STARTS.items()
            ),
        ),
    ),
    smoke=Changes(skip=True),
    laptop=Changes(skip=True),
    full=Changes(skip=True),
)
