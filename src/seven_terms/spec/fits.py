"""Which model goes with which task, batch, optimizer and probe: what each field alone cannot know.

Each kind states its part (see `kinds`); a kind that states nothing is not held back.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .checks import require
from .kinds import MODEL_PARTS, SPLITS, Model, Probe

if TYPE_CHECKING:
    from .experiment import Training

SHAPES = {1: "vectors (features)", 2: "sequences (time, features)", 3: "images (channels, height, width)"}
IMAGES = 3
# Beyond these nobody waits for the end, on any machine; before it, planning and tables would stand still.
MOST_VALUES = 10**10  # of a split, of a batch
MOST_PARAMETERS = 10**9
MOST_EXAMPLES = 10**11  # that a run sees
MOST_OPERATIONS = 1e20  # of a run


def check_training(training: Training) -> None:
    """Raise a ValueError where the parts of a training do not go together."""
    _check_shape(training)
    _check_optimizer(training)
    _check_batches(training)
    _check_normalization(training)
    _check_trained(training)
    _check_size(training)


def check_probe(probe: Probe, training: Training, *, what: str) -> None:
    """Raise a ValueError where runs of this training cannot be measured by a probe."""
    model = training.model
    for part in probe.needs:
        offers = model.offers is None or part in model.offers
        require(
            offers, what=f"{what}, probe {type(probe).__name__}", must=f"the model must {MODEL_PARTS[part]}", got=model
        )
    probe.require_fit(training)


def _check_shape(training: Training) -> None:
    model, task = training.model, training.task
    what, shape = f"{type(model).__name__} on {type(task).__name__}", task.input_shape
    if "point" in (model.offers or ()):
        do = "take Quadratic, NoisyQuadraticMoments, PowerFunction, OneUnitRecurrence or LinearMemory"
        require(task.supply == "function", what=what, must="the task must be a function of the parameters alone",
                got=task, do=do)  # fmt: skip
        num_parameters, must = _num_parameters(training), f"dimension must be {task.num_outputs}, as the task has it"
        require(num_parameters == task.num_outputs, what=what, must=must, got=num_parameters)
    elif task.supply == "function":
        must = "the model must be a Point, since the task is a function of the parameters alone"
        require(not model.takes, what=what, must=must, got=model)
    elif model.takes:
        words = " or ".join(SHAPES[number] for number in model.takes)
        do = "set image=True on the task" if model.takes == (IMAGES,) and hasattr(task, "image") else ""
        require(len(shape) in model.takes, what=what, must=f"examples must be {words}", got=shape, do=do)
        must = f"read_all must be {task.each_step}, as {type(task).__name__} wants an answer " + (
            "at each time step" if task.each_step else "at the end"
        )
        require(model.answers_each_step == task.each_step, what=what, must=must, got=model.answers_each_step)


def _check_optimizer(training: Training) -> None:
    task, optimizer = training.task, training.optimizer
    what = f"{type(optimizer).__name__} on {type(task).__name__}"
    must = "the optimizer must be ExpectedSgd, the only one for second moments"
    require(optimizer.moments or not task.moments, what=what, must=must, got=optimizer)
    must = "the task must be NoisyQuadraticMoments, whose parameters are second moments"
    require(task.moments or not optimizer.moments, what=what, must=must, got=task)


def _check_batches(training: Training) -> None:
    task, size = training.task, training.batch_size
    if task.supply == "endless":
        must = f"batch_size must be a number, since the examples of {type(task).__name__} never end"
        require(size is not None, what="Training", must=must, got=size)
    grown = size is not None or not training.batch_growth
    require(grown, what="Training", must="batch_growth needs a batch_size", got=training.batch_growth)
    if task.supply == "stored" and size is not None and training.num_steps:
        largest, whole = max(batch_sizes(training)), task.examples("train")
        grows = " times the growth" if training.batch_growth else ""
        must = f"batch_size{grows} must be at most {whole:,}, the training split of {type(task).__name__}"
        require(largest <= whole, what="Training", must=must, got=largest)


def batch_sizes(training: Training) -> tuple[int, ...]:
    """Return how many examples the updates of a training see, the whole split without a batch size."""
    if training.batch_size is None:
        return (training.task.examples("train"),)
    return tuple(training.batch_size * growth for growth in {1, *[growth for _, growth in training.batch_growth]})


def _check_normalization(training: Training) -> None:
    for norm, features, places in training.model.normalized(training.task.input_shape):
        for examples in batch_sizes(training):
            norm.require_fit(features=features, examples=examples, places=places, num_devices=training.num_devices)


def _check_trained(training: Training) -> None:
    """Raise a ValueError where a model has no parameters of the kind that is trained; own models are asked when built."""
    model, trained = training.model, training.trained
    if trained == "all" or model.offers is None:
        return
    what = f"Training, trained={trained!r}"
    require("point" not in model.offers, what=what, must="the model must have weight matrices", got=model)
    if trained == "normalization":
        normalized = model.normalized(training.task.input_shape)
        learned = any(norm.num_parameters(features) for norm, features, _ in normalized)
        require(learned, what=what, must="the model must have a normalization with gains and shifts", got=model)
    else:
        must = "the model must have hidden layers, to train them or the readout alone"
        require(getattr(model, "depth", 1) > 0, what=what, must=must, got=model)


def _check_size(training: Training) -> None:
    task, largest = training.task, max(batch_sizes(training))
    values = math.prod(task.input_shape)
    for split in SPLITS:
        _require_most(
            f"the {split} split of {type(task).__name__}", "numbers", task.examples(split) * values, MOST_VALUES
        )
    _require_most("a batch", "numbers", largest * values, MOST_VALUES)
    _require_most("a run", "examples", training.num_steps * largest, MOST_EXAMPLES)
    if type(training.model).facts is not Model.facts:  # a model that must be built to be known is asked by planning
        facts = training.model.facts(task.input_shape, task.num_outputs)
        _require_most("the model", "parameters", facts.num_parameters, MOST_PARAMETERS)
        operations = 6.0 * facts.multiply_adds * largest * max(training.num_steps, 1)
        _require_most("a run", "operations", operations, MOST_OPERATIONS)


def _num_parameters(training: Training) -> int:
    return training.model.facts(training.task.input_shape, training.task.num_outputs).num_parameters


def _require_most(holder: str, of: str, number: float, most: float) -> None:
    must = f"{holder} must have at most {most:.0e} {of}"
    require(number <= most, what="Training", must=must, got=number, do="make it smaller")
