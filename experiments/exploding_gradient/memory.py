"""Does a recurrence whose weight stays below one have gradients that do not explode? A linear one, exactly.

The claims are algebra (`seven_terms.statistics.memory`, derived again by tests); they were written before the first run.
"""

from seven_terms.spec import *

DECAY = "task.decay"
PLAIN = Training(
    task=LinearMemory(), model=Point(dimension=1, start=0.0), optimizer=Sgd(), num_steps=0, precision="float64"
)

plain = Arm("plain", PLAIN, label="as it is")
exponential = Arm("exponential", PLAIN.but({"task.exponential": True}), label="weight exp(-exp v)")
normalized = Arm("normalized", PLAIN.but({"task.normalized": True}), label="state of variance one")
both = Arm("both", PLAIN.but({"task.exponential": True, "task.normalized": True}), label="both")
sensitivity = At("sharpness", step=0)


def growth(arm: Arm) -> PairedRatio:
    """Return the sensitivity at the longest memory over that at the shortest."""
    runs, baseline = arm.at({DECAY: Ranked(-1)}), arm.at({DECAY: Ranked(0)})
    return PairedRatio(measure=sensitivity, runs=runs, baseline=baseline, exact=True)


experiment = Experiment.here(
    __name__,
    title="The curse of memory",
    question="Does a recurrence whose weight stays below one have gradients that do not explode?",
    method="A linear recurrence h <- a h + x of one unit sees white inputs. Its loss is half the mean squared difference from a "
    "teacher of the same kind, in closed form; measured is the curvature of that loss at the teacher, by automatic "
    "differentiation, which is the variance of the gradient of the state with respect to the weight. Beside it "
    "stand a weight written as exp(-exp v), inputs scaled so that the state has variance one, and both.",
    arms=(plain, exponential, normalized, both),
    sweep={DECAY: (0.5, 0.8, 0.9, 0.98, 0.99, 0.999)},
    num_seeds=1,
    probes=Sharpness(steps=Steps(at=(0,)), num_iterations=1),
    selection=Selection(metric="sharpness"),
    claims=(
        claim(
            "B-EG4 (as said)",
            "A recurrence whose weight stays below one has gradients that do not explode.",
            growth(plain).below(100.0),
            source="folklore",
            unit="variance of the gradient, weight 0.999 over weight 0.5",
            because="a hundred is a factor of ten in the gradient, which a choice of rate could still follow",
        ),
        claim(
            "B-EG4 (fair)",
            "In a stable linear recurrence the gradient's variance is (1 + a^2) / (1 - a^2)^3: without limit as memory grows.",
            WorstDeviation(measure=sensitivity, expected="memory_curvature", runs=(plain.at(),)).below(1e-6),
            source="algebra; Zucchet and Orvieto 2024",
            unit="curvature by automatic differentiation, relative deviation from the formula",
            because="both are exact; a millionth is rounding",
        ),
        claim(
            "B-EG4 (one cure)",
            "An exponential weight, or a normalized state, is cure enough alone.",
            growth(exponential).below(100.0),
            source="Zucchet and Orvieto 2024 ask for both",
            unit="curvature, weight 0.999 over weight 0.5, with an exponential weight (the better one alone)",
            because="the same hundred; by algebra it grows as 1 / (1 - a), and with a normalized state alone as its square",
        ),
        claim(
            "B-EG4 (both cures)",
            "With an exponential weight and a normalized state the sensitivity no longer depends on the memory.",
            growth(both).within(0.5, 2.0),
            source="Zucchet and Orvieto 2024; the limit 1/4 is algebra",
            unit="curvature, weight 0.999 over weight 0.5",
            because="within a factor of two one rate fits all memories",
        ),
    ),
    figures=figure(
        "memory",
        "Curvature of the loss at the right weight, over its memory. The limit of both cures is 1/4.",
        sweep_curve(
            "Sensitivity",
            sensitivity,
            all_runs(plain, normalized, exponential, both),
            over="memory_length",
            references=(Reference(label="1 / 4", y=0.25),),
        ).axes(x="memory, 1 / (1 - weight)", y="curvature", log="xy"),
    ),
    smoke=Changes({DECAY: (0.5, 0.9, 0.999)}),
)
