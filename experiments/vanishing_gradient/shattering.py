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

plain = Arm(name="plain", label="plain", training=PLAIN)
residual = Arm(name="residual", label="residual", training=PLAIN.but({"model.residual": True}))
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
        Claim(
            id="B-VG7",
            form="plain",
            statement="In a plain ReLU network the gradients of nearby inputs grow less alike with depth.",
            source="Balduzzi et al. 2017",
            estimate=PairedDifference(
                measure=likeness, runs=plain.at({DEPTH: Ranked(-1)}), baseline=plain.at({DEPTH: Ranked(0)})
            ),
            rule=Below(-0.5),
            unit="cosine, deepest minus shallowest",
            because="from nearly parallel to less than half of it is a loss of what one step for all inputs needs",
        ),
        Claim(
            id="B-VG7",
            form="residual",
            statement="Residual connections keep them more alike.",
            source="Balduzzi et al. 2017",
            estimate=PairedDifference(
                measure=likeness, runs=residual.at({DEPTH: Ranked(-1)}), baseline=plain.at({DEPTH: Ranked(-1)})
            ),
            rule=Above(0.1),
            unit="cosine at the largest depth, residual minus plain",
            because="a tenth of the cosine's range is far more than the spread between seeds",
        ),
        Claim(
            id="B-VG7",
            form="healthy norms",
            statement="Gradients shatter although they do not vanish: in the deep plain network their size is healthy.",
            source="Balduzzi et al. 2017; He et al. 2015",
            estimate=PairedRatio(
                measure=first_layer, runs=plain.at({DEPTH: Ranked(-1)}), baseline=plain.at({DEPTH: Ranked(0)})
            ),
            rule=Within(0.2, 5.0),
            unit="gradient at the first layer, deepest over shallowest",
            because="over 50 layers a vanishing gradient changes by many decades; a factor of five either way is healthy",
        ),
    ),
    figures=(
        Figure(
            name="shattering",
            caption="Cosine between the gradients at two inputs 0.3 radians apart, and gradient at the first layer, over the depth.",
            panels=(
                sweep_curve(
                    "Likeness",
                    likeness,
                    all_runs(plain, residual),
                    over=DEPTH,
                    x_label="hidden layers",
                    y_label="cosine",
                    log_x=True,
                ),
                sweep_curve(
                    "Size",
                    first_layer,
                    all_runs(plain, residual),
                    over=DEPTH,
                    x_label="hidden layers",
                    y_label="gradient (root mean square)",
                    log_x=True,
                    log_y=True,
                ),
            ),
        ),
    ),
    scales={
        "smoke": Changes(num_seeds=2, training={"model.width": 40}, sweep={DEPTH: (2, 10)}),
        "full": Changes(num_seeds=20),
        "paper": Changes(num_seeds=40, training={"model.width": 1000}),
    },
)
