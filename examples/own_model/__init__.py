"""Own models: any nn.Module, its constructor's arguments swept. Attention against a GRU on digits read row by row."""

from seven_terms.spec import *

training = Training(
    task=Digits(resolution=7, num_train=500),
    model=Module(cls="own_model.nets:Transformer", arguments={"width": 16, "dropout": 0.0}),
    optimizer=Adam(learning_rate=0.01),
    num_steps=80,
    batch_size=25,
)
attention = Arm("attention", training, sweep={"model.arguments.dropout": (0.0, 0.3)})
gru = Arm("gru", training.but(model=Module(cls="own_model.nets:Gru")), label="GRU")
experiment = Experiment(
    name="attention_or_gru",
    term="vanishing_gradient",
    title="Attention or a GRU",
    question="Which of two small networks reads digits better after 80 steps?",
    method="Both see the seven rows of a digit; one attends to all of them, one carries a state from row to row.",
    arms=(attention, gru),
    num_seeds=4,
    probes=(Stream(window=10), Evaluate(steps=Steps(count=4), splits=("validation", "test"))),
    selection=Selection(metric="validation_loss"),
    claims=(
        claim(
            "MINE2",
            "Attention over rows beats a recurrent network of the same width.",
            PairedDifference(Last("test_accuracy"), attention.best(), gru.at()).above(0.0),
            source="folklore",
            unit="share of test images, attention minus GRU",
            because="the same images in the same order, and a difference beyond the spread of seeds",
        ),
    ),
    figures=(
        figure(
            "accuracy",
            "Accuracy while training.",
            curve("accuracy", "test_accuracy", {**best_runs(attention), **all_runs(gru)}),
        ),
    ),
)
EXPERIMENTS = (experiment,)
