"""Models and their initialization. Shapes are part of the tensor program, initialization is not.

Long, because every built-in model stands here with its facts: one file to read for who adds one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from .checked import checked
from .checks import require
from .kinds import Kind, Model, ModelFacts, Normalization
from .later import later
from .limits import Bounds, Fraction, Matches, NonNegative, Sized
from .settings import Settings

Width = Annotated[int, Bounds(low=1, high=100_000)]
Depth = Annotated[int, Bounds(low=0, high=10_000)]
Stride = Annotated[int, Bounds(low=1, high=16)]

CLASS = Matches(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", "a class as 'package.module:Class'")


@checked(kw_only=False)
class Function(Kind):
    """An activation function from elsewhere: any class of nn.Module that takes each number by itself, "torch.nn:GELU"."""

    cls: Annotated[str, CLASS]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", Settings(self.arguments))

    def sources(self) -> tuple[str, ...]:
        module = self.cls.partition(":")[0]
        return () if module.partition(".")[0] == "torch" else (module,)


Activation = Literal["sigmoid", "tanh", "relu", "identity", "softsign"] | Function


@checked
class Initialization:
    """How weights are drawn from the run's seed; biases are zero unless `default` says otherwise.

    `scale` multiplies every drawn weight matrix: it may vary inside a stack, as may the kind.
    gaussian: N(0, 1); lecun: N(0, 1/n_in); uniform_fan_in: U[-1/sqrt(n_in), 1/sqrt(n_in)] (Glorot's "standard");
    glorot: U[+-sqrt(6/(n_in+n_out))]; xavier_fan_in: N(0, 1/n_in) as used for ReLU before He; he: N(0, 2/n_in);
    orthogonal: Haar-distributed; default: PyTorch's own for each module, biases included;
    smart_tanh: recurrent matrix with 15 non-zeros a row and spectral radius 0.95, others N(0, 0.01^2) (Pascanu 2013);
    basic_tanh: all N(0, 0.1^2); sigmoid: all N(0, 0.01^2) (same source).
    """

    kind: Literal[
        "gaussian",
        "lecun",
        "uniform_fan_in",
        "glorot",
        "xavier_fan_in",
        "he",
        "orthogonal",
        "default",
        "smart_tanh",
        "basic_tanh",
        "sigmoid",
        "constant",
    ] = "default"
    scale: NonNegative = 1.0
    bias_scale: NonNegative = 0.0  # standard deviation of Gaussian biases
    recurrent_scale: NonNegative = 1.0  # further factor on recurrent matrices only
    forget_bias: float = 0.0  # added to LSTM forget gates / subtracted from GRU update gates
    input_gate_bias: float = 0.0  # added to LSTM input gates


@checked
class BatchNorm(Normalization):
    """Batch normalization; `ghost` computes statistics over that many examples instead of the whole batch.

    In a run over several devices each one's share of the batch has its own statistics; `synchronized` gives all shares
    common ones.
    """

    eps: NonNegative = 1e-5
    momentum: Fraction = 0.1
    center: bool = True
    scale: bool = True
    affine: bool = True
    ghost: Annotated[int, Bounds(low=2, high=1_000_000)] | None = None
    noisy: bool = False  # Santurkar 2018: noise of non-zero mean and non-unit variance after the normalization
    synchronized: bool = later(default=False)

    def __post_init__(self) -> None:
        must = "ghost must be None where statistics are synchronized over devices"
        require(not (self.synchronized and self.ghost), what="BatchNorm", must=must, got=self.ghost)

    builder = "seven_terms.models.normalization:batch_norm"
    over_examples = True

    def require_fit(self, *, features: int, examples: int, places: int, num_devices: int) -> None:
        share = max(examples // num_devices, 1)
        must = f"ghost must divide the batch{' of each device' if num_devices > 1 else ''}, {share} examples"
        require(not self.ghost or share % self.ghost == 0, what="BatchNorm", must=must, got=self.ghost)
        together = self.ghost or (examples if self.synchronized else share)
        must, do = "statistics need more than one value of each feature", "take a larger batch_size"
        require(together * places > 1, what="BatchNorm", must=must, got=f"a batch of {examples}", do=do)

    def num_parameters(self, features: int) -> int:
        return 2 * features if self.affine else 0


@checked
class LayerNorm(Normalization):
    eps: NonNegative = 1e-5

    builder = "seven_terms.models.normalization:layer_norm"


@checked
class GroupNorm(Normalization):
    num_groups: Width = 4
    eps: NonNegative = 1e-5

    builder = "seven_terms.models.normalization:group_norm"

    def require_fit(self, *, features: int, examples: int, places: int, num_devices: int) -> None:
        must = f"num_groups must divide the {features} features that are normalized"
        require(features % self.num_groups == 0, what="GroupNorm", must=must, got=self.num_groups)


@checked
class Mlp(Model):
    """Fully connected network: `depth` hidden layers of `width`, then a linear readout.

    Each hidden layer is linear -> [normalization] -> activation (`placement="before"`) or linear -> activation ->
    [normalization]. `residual` adds a skip over every hidden layer of equal width. `bias=False` drops biases.
    `parametrization="mup"` multiplies the readout and the inputs so that one rate fits all widths (Yang et al. 2022).
    """

    depth: Depth = 3
    width: Width = 100
    activation: Activation = "relu"
    normalization: Normalization | None = None
    placement: Literal["before", "after"] = "before"
    residual: bool = False
    bias: bool = True
    parametrization: Literal["standard", "mup"] = "standard"
    base_width: Width = 64

    def __post_init__(self) -> None:
        alone = self.parametrization == "standard" or self.normalization is None
        must = "normalization must be None with muP, whose derivation knows no gains and shifts"
        require(alone, what="Mlp", must=must, got=self.normalization)

    builder = "seven_terms.models.mlp:mlp"
    takes = (1, 3)
    offers = ("weights", "layers", "activation", "dense", "curvature")

    def normalized(self, input_shape: tuple[int, ...]) -> Iterator[tuple[Normalization, int, int]]:
        if self.normalization is not None and self.depth:
            yield self.normalization, self.width, 1

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        widths = [math.prod(input_shape), *[self.width] * self.depth, num_outputs]
        products = sum((a + self.bias) * b for a, b in itertools.pairwise(widths))
        normalized = self.normalization is not None
        return ModelFacts(
            num_parameters=products + self.depth * _norm_parameters(self.normalization, self.width),
            multiply_adds=products,
            values_saved=widths[0] + (5 if normalized else 2) * self.depth * self.width,
            values_alive=3 * self.depth * self.width,
            num_layers=self.depth * (2 if normalized else 1) + 1,
            speed="dense",
            compiles=True,
        )


@checked
class Cnn(Model):
    """Small convolutional network: 3x3 convolutions with the given channels, stride 2 where listed, mean pool, linear."""

    channels: Annotated[tuple[Width, ...], Sized(least=1, most=1_000)] = (16, 32, 32)
    strides: Annotated[tuple[Stride, ...], Sized(least=1, most=1_000)] = (2, 2, 1)
    activation: Activation = "relu"
    normalization: Normalization | None = None

    def __post_init__(self) -> None:
        must = f"strides must be as many as channels, {len(self.channels)}"
        require(len(self.strides) == len(self.channels), what="Cnn", must=must, got=self.strides)

    builder = "seven_terms.models.convolutional:cnn"
    takes = (3,)
    offers = ("weights", "layers", "activation", "curvature")

    def normalized(self, input_shape: tuple[int, ...]) -> Iterator[tuple[Normalization, int, int]]:
        return _normalized(self.channels_and_strides(), self.normalization, input_shape)

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        return _convolutional_facts(self.channels_and_strides(), self.normalization, input_shape, num_outputs)

    def channels_and_strides(self) -> Iterator[tuple[int, int]]:
        """Yield those of each convolution."""
        return zip(self.channels, self.strides, strict=True)


@checked
class Resnet(Model):
    """CIFAR ResNet of 6n+2 layers, 16/32/64 filters, option-A shortcuts; `residual=False` is the plain net (He 2015)."""

    n: Annotated[int, Bounds(low=1, high=1_000)] = 3
    residual: bool = True
    normalization: Normalization | None = BatchNorm()
    width: Width = 16

    builder = "seven_terms.models.convolutional:resnet"
    takes = (3,)
    offers = ("weights", "layers", "curvature")

    def normalized(self, input_shape: tuple[int, ...]) -> Iterator[tuple[Normalization, int, int]]:
        return _normalized(self.channels_and_strides(), self.normalization, input_shape)

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        return _convolutional_facts(self.channels_and_strides(), self.normalization, input_shape, num_outputs)

    def channels_and_strides(self) -> Iterator[tuple[int, int]]:
        """Yield those of each convolution: the stem, and two for each block."""
        yield self.width, 1
        for stage in range(3):
            yield self.width * 2**stage, 2 if stage else 1
            yield from [(self.width * 2**stage, 1)] * (2 * self.n - 1)


@checked
class Recurrent(Model):
    """One recurrent layer; the readout sees the last state, or every state when `read_all`.

    `regularization` weighs the vanishing-gradient regularizer of Pascanu et al. 2013, for simple cells read at their end.
    """

    cell: Literal["tanh", "sigmoid", "relu", "identity", "lstm", "gru"] = "tanh"
    width: Width = 50
    read_all: bool = False
    regularization: NonNegative = later(default=0.0)

    def __post_init__(self) -> None:
        regularized = self.regularization != 0
        must = "regularization needs a simple cell whose last state is read"
        gated = self.cell in ("lstm", "gru") or self.read_all
        require(not (regularized and gated), what="Recurrent", must=must, got=(self.cell, self.read_all))

    builder = "seven_terms.models.recurrent:recurrent"
    takes = (2,)
    offers = ("weights", "states")

    @property
    def answers_each_step(self) -> bool:
        return self.read_all

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        length, features = input_shape if len(input_shape) == 2 else (1, math.prod(input_shape))
        gates = {"lstm": 4, "gru": 3}.get(self.cell, 1)
        num_parameters = gates * self.width * (features + self.width + 1) + (self.width + 1) * num_outputs
        saved = {"lstm": 10, "gru": 8}.get(self.cell, 3)
        return ModelFacts(
            num_parameters=num_parameters,
            multiply_adds=num_parameters * length,
            values_saved=length
            * self.width
            * saved
            * (1 if gates == 1 else 2.5),  # autograd keeps the gates' pieces too
            values_alive=3 * length * self.width,
            num_layers=length * (1 if gates == 1 else 3) + 2,
            speed="recurrent",
        )


@checked
class Point(Model):
    """The parameters themselves: x in R^dimension, started at `start` (or N(0, start^2) when `random`).

    `start` may be one number for every coordinate, or one for each.
    """

    dimension: Annotated[int, Bounds(low=1, high=1_000_000)] = 100
    start: float | Annotated[tuple[float, ...], Sized(least=1, most=1_000_000)] = 1.0
    random: bool = False

    def __post_init__(self) -> None:
        num = len(self.start) if isinstance(self.start, tuple) else self.dimension
        require(
            num == self.dimension, what="Point", must="start must have a number for each coordinate", got=self.start
        )

    builder = "seven_terms.models.point:point"
    offers = ("point", "curvature")

    def facts(self, input_shape: tuple[int, ...], num_outputs: int) -> ModelFacts:
        return ModelFacts(
            num_parameters=self.dimension,
            multiply_adds=self.dimension,
            values_saved=2.0 * self.dimension,
            values_alive=3.0 * self.dimension,
            num_layers=1,
            speed="point",
        )


@checked
class Module(Model):
    """Any class of nn.Module, "package.module:Class", with the arguments of its constructor: sweep "model.arguments.<name>".

    A constructor that has parameters input_shape, num_inputs or num_outputs gets them from the task. What it costs, and whether
    it can be stacked, is measured once.
    """

    cls: Annotated[str, CLASS]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", Settings(self.arguments))

    builder = "seven_terms.models.own:module"

    def sources(self) -> tuple[str, ...]:
        return (self.cls.partition(":")[0],)


@dataclass(frozen=True, kw_only=True, slots=True)
class Convolution:
    """A 3x3 convolution: channels in and out, and the side of its square output."""

    inputs: int
    channels: int
    side: int


def convolutions(
    channels_and_strides: Iterable[tuple[int, int]], input_shape: tuple[int, ...]
) -> tuple[Convolution, ...]:
    """Return the convolutions of a net, nearest the input first."""
    before, side = input_shape[0], input_shape[-1]
    layers = []
    for channels, stride in channels_and_strides:
        side = math.ceil(side / stride)
        layers.append(Convolution(inputs=before, channels=channels, side=side))
        before = channels
    return tuple(layers)


def _convolutional_facts(
    channels_and_strides: Iterable[tuple[int, int]],
    norm: Normalization | None,
    input_shape: tuple[int, ...],
    num_outputs: int,
) -> ModelFacts:
    layers = convolutions(channels_and_strides, input_shape)
    kernels = sum(9 * layer.inputs * layer.channels for layer in layers)
    others = sum(_norm_parameters(norm, layer.channels) if norm else layer.channels for layer in layers)
    each = 5 if norm else 2  # kept for the backward pass: input, normalization's steps, activation
    saved = each * sum(layer.channels * layer.side**2 for layer in layers)
    return ModelFacts(
        num_parameters=kernels + others + (layers[-1].channels + 1) * num_outputs,
        multiply_adds=sum(9.0 * layer.inputs * layer.channels * layer.side**2 for layer in layers),
        values_saved=saved,
        values_alive=saved,
        num_layers=len(layers) * (2 if norm else 1) + 1,
        speed="convolution",
        compiles=True,
    )


def _normalized(
    channels_and_strides: Iterable[tuple[int, int]], norm: Normalization | None, input_shape: tuple[int, ...]
) -> Iterator[tuple[Normalization, int, int]]:
    if norm is not None:
        sizes = {(layer.channels, layer.side**2) for layer in convolutions(channels_and_strides, input_shape)}
        yield from ((norm, channels, places) for channels, places in sorted(sizes))


def _norm_parameters(norm: Normalization | None, features: int) -> int:
    return norm.num_parameters(features) if norm else 0
