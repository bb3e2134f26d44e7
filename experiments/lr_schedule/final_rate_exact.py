"""Where should a schedule end, and how should it fall? Exactly, on a noisy quadratic: to zero or to a tenth, linear or 1-sqrt."""

from seven_terms.spec import *

RATE, BUDGET = "optimizer.learning_rate", "num_steps"
BUDGETS = (100, 300, 1000, 3000)
LONGEST = Ranked(-1)
RATES = tuple(round(0.005 * 390.0 ** (i / 27), 6) for i in range(28))  # 0.005 to 1.95
LINEAR = Training(
    task=NoisyQuadraticMoments(),
    model=Point(dimension=1000),
    optimizer=ExpectedSgd(),
    schedule=Linear(),
    num_steps=3000,
    precision="float64",
)

linear = Arm("linear", LINEAR, label="linear to zero")
linear_tenth = Arm("linear_tenth", LINEAR.but(schedule=Linear(final=0.1)), label="linear to a tenth")
cosine = Arm("cosine", LINEAR.but(schedule=Cosine()), label="cosine to zero")
cosine_tenth = Arm("cosine_tenth", LINEAR.but(schedule=Cosine(final=0.1)), label="cosine to a tenth")
wsd = Arm("wsd", LINEAR.but(schedule=WarmupStableDecay()), label="linear cooldown")
wsd_sqrt = Arm("wsd_sqrt", LINEAR.but(schedule=WarmupStableDecay(shape="one_minus_sqrt")), label="1-sqrt cooldown")
ARMS = (linear, linear_tenth, cosine, cosine_tenth, wsd, wsd_sqrt)


def loss_ratio(runs: Arm, baseline: Arm, budget: Ranked = LONGEST) -> PairedRatio:
    at = {BUDGET: budget}
    return PairedRatio(Last("train_loss"), runs.best(at=at), baseline.best(at=at), exact=True)


experiment = Experiment.here(
    __name__,
    title="To zero or to a tenth, exactly",
    question="Does a schedule that ends at zero beat one that ends at a tenth, and a 1-sqrt cooldown a linear one?",
    method="SGD on a quadratic of 1,000 eigenvalues 1/i with gradient noise of variance 1/i, started at distance one, by the exact "
    "recursion of second moments. Linear and cosine decay end at zero or at a tenth of the peak rate; a constant rate cools "
    "down over the last fifth on a straight line or as one minus a square root. Each takes its best of 28 peak rates.",
    arms=ARMS,
    sweep={RATE: RATES, BUDGET: BUDGETS},
    num_seeds=1,
    probes=Evaluate(steps=Steps(count=4), splits=("train",)),
    selection=Selection(metric="train_loss"),
    claims=(
        claim(
            "B-SC7 (exact)",
            "Linear decay to zero ends lower than linear decay to a tenth on a noisy quadratic, each tuned.",
            loss_ratio(linear, linear_tenth).below(1.0),
            source="Bergsma et al. 2025",
            unit="ratio of expected losses, longest budget",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
        claim(
            "B-SC7 (exact, short budget)",
            "Linear decay to zero ends lower than linear decay to a tenth on a noisy quadratic, where the budget is short.",
            loss_ratio(linear, linear_tenth, Ranked(0)).below(1.0),
            source="Bergsma et al. 2025",
            unit="ratio of expected losses, shortest budget",
            because="the expectation has no sampling error; the source says that the gain grows with the budget",
            scales=("laptop", "full", "paper"),
        ),
        claim(
            "B-SC7 (exact, cosine)",
            "Cosine decay to zero ends lower than cosine decay to a tenth on a noisy quadratic, each tuned.",
            loss_ratio(cosine, cosine_tenth).below(1.0),
            source="Bergsma et al. 2025",
            unit="ratio of expected losses, longest budget",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
        claim(
            "B-SC8 (exact)",
            "A 1-sqrt cooldown ends lower than a linear one on a noisy quadratic, each tuned.",
            loss_ratio(wsd_sqrt, wsd).below(1.0),
            source="Hagele et al. 2024",
            unit="ratio of expected losses, longest budget",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
    ),
    figures=figure(
        "final_rate_exact",
        "Expected final loss over the budget, each schedule at its own best peak rate at each budget.",
        sweep_curve("Without sampling error", Last("train_loss"), best_runs(*ARMS), over=BUDGET).axes(
            "budget (steps)", "expected loss", log="xy"
        ),
    ),
    smoke=Changes({RATE: RATES[3::6], BUDGET: (100,)}),
)
