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

linear = Arm(name="linear", label="linear to zero", training=LINEAR)
linear_tenth = Arm(name="linear_tenth", label="linear to a tenth", training=LINEAR.but(schedule=Linear(final=0.1)))
cosine = Arm(name="cosine", label="cosine to zero", training=LINEAR.but(schedule=Cosine()))
cosine_tenth = Arm(name="cosine_tenth", label="cosine to a tenth", training=LINEAR.but(schedule=Cosine(final=0.1)))
wsd = Arm(name="wsd", label="linear cooldown", training=LINEAR.but(schedule=WarmupStableDecay()))
wsd_sqrt = Arm(
    name="wsd_sqrt", label="1-sqrt cooldown", training=LINEAR.but(schedule=WarmupStableDecay(shape="one_minus_sqrt"))
)
ARMS = (linear, linear_tenth, cosine, cosine_tenth, wsd, wsd_sqrt)


def loss_ratio(runs: Arm, baseline: Arm, budget: Ranked = LONGEST) -> PairedRatio:
    at = {BUDGET: budget}
    return PairedRatio(measure=Last("train_loss"), runs=runs.best(at=at), baseline=baseline.best(at=at), exact=True)


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
    probes=(Evaluate(steps=Steps(count=4), splits=("train",)),),
    selection=Selection(metric="train_loss"),
    claims=(
        Claim(
            id="B-SC7",
            form="exact",
            statement="Linear decay to zero ends lower than linear decay to a tenth, each tuned.",
            source="Bergsma et al. 2025",
            estimate=loss_ratio(linear, linear_tenth),
            rule=Below(1.0),
            unit="ratio of expected losses, longest budget",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
        Claim(
            id="B-SC7",
            form="exact, short budget",
            statement="Linear decay to zero ends lower than linear decay to a tenth where the budget is short.",
            source="Bergsma et al. 2025",
            estimate=loss_ratio(linear, linear_tenth, Ranked(0)),
            rule=Below(1.0),
            unit="ratio of expected losses, shortest budget",
            because="the expectation has no sampling error; the source says that the gain grows with the budget",
            scales=("laptop", "full", "paper"),
        ),
        Claim(
            id="B-SC7",
            form="exact, cosine",
            statement="Cosine decay to zero ends lower than cosine decay to a tenth, each tuned.",
            source="Bergsma et al. 2025",
            estimate=loss_ratio(cosine, cosine_tenth),
            rule=Below(1.0),
            unit="ratio of expected losses, longest budget",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
        Claim(
            id="B-SC8",
            form="exact",
            statement="A 1-sqrt cooldown ends lower than a linear one, each tuned.",
            source="Hagele et al. 2024",
            estimate=loss_ratio(wsd_sqrt, wsd),
            rule=Below(1.0),
            unit="ratio of expected losses, longest budget",
            because="the expectation has no sampling error, so a ratio below 1 is an order",
        ),
    ),
    figures=(
        Figure(
            name="final_rate_exact",
            caption="Expected final loss over the budget, each schedule at its own best peak rate at each budget.",
            panels=(
                sweep_curve(
                    "Without sampling error",
                    Last("train_loss"),
                    best_runs(*ARMS),
                    over=BUDGET,
                    x_label="budget (steps)",
                    y_label="expected loss",
                    log_x=True,
                    log_y=True,
                ),
            ),
        ),
    ),
    scales={"smoke": Changes(sweep={RATE: RATES[3::6], BUDGET: (100,)})},
)
