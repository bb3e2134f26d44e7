"""Do gradients shatter where they do not vanish? Nearby inputs in deep ReLU networks with He's weights, before training."""

from seven_terms.spec import *

DEPTH = "model.depth"
PLAIN = Training(
    task=GaussianInputs(num_features=200),
    model=Mlp(depth=2, width=200, activation="relu"),
    initialization=Initialization(kind="he"),
    num_steps=0,
    batch_size=64,
)

plain = Arm("plain", PLAIN)
residual = Arm("residual", PLAIN.but({"model.residual": True}))
likeness = Last("input_gradient_cosine")
first_layer = At("layer_signal_gradient_rms", step=0, index=0)

experiment = Experiment.here(
    __name__,
    title="Shattered gradients",
    question="Do the gradients of nearby inputs point to different sides in a deep network whose gradients do not vanish?",
    method="ReLU networks of 2 to 50 layers of 200 units with He's weights, plain and with a skip over each layer, see 64 pairs of "
    "inputs of equal length, 0.3 radians apart; nothing is trained. Measured is the cosine between the gradients of one random "
    "readout with respect to the two inputs of a pair, and beside it the size of the loss gradient at the first layer.",
    arms=(plain, residual),
    sweep={DEPTH: (2, 5, 10, 20, 50)},
    num_seeds=10,
    probes=(InputGradients(angle=0.3), LayerGradients(steps=Steps(at=(0,)))),
    selection=Selection(metric="input_gradient_cosine"),
    noise_floor=plain,
    claims=(
        claim(
            "B-VG7 (plain)",
            "In a plain ReLU network the gradients of nearby inputs grow less alike with depth.",
            PairedDifference(likeness, plain.at({DEPTH: Ranked(-1)}), plain.at({DEPTH: Ranked(0)})).below(-0.5),
            source="Balduzzi et al. 2017",
            unit="cosine, deepest minus shallowest",
            because="from nearly parallel to less than half of it is a loss of what one step for all inputs needs",
        ),
        claim(
            "B-VG7 (residual)",
            "Residual connections keep them more alike.",
            PairedDifference(likeness, residual.at({DEPTH: Ranked(-1)}), plain.at({DEPTH: Ranked(-1)})).above(0.1),
            source="Balduzzi et al. 2017",
            unit="cosine at the largest depth, residual minus plain",
            because="a tenth of the cosine's range is far more than the spread between seeds",
        ),
        claim(
            "B-VG7 (healthy norms)",
            "Gradients shatter although they do not vanish: in the deep plain network their size is healthy.",
            PairedRatio(first_layer, plain.at({DEPTH: Ranked(-1)}), plain.at({DEPTH: Ranked(0)})).within(0.2, 5.0),
            source="Balduzzi et al. 2017; He et al. 2015",
            unit="gradient at the first layer, deepest over shallowest",
            because="over 50 layers a vanishing gradient changes by many decades; a factor of five either way is healthy",
        ),
    ),
    figures=figure(
        "shattering",
        "Cosine between the gradients at two inputs 0.3 radians apart, and gradient at the first layer, over the depth.",
        sweep_curve("Likeness", likeness, all_runs(plain, residual), over=DEPTH).axes(
            "hidden layers", "cosine", log="x"
        ),
        sweep_curve("Size", first_layer, all_runs(plain, residual), over=DEPTH).axes(
            "hidden layers", "gradient (root mean square)", log="xy"
        ),
    ),
    smoke=Changes({"model.width": 40, DEPTH: (2, 10)}, num_seeds=2),
    laptop=Changes(num_seeds=4),
    full=Changes(num_seeds=20),
    paper=Changes({"model.width": 1000}, num_seeds=40),
)
