"""Does a deep network with exploding gradients fail to train, at the rate of a healthy one and at its own best?"""

from seven_terms.spec import *

SHORT, LONG = BUDGETS = (150, 1000)  # updates
GAINS = {"healthy": 1.0, "growing": 2.0, "exploding": 3.0}
LABELS = {name: f"weights x {gain:g}" for name, gain in GAINS.items()}
TRAINED = Reached(Last("test_accuracy"), above=0.5)


def network(name: str) -> Arm:
    training = Training(
        task=Digits(resolution=7),
        model=Mlp(depth=15, width=64, activation="tanh"),
        initialization=Initialization(kind="lecun", scale=GAINS[name]),
        optimizer=Sgd(),
        num_steps=SHORT,
        batch_size=32,
    )
    return Arm(name, training, label=LABELS[name])


SOON, LATE = Ranked(0), Ranked(-1)  # of the budgets of each scale


def after(name: str, updates: Ranked) -> Selected:
    return ARMS[name].best(at={"num_steps": updates})


def failed(runs: Selected) -> ProportionDifference:
    return ProportionDifference(TRAINED, runs, after("healthy", SOON))


ARMS = by_name(network(name) for name in GAINS)
healthy, growing, exploding = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Training with exploding gradients",
    question="Are the early updates too large and does training fail where gradients explode, and does a smaller rate help?",
    method="Networks of 15 tanh layers of 64 units start from weights of variance 1/n, or from weights two or three times as "
    "large, whose gradients grow on their way to the first layer. Each makes 150 or 1,000 updates of plain SGD on batches of 32 "
    "digits of 7 by 7 points, over seven rates; a network counts as trained when it names more than half of 500 test "
    "digits. The exploding network is judged at the rate that is best for the healthy one and at its own best rate.",
    arms=ARMS,
    sweep={"optimizer.learning_rate": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "num_steps": BUDGETS},
    num_seeds=8,
    probes=(
        Evaluate(steps=Steps(at=(0,)), splits=("validation", "test"), num_examples=500),
        LayerUpdates(steps=Steps(at=(0,), last=False)),
    ),
    selection=Selection(metric="validation_loss"),
    noise_floor=healthy,
    claims=(
        claim(
            "EG2 (as said)",
            "With exploding gradients early updates are too large and training does not converge.",
            failed(exploding.at_best_of(healthy, at={"num_steps": SOON})).below(0.0),
            source="article",
            unit="share of runs that train, exploding minus healthy, both at the healthy network's best rate",
            because="as it is said, nothing but the gradients' size differs: the rate is the one that suits the healthy network",
            condition=f"within {SHORT} updates",
        ),
        claim(
            "EG2 (fair)",
            "Exploding gradients keep a network from training even at the best rate for it.",
            failed(after("exploding", SOON)).below(0.0),
            source="article",
            unit="share of runs that train, exploding minus healthy, each at its own best rate",
            because="a smaller rate makes the updates smaller again; only what fails then is not a matter of the rate",
            condition=f"within {SHORT} updates",
        ),
        claim(
            "EG2 (weights x 2)",
            "Exploding gradients keep a network from training even at the best rate for it.",
            failed(after("growing", SOON)).below(-0.2),
            source="article",
            unit="share of runs that train, weights x 2 minus healthy, each at its own best rate",
            because="the gradients of this network explode, too, so the statement is about it as well; a fifth fewer runs at least",
        ),
        claim(
            "EG2 (longer)",
            "Given time and its own best rate a network with exploding gradients trains.",
            Proportion(TRAINED, after("exploding", LATE)).above(0.5),
            source="asked after a look at other budgets",
            unit=f"share of runs that train, weights x 3, {LONG:,} updates",
            because="most runs train: what a budget of 150 updates keeps from training is slow, not lost",
        ),
        claim(
            "EG2 (lower)",
            "A network with exploding gradients ends lower than a healthy one, each at its own best rate.",
            PairedDifference(Last("test_accuracy"), after("exploding", LATE), after("healthy", LATE)).below(0.0),
            source="asked after a look at other budgets",
            unit=f"test accuracy, weights x 3 minus healthy, {LONG:,} updates",
            because="a lower accuracy at equal updates and own rates is a harm that no rate repairs within this budget",
        ),
    ),
    figures=figure(
        "overshooting",
        "Deep tanh networks with larger and larger initial weights. Left: relative size of the first update by layer "
        "at rate 0.01. Then: test accuracy after 150 and after 1,000 updates over the rate.",
        curve(
            "First update, rate 0.01",
            "layer_update_ratio",
            {LABELS[name]: ARMS[name].at({"optimizer.learning_rate": 0.01, "num_steps": SOON}) for name in GAINS},
            over="index",
            step=0,
        ).axes("layer (0 is nearest the input)", "update / weight", log="y"),
        *(
            sweep_curve(
                f"After {updates:,} updates",
                Last("test_accuracy"),
                {LABELS[name]: ARMS[name].at({"num_steps": rank}) for name in GAINS},
                over="optimizer.learning_rate",
            )
            for updates, rank in zip(BUDGETS, (SOON, LATE), strict=True)
        ),
        key=1,
    ),
    smoke=Changes({"optimizer.learning_rate": (0.01, 0.1), "num_steps": (10, 20)}, num_seeds=2),
    laptop=Changes(num_seeds=5),
    full=Changes(num_seeds=48),
    paper=Changes({"model.width": 256, "task.source": "mnist", "task.resolution": 28}, num_seeds=20),
)
