"""Temporal order by the protocol of 2013: plain tanh units, three ways to train, one rate; paper scale only.

Pascanu et al. 2013, section 4.1.1, with the constants of its text (rate 0.01, threshold 1, regularizer 4) and 200,000 updates where the
paper allowed five million. Lengths are those that so many updates can tell apart, by single runs of other seeds before the rules were
set: with clipping alone one of length 50 succeeded, those of 70 and 100 stayed at chance; with the regularizer one of 100 succeeded.
`temporal_order` asks the fair question, with rates and thresholds tuned for each arm.
"""

from seven_terms.spec import *

PLAIN = Training(
    task=TemporalOrder(length=50, num_evaluated=10_000),
    model=Recurrent(cell="tanh", width=50),
    initialization=Initialization(kind="basic_tanh"),
    optimizer=Sgd(learning_rate=0.01),
    num_steps=200_000,
    batch_size=20,
)
CLIPPED = PLAIN.but(clipping=Clipping(norm=1.0))
REGULARIZED = CLIPPED.but(model=Recurrent(cell="tanh", width=50, regularization=4.0))
LENGTHS = (20, 50, 100)
SHORTEST, MIDDLE, LONGEST = LENGTHS

solved = Reached(Over("test_error", "min"), below=0.01)

ARMS = by_name(
    [
        Arm("sgd", PLAIN, label="SGD"),
        Arm("clip", CLIPPED, label="clip by norm"),
        Arm("clip_reg", REGULARIZED, label="clip and regularizer"),
    ]
)
sgd, clip, clip_reg = ARMS.values()


def at(arm: Arm, length: int) -> Selected:
    return arm.at({"task.length": length})


experiment = Experiment.here(
    __name__,
    title="Temporal order as in 2013",
    question="Do clipping and a regularizer against vanishing gradients solve temporal order where plain SGD fails?",
    method="The protocol of the paper: 50 tanh units whose weights are all drawn from N(0, 0.1) (standard deviation), batches of 20 "
    "fresh sequences, rate 0.01, the norm of the gradient clipped at 1 or not, and with clipping also four times the "
    "regularizer that asks each step to keep the norm of the gradient that passes through it. A run succeeds when fewer "
    "than 1 % of 10,000 test sequences are wrong at one of a hundred looks within 200,000 updates, where the paper allowed "
    "five million; therefore lengths end at 100. Left out are the paper's two other initializations, and the authors' "
    "remedy for a gradient that is not a number or enormous: such a run diverges here.",
    arms=ARMS,
    sweep={"task.length": LENGTHS},
    num_seeds=12,
    probes=(Stream(window=2000), Evaluate(steps=Steps(count=100), splits=("test",), num_examples=10_000)),
    selection=Selection(metric="test_error"),  # nothing is chosen: what the A/A arm is compared by
    noise_floor=at(clip, SHORTEST),
    claims=(
        claim(
            "B-GC1 (2013, restores)",
            "Clipping restores the learning of temporal order at the paper's rate.",
            ProportionDifference(solved, at(clip, MIDDLE), at(sgd, MIDDLE)).above(0.0),
            source="Pascanu et al. 2013, figure 7",
            unit="share of runs that solve length 50",
            because="a higher share with clipping than without, all else equal, is learning restored; longer sequences need more "
            "updates than there are",
            scales=("paper",),
        ),
        claim(
            "B-GC1 (2013, falls)",
            "Without clipping, success falls as sequences grow longer, at the paper's rate.",
            ProportionDifference(solved, at(sgd, LONGEST), at(sgd, SHORTEST)).below(0.0),
            source="Pascanu et al. 2013, figure 7",
            unit="share of runs that solve the task, length 100 minus length 20",
            because="a lower share at the longest than at the shortest length is the fall",
            scales=("paper",),
        ),
        claim(
            "B-GC7",
            "A regularizer against vanishing gradients helps where clipping alone does not reach.",
            ProportionDifference(solved, at(clip_reg, LONGEST), at(clip, LONGEST)).above(0.0),
            source="Pascanu et al. 2013, section 4.1.1",
            unit="share of runs that solve length 100",
            because="a higher share with the regularizer than with clipping alone is its help",
            scales=("paper",),
        ),
    ),
    figures=(
        figure(
            "success",
            "Share of runs that solve temporal order by sequence length, with Wilson's intervals, and of length 50 the share that is "
            "unsolved over updates.",
            sweep_curve("Solved", solved, {arm.label: arm.at() for arm in ARMS.values()}, over="task.length").axes(
                "sequence length", "share of runs solved"
            ),
            survival(
                "Length 50", StepsTo("test_error", below=0.01), {arm.label: at(arm, MIDDLE) for arm in ARMS.values()}
            ).axes("update", "share of runs unsolved"),
        ),
    ),
    smoke=Changes(skip=True),
    laptop=Changes(skip=True),
    full=Changes(skip=True),
)
