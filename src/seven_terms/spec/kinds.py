"""The door: what a task, a model, an optimizer, a probe or a normalization is, whoever wrote it; standard library only.

A kind is a frozen dataclass below one of these classes. Its fields are what an experiment sets and sweeps, its facts are what
planning counts with, and one method makes the real thing, importing torch only then. The kinds of this package and those of
a user pass through the same methods; there is no list of known ones.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from .checks import require

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Speed = Literal["point", "dense", "recurrent", "convolution"]
SPEEDS: tuple[Speed, ...] = ("point", "dense", "recurrent", "convolution")
# Where a task's examples come from: held in memory, read from a file that tells how many there are, drawn anew without end,
# or none at all, because the loss is a function of the parameters.
Supply = Literal["stored", "file", "endless", "function"]
# What a probe may ask of a model, and how a sentence calls it.
MODEL_PARTS: Mapping[str, str] = {
    "weights": "have weight matrices",
    "layers": "have hidden layers",
    "activation": "have one activation function",
    "dense": "have fully connected hidden layers of one width",
    "states": "be recurrent, with a hidden state for each time step",
    "curvature": "have second derivatives",
    "point": "be a Point",
}


def load(path: str) -> Any:
    """Return what "package.module:name" names, imported now; ValueError that says which package is missing."""
    module, _, name = path.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or module
        do = f"install {missing.partition('.')[0]!r}, or put its folder on PYTHONPATH"
        raise ValueError(f"{path!r}: its module must be importable, got no module named {missing!r}; {do}.") from error
    for part in name.split("."):
        require(hasattr(found, part), what=repr(path), must=f"{module!r} must define {part!r}", got=sorted(vars(found)))
        found = getattr(found, part)
    return found


class Kind(ABC):  # noqa: B024 (its classes say what must be there)
    """Something that an experiment names."""

    __slots__ = ()

    def sources(self) -> tuple[str, ...]:
        """Return the modules, besides the class's own, whose code decides numbers: part of a run's id."""
        return ()

    def files(self) -> tuple[str, ...]:
        """Return the paths of the data files whose content decides numbers: part of a run's id."""
        return ()


class Task(Kind):
    """Which data, which loss. `builder` names a function (task, dtype=, device=) -> `tasks.TaskData`, or override `build`."""

    __slots__ = ()
    builder: ClassVar[str] = ""
    supply: ClassVar[Supply] = "stored"
    each_step: ClassVar[bool] = False  # of sequences: whether an answer is wanted at each time step, or one at the end
    moments: ClassVar[bool] = False  # what is trained are second moments of parameters: an optimizer must say the same

    @property
    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example: (features,), (time, features) or (channels, height, width)."""

    @property
    @abstractmethod
    def num_outputs(self) -> int: ...

    @abstractmethod
    def examples(self, split: Split) -> int:
        """Return how many examples a split has; of a stream that never ends, how many an evaluation sees."""

    @property
    def sequence_length(self) -> int:
        """How many steps a model goes through one after the other: 1 where there is no time."""
        return 1

    @property
    def drawn_per_example(self) -> float:
        """How many random numbers each seed draws for an example: none where examples are stored."""
        return 0.0

    def build(self, *, dtype: Any, device: Any) -> Any:
        return load(self.builder)(self, dtype=dtype, device=device)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """What one example costs in a model.

    `values_saved`: numbers that the forward pass keeps for the backward pass, `pieces` times as many in autograd's memory;
    `values_alive`: the same as runs are cut into stacks by it (it decides ids of stacks, so it stays). `num_layers`: layers
    passed one behind the other, time steps and normalizations counted.
    `speed`: whose measured speed it has. `compiles`: whether an update may go through `torch.compile`;
    `stacks`: whether `torch.vmap` can train several as one, and `because` why not.
    """

    num_parameters: int
    multiply_adds: float
    values_saved: float
    num_layers: float
    speed: Speed
    values_alive: float
    pieces: float = 1.0
    compiles: bool = False
    stacks: bool = True
    because: str = ""


class Model(Kind):
    """A network. `builder` names a function (model, input_shape=, num_outputs=) -> nn.Module, or override `build`.

    Without `facts` of its own a model is built once and measured; what was found is kept in the user's cache folder.
    """

    __slots__ = ()
    builder: ClassVar[str] = ""
    takes: ClassVar[tuple[int, ...]] = ()  # how many dimensions an example may have; (): any
    offers: ClassVar[tuple[str, ...] | None] = (
        None  # which MODEL_PARTS probes find; None: nobody knows before it is built
    )

    @property
    def answers_each_step(self) -> bool:
        """Whether the outputs have a time axis: see `Task.each_step`."""
        return False

    def normalized(self, input_shape: tuple[int, ...]) -> Iterator[tuple[Normalization, int, int]]:
        """Yield what is normalized: (by what, features, places of each feature in an example)."""
        return iter(())

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        measured = load("seven_terms.spec.measured:measured")
        return ModelFacts(**measured(self, "seven_terms.models.measured:measure", input_shape, num_outputs))

    def build(self, *, input_shape: tuple[int, ...], num_outputs: int) -> Any:
        return load(self.builder)(self, input_shape=input_shape, num_outputs=num_outputs)


class Normalization(Kind):
    """What follows a layer's sum or its activation. `builder` names a function (normalization, features) -> nn.Module."""

    __slots__ = ()
    builder: ClassVar[str] = ""
    over_examples: ClassVar[bool] = False  # whether the output of one example depends on the others of its batch

    def require_fit(self, *, features: int, examples: int, places: int, num_devices: int) -> None:
        """Raise a ValueError where it cannot normalize this many features over this many examples."""

    def num_parameters(self, features: int) -> int:
        return 2 * features

    def build(self, features: int) -> Any:
        return load(self.builder)(self, features)


class Optimizer(Kind):
    """An update rule on tensors [R, ...], one run per first index; needs no torch, since tensors bring their own methods.

    Float fields may differ between the runs of a stack, other fields may not. `learning_rate` must be one of them.
    """

    __slots__ = ()
    moments: ClassVar[bool] = False  # see `Task`
    may_be_left_out: ClassVar[tuple[str, ...]] = ()  # float fields that are off, without work, where every run has zero
    result: ClassVar[str] = ""  # which memory is handed over in place of the parameters, once there was an update

    def memory(self, hyper: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of what is remembered for every parameter, zero at the start."""
        return ()

    def coefficients(self, hyper: Mapping[str, Any], rate: Any, number: Any) -> dict[str, Any]:
        """Return the numbers [R], float64, of 0-based update `number`; `rate` is the learning rate times its schedule."""
        return {**hyper, "rate": rate}

    @abstractmethod
    def update(self, w: Any, g: Any, memory: Mapping[str, Any], c: Any, *, number: Any) -> tuple[Any, dict[str, Any]]:
        """Return (new parameter, new memory) from parameter, gradient and memory; `c.<name>` is a coefficient shaped like w."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passes:
    """`count` passes of every run over `examples`: forward alone (share 1) or forward and backward (share 3)."""

    count: float
    examples: float
    share: int = 3


class Probe(Kind):
    """What is recorded besides the loss. `observe` names a function (probe, program, step) -> (metric, values, index), ..."""

    __slots__ = ()
    observe: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()  # MODEL_PARTS of the model

    def require_fit(self, training: Any) -> None:
        """Raise a ValueError where runs of this `Training` cannot be observed, besides the parts of the model."""

    @abstractmethod
    def passes(self, training: Any) -> Iterator[Passes]:
        """Yield what all observations of a run with this `Training` cost."""

    def other_operations(self, training: Any) -> float:
        """Return operations besides passes, such as eigenvalues."""
        return 0.0

    def at_step(self, program: Any, step: int) -> Iterator[Any]:
        """Observe at the present parameters."""
        return load(self.observe)(self, program, step)

    def after_update(self, program: Any, before: Mapping[str, Any]) -> Iterator[Any]:
        """Observe what needs the parameters before and after an update."""
        return iter(())
