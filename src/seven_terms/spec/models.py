"""Models and their initialization. Shapes are part of the tensor program, initialization is not."""

from __future__ import annotations

from typing import Annotated, Literal

from .checked import checked
from .checks import require
from .later import later
from .limits import Bounds, Fraction, NonNegative, Sized

Width = Annotated[int, Bounds(low=1, high=100_000)]
Depth = Annotated[int, Bounds(low=0, high=10_000)]
Stride = Annotated[int, Bounds(low=1, high=16)]

Activation = Literal["sigmoid", "tanh", "relu", "identity", "softsign"]


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
class BatchNorm:
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
    synchronized: bool = later(False)

    def __post_init__(self) -> None:
        must = "ghost must be None where statistics are synchronized over devices"
        require(not (self.synchronized and self.ghost), what="BatchNorm", must=must, got=self.ghost)


@checked
class LayerNorm:
    eps: NonNegative = 1e-5


@checked
class GroupNorm:
    num_groups: Width = 4
    eps: NonNegative = 1e-5


Normalization = BatchNorm | LayerNorm | GroupNorm


@checked
class Mlp:
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


@checked
class Cnn:
    """Small convolutional network: 3x3 convolutions with the given channels, stride 2 where listed, mean pool, linear."""

    channels: Annotated[tuple[Width, ...], Sized(least=1, most=1_000)] = (16, 32, 32)
    strides: Annotated[tuple[Stride, ...], Sized(least=1, most=1_000)] = (2, 2, 1)
    activation: Activation = "relu"
    normalization: Normalization | None = None

    def __post_init__(self) -> None:
        must = f"strides must be as many as channels, {len(self.channels)}"
        require(len(self.strides) == len(self.channels), what="Cnn", must=must, got=self.strides)


@checked
class Resnet:
    """CIFAR ResNet of 6n+2 layers, 16/32/64 filters, option-A shortcuts; `residual=False` is the plain net (He 2015)."""

    n: Annotated[int, Bounds(low=1, high=1_000)] = 3
    residual: bool = True
    normalization: Normalization | None = BatchNorm()
    width: Width = 16


@checked
class Recurrent:
    """One recurrent layer; the readout sees the last state, or every state when `read_all`.

    `regularization` weighs the vanishing-gradient regularizer of Pascanu et al. 2013, for simple cells read at their end.
    """

    cell: Literal["tanh", "sigmoid", "relu", "identity", "lstm", "gru"] = "tanh"
    width: Width = 50
    read_all: bool = False
    regularization: NonNegative = later(0.0)

    def __post_init__(self) -> None:
        regularized = self.regularization != 0
        must = "regularization needs a simple cell whose last state is read"
        gated = self.cell in ("lstm", "gru") or self.read_all
        require(not (regularized and gated), what="Recurrent", must=must, got=(self.cell, self.read_all))


@checked
class Point:
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


Model = Mlp | Cnn | Resnet | Recurrent | Point
