"""Is a recurrent spectral radius above one necessary, or sufficient, for gradients that explode with the lag?"""

from seven_terms.spec import *

LENGTH = 101
FARTHEST = At("lag_gradient_norm", step=0, index=LENGTH - 1)
EXPLODED = Reached(FARTHEST, above=1.0)
PRESENT = 0.95  # spectral radius of the sparse matrices as drawn
BELOW, ABOVE = (0.8, 0.9, 0.98), (1.05, 1.2, 1.5)

# name: (label, cell, initialization, factor on the input weights, matrices of radius 1)
NETWORKS = {
    "linear_orthogonal": ("linear, orthogonal", "identity", "orthogonal", 1.0, 1.0),
    "linear_sparse": ("linear, sparse", "identity", "smart_tanh", 1.0, 1.0 / PRESENT),
    "tanh_quiet": ("tanh, weak inputs", "tanh", "smart_tanh", 1.0, 1.0 / PRESENT),
    "tanh_driven": ("tanh, strong inputs", "tanh", "smart_tanh", 30.0, 1.0 / PRESENT / 30.0),
}


def network(name: str) -> Arm:
    """`scale` multiplies all weights and `recurrent_scale` those of the recurrent matrix again, which undoes it there."""
    label, cell, kind, inputs, unit_radius = NETWORKS[name]
    training = Training(
        task=GaussianInputs(num_features=10, length=LENGTH),
        model=Recurrent(cell=cell, width=50),  # type: ignore[arg-type]
        initialization=Initialization(kind=kind, scale=inputs),  # type: ignore[arg-type]
        num_steps=0,
        batch_size=4,
        precision="float64",
    )
    return Arm(
        name,
        training,
        label=label,
        sweep={"initialization.recurrent_scale": tuple(radius * unit_radius for radius in (*BELOW, *ABOVE))},
    )


def of(name: str, radius: float) -> Selected:
    return ARMS[name].at({"initialization.recurrent_scale": radius * NETWORKS[name][-1]})


ARMS = by_name(network(name) for name in NETWORKS)
linear_orthogonal, linear_sparse, tanh_quiet, tanh_driven = ARMS.values()

experiment = Experiment.here(
    __name__,
    title="Recurrent spectral radius",
    question="Does the largest eigenvalue of the recurrent matrix decide whether the gradient explodes with the lag?",
    method="Recurrent networks of 50 units read 101 random inputs at their initial weights, in double precision; nothing is "
    "trained. Recurrent matrices with 15 entries a row, as Pascanu and others start from, are rescaled to spectral "
    "radii from 0.8 to 1.5; their largest singular value is about 1.6 times as large. Orthogonal matrices, where the "
    "two agree, stand beside them. A gradient has exploded when it is larger 100 steps back than at the end. Inputs "
    "enter weakly, or thirty times stronger.",
    arms=ARMS,
    num_seeds=30,
    probes=(
        LagGradients(),
        Recurrence(steps=Steps(at=(0,))),
        Evaluate(steps=Steps(at=(0,)), splits=("validation",), num_examples=10),  # what the noise floor is measured on
    ),
    noise_floor=tanh_driven,
    claims=(
        claim(
            "B-EG1 (as said)",
            "A recurrent spectral radius above 1 makes gradients explode.",
            Proportion(EXPLODED, of("tanh_driven", 1.2)).above(0.5),
            source="folklore; Pascanu et al. 2013 on why not",
            unit="share of tanh networks of radius 1.2 whose gradient explodes",
            because="what is said to be sufficient must at least happen more often than not, whatever the inputs",
        ),
        claim(
            "B-EG1 (fair)",
            "A recurrent spectral radius above 1 is necessary: below it no gradient explodes in the long run.",
            Proportion(EXPLODED, of("linear_sparse", 0.9)).below(0.15),
            source="Pascanu et al. 2013, section 2.1",
            unit="share of linear networks of radius 0.9 whose gradient explodes",
            because="a linear network without saturation is the worst case; none of 30 runs puts the interval's end at 11 %, "
            "one of 30 at 17 %",
        ),
    ),
    figures=figure(
        "lag",
        "Gradient over lag before training, relative to lag 0. (a) Networks of spectral radius 0.9. (b) Gradient 100 "
        "steps back over the spectral radius, every run a dot; above the line it has exploded. Saturated tanh units "
        "keep it down at any radius.",
        curve(
            "Spectral radius 0.9",
            "lag_gradient_norm",
            {NETWORKS[name][0]: of(name, 0.9) for name in NETWORKS},
            over="index",
        ).axes("lag", "gradient, relative", log="y"),
        cloud(
            "100 steps back",
            Over("spectral_radius", "max"),
            FARTHEST,
            {NETWORKS[name][0]: ARMS[name].at() for name in NETWORKS},
            references=(Reference(label="as large as at the end", y=1.0),),
        ).axes(y="gradient, relative", log="y"),
        key=1,
    ),
    smoke=Changes({"model.width": 20}, num_seeds=3),
    full=Changes(num_seeds=60),
    paper=Changes(num_seeds=100),
)
