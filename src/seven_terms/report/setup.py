"""The set-up of an experiment in words, read off its value at the scale that is reported: nothing of it is prose."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Set
from typing import Any

from ..records.plans import Plan
from ..spec import (
    Adam,
    Adding,
    AnyTraining,
    Arm,
    BatchNorm,
    Cifar10,
    Clipping,
    Cnn,
    Constant,
    Digits,
    Experiment,
    Function,
    GaussianInputs,
    GroupNorm,
    Initialization,
    LightningTraining,
    Mlp,
    Point,
    PolyphonicMusic,
    Recurrent,
    Resnet,
    Sgd,
    TemporalOrder,
    Training,
    Transformer,
    read_path,
)
from .lightning import data_in_words, lightning_aspects

MANY = 4  # more values than these are counted, not listed
ASPECTS = (
    "data",
    "model",
    "units",
    "initialization",
    "optimizer",
    "schedule",
    "clipping",
    "batch",
    "updates",
    "arithmetic",
    "trainer",
    "grid",
    "seeds",
)
_ACTIVATIONS = {"relu": "ReLU", "identity": "linear"}
_DRAWN = {
    "he": "He",
    "glorot": "Glorot",
    "lecun": "N(0, 1/n)",
    "xavier_fan_in": "N(0, 1/n)",
    "uniform_fan_in": "U(±1/√n)",
    "gaussian": "N(0, 1)",
    "default": "PyTorch's default",
    "smart_tanh": "sparse, spectral radius 0.95",
    "basic_tanh": "N(0, 0.1²)",
    "sigmoid": "N(0, 0.01²)",
}


def setup_of(plan: Plan) -> dict[str, str]:
    """Return aspect -> words for an experiment; an aspect that arms do not share lists what they have."""
    experiment = plan.experiment
    found: dict[str, list[str]] = {aspect: [] for aspect in ASPECTS}
    for arm in experiment.arms:
        for aspect, text in _aspects(arm, experiment).items():
            found[aspect].append(text)
        found["grid"].append(grid_in_words({**experiment.sweep, **arm.sweep}))
    found["seeds"] = [_seeds_in_words(plan)]
    told = {aspect: _told(texts) for aspect, texts in found.items()}
    return {aspect: text for aspect, text in told.items() if text}


def short_setup(plan: Plan) -> str:
    """Return the set-up in one line for the main text; the supplement has all of it."""
    setup = setup_of(plan)
    setup["data"] = _told(_data_in_short(arm.training) for arm in plan.experiment.arms)
    shown = ("data", "model", "units", "initialization", "optimizer", "batch", "updates", "seeds")
    return "; ".join(setup[aspect] for aspect in shown if setup.get(aspect))


def _told(texts: Iterable[str]) -> str:
    unique = [text for text in dict.fromkeys(texts) if text]
    if len(unique) <= MANY:
        return " / ".join(unique)
    return f"{unique[0]} / {unique[1]} / {len(unique) - 2} more"


def _aspects(arm: Arm, experiment: Experiment) -> dict[str, str]:
    training = arm.training
    if isinstance(training, LightningTraining):
        return lightning_aspects(training, set({**experiment.sweep, **arm.sweep}))
    swept = {path for arm in experiment.arms for path in {**experiment.sweep, **arm.sweep}}
    return {
        "data": task_in_words(training.task),
        "model": model_in_words(training.model, swept={path.removeprefix("model.") for path in swept}),
        "units": units_in_words(training.model),
        "initialization": "" if isinstance(training.model, Point) else drawn_in_words(training.initialization),
        "optimizer": optimizer_in_words(training, is_swept="optimizer.learning_rate" in swept),
        "schedule": _schedule_in_words(training.schedule),
        "clipping": _clipping_in_words(training.clipping),
        "batch": _batch_in_words(training, is_swept="batch_size" in swept),
        "updates": "no update" if training.num_steps == 0 else _counted(training.num_steps, "update"),
        "arithmetic": training.precision,
    }


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _data_in_short(training: AnyTraining) -> str:
    return data_in_words(training) if isinstance(training, LightningTraining) else task_in_short(training.task)


def task_in_words(task: Any) -> str:
    """Return the data with their name, size and split."""
    match task:
        case Digits():
            whole = "5,000 MNIST digits, 3,500 for training, 500 for validation, 1,000 for test"
            if task.source == "mnist":
                whole = "MNIST, 55,000 digits for training, 5,000 for validation, 10,000 for test"
            few = f", the first {task.num_train:,} of training" if task.num_train else ""
            how = f", {task.resolution} × {task.resolution} points" + (", binarized" if task.binarize else "")
            loss = ", squared error" if task.loss == "half_squared_error" else ""
            return whole + few + how + loss
        case Cifar10():
            few = f"{task.num_train:,}" if task.num_train else "45,000"
            return f"CIFAR-10, {few} images for training, 5,000 for validation, 10,000 for test"
        case TemporalOrder(length=length):
            return f"temporal order, sequences of {length} symbols, fresh for each batch"
        case Adding(length=length):
            return f"adding problem, sequences of {length} numbers, fresh for each batch"
        case PolyphonicMusic(name=name):
            return f"polyphonic music, {name.replace('_', ' ')}"
        case GaussianInputs(num_features=num):
            return f"Gaussian inputs of {num} features"
    fields = ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in _changed(task).items())
    name = _spaced(type(task).__name__)
    return f"{name} ({fields})" if fields else name


def task_in_short(task: Any) -> str:
    """Return the data by name, for the main text, whose section on data has sizes and splits."""
    if isinstance(task, Digits):
        few = f"{task.num_train:,} of them, " if task.num_train else ""
        return f"{'all of MNIST' if task.source == 'mnist' else 'MNIST'}, {few}{task.resolution} × {task.resolution}"
    return task_in_words(task).split(", fresh")[0]


def model_in_words(model: Any, *, swept: Set[str] = frozenset()) -> str:
    """Return the size of a model, without what is swept."""
    match model:
        case Mlp():
            depth = "" if "depth" in swept else f"{model.depth} "
            layers = f"{depth}hidden layer{'' if depth == '1 ' else 's'}"
            return layers if "width" in swept else f"{layers} of {model.width}"
        case Recurrent():
            return f"recurrent layer of {model.width}"
        case Resnet():
            return f"{'residual' if model.residual else 'plain'} convolutional network of {6 * model.n + 2} layers"
        case Transformer():
            return f"transformer of {model.depth} blocks, {model.width} wide, rows of pixels as tokens"
        case Cnn():
            return f"convolutional network of {len(model.channels)} layers"
        case Point():
            return f"{model.dimension:,} coordinate{'' if model.dimension == 1 else 's'}"
    return _spaced(type(model).__name__)


def units_in_words(model: Any) -> str:
    """Return the units of a model and what stands around them."""
    match model:
        case Mlp():
            named = model.activation
            kind = named.cls.rpartition(":")[2] if isinstance(named, Function) else _ACTIVATIONS.get(named, named)
            norm = f", {_normalization(model.normalization)}" if model.normalization else ""
            where = " after the activation" if model.normalization and model.placement == "after" else ""
            skip = ", residual" if model.residual else ""
            mup = ", muP" if model.parametrization == "mup" else ""
            return f"{kind}{norm}{where}{skip}{mup}"
        case Recurrent(cell=cell):
            return cell.upper() if cell in ("lstm", "gru") else _ACTIVATIONS.get(cell, cell)
    return ""


def _normalization(normalization: Any) -> str:
    match normalization:
        case BatchNorm():
            parts = [name for name, is_on in (("noisy", normalization.noisy),) if is_on]
            if not normalization.center:
                parts.append("scaling only")
            if not normalization.scale:
                parts.append("centering only")
            if not normalization.affine:
                parts.append("no gain and shift")
            return "batch norm" + (f" ({', '.join(parts)})" if parts else "")
        case GroupNorm(num_groups=num):
            return f"group norm of {num}"
    return "layer norm"


def drawn_in_words(initialization: Initialization) -> str:
    """Return the distribution of the initial weights."""
    kind = _DRAWN.get(initialization.kind, initialization.kind)
    times = f" × {_value(initialization.scale)}" if initialization.scale != 1.0 else ""
    bias = f", forget bias {_value(initialization.forget_bias)}" if initialization.forget_bias else ""
    return f"{kind}{times}{bias}" + ("" if initialization.kind == "default" else " weights")


def optimizer_in_words(training: Training, *, is_swept: bool) -> str:
    """Return the rule and, where it is not swept, its rate."""
    optimizer = training.optimizer
    if training.num_steps == 0:
        return ""
    rate = "" if is_swept else f", rate {_value(read_path(optimizer, 'learning_rate'))}"
    if isinstance(optimizer, Adam):
        return ("AdamW" if optimizer.decoupled else "Adam") + rate
    if isinstance(optimizer, Sgd):
        momentum = f" with momentum {_value(optimizer.momentum)}" if optimizer.momentum else ""
        nesterov = " (Nesterov)" if optimizer.nesterov else ""
        decay = f", weight decay {_value(optimizer.weight_decay)}" if optimizer.weight_decay else ""
        return f"SGD{momentum}{nesterov}{decay}{rate}"
    return _spaced(type(optimizer).__name__) + rate


def _schedule_in_words(schedule: Any) -> str:
    if isinstance(schedule, Constant):
        return "constant"
    fields = ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in _fields(schedule).items())
    return f"{_spaced(type(schedule).__name__)} ({fields})" if fields else _spaced(type(schedule).__name__)


def _clipping_in_words(clipping: Clipping) -> str:
    bounds = {name: value for name, value in _fields(clipping).items() if value != math.inf}
    return " and ".join(f"{name} {_value(value)}" for name, value in bounds.items())


def _batch_in_words(training: Training, *, is_swept: bool) -> str:
    if is_swept or training.num_steps == 0:
        return ""
    if training.batch_size is None:
        return "full batch" if isinstance(training.task, (Digits, Cifar10)) else ""
    return f"batches of {training.batch_size}"


def grid_in_words(sweep: Mapping[str, tuple[Any, ...]]) -> str:
    """Return what is swept: few values one by one, many as a range and their number."""
    return "; ".join(f"{_name(path)} {_values(values)}" for path, values in sweep.items())


def _values(values: tuple[Any, ...]) -> str:
    told = [_value(value) for value in values]
    numbers = all(isinstance(value, (int, float)) for value in values)
    if len(values) <= MANY or not numbers:
        return ", ".join(told) if len(", ".join(told)) < 90 else f"{len(values)} values"
    return f"{told[0]} to {told[-1]} ({len(values)} values)"


def _name(path: str) -> str:
    return path.rsplit(".", 1)[-1].replace("_", " ")


def _value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _in_short(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _in_short(value: Any) -> str:
    """Return a swept record by its name and what it changes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = ", ".join(f"{name.replace('_', ' ')} {_value(one)}" for name, one in _changed(value).items())
        return f"{_spaced(type(value).__name__)} ({changed})" if changed else _spaced(type(value).__name__)
    return str(value)


def _changed(record: Any) -> dict[str, Any]:
    """Return the fields that are not at their defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(record)}
    return {name: value for name, value in _fields(record).items() if value != defaults[name]}


def _fields(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def _spaced(name: str) -> str:
    """Return a class's name in words: "NoisyQuadraticMoments" is "noisy quadratic moments"."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _seeds_in_words(plan: Plan) -> str:
    numbers = sorted(set().union(*(_numbers_of_seeds(plan.experiment, arm) for arm in plan.experiment.arms)))
    if numbers == [1]:
        return "one run each, free of chance" if _is_exact(plan) else "1 seed"
    return " or ".join(str(number) for number in numbers) + " seeds"


def _numbers_of_seeds(experiment: Experiment, arm: Arm) -> set[int]:
    elsewhere = {experiment.num_seeds} if arm.seeds_at else set[int]()
    return {experiment.seeds_of(arm, arm.seeds_at), *elsewhere}


def _is_exact(plan: Plan) -> bool:
    trainings = [arm.training for arm in plan.experiment.arms]
    return not any(isinstance(one, LightningTraining) or one.batch_size is not None for one in trainings)


def selected_in_words(selected: Mapping[str, Any]) -> str:
    """Return the settings that were chosen, e.g. "plain: learning rate 0.25; batch norm: learning rate 1"."""
    parts = []
    for arm, settings in selected.items():
        if isinstance(settings, Mapping) and settings:
            told = ", ".join(f"{_name(path)} {_value(value)}" for path, value in settings.items())
            parts.append(f"{arm.replace('_', ' ')}: {told}")
    return "; ".join(parts)
