"""Probes: what is recorded besides the loss, and at which steps.

Step t means: the parameters after t updates, 0 <= t <= num_steps. A probe never changes the training. The metric names
that each probe writes are listed here; `index` is the layer (0 = nearest the input), the lag or the unit, -1 if none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from .checks import require, require_positive


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """Chosen steps: `every` k-th, `at` given ones, `count` evenly or logarithmically spaced; 0 and the end included."""

    every: int | None = None
    at: tuple[int, ...] = ()
    count: int | None = None
    spacing: Literal["linear", "logarithmic"] = "linear"
    last: bool = True

    def __post_init__(self) -> None:
        for name in ("every", "count"):
            value = getattr(self, name)
            require(value is None or value > 0, what="Steps", must=f"{name} must be > 0", got=value)

    def resolve(self, num_steps: int) -> tuple[int, ...]:
        """Return the increasing steps in [0, num_steps]."""
        chosen = {step for step in self.at if step <= num_steps}
        if self.every:
            chosen |= set(range(0, num_steps + 1, self.every))
        if self.count and self.spacing == "linear":
            chosen |= {round(i * num_steps / self.count) for i in range(self.count + 1)}
        if self.count and self.spacing == "logarithmic":
            chosen |= {0} | {
                round(math.exp(i * math.log(max(num_steps, 1)) / self.count)) for i in range(self.count + 1)
            }
        if self.last:
            chosen.add(num_steps)
        return tuple(sorted(step for step in chosen if step <= num_steps))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """Statistics of every update, summed up in windows of `window` steps and written at the window's last step + 1.

    batch_loss, gradient_norm, clipped_gradient_norm (means), gradient_norm_max, clip_fraction, learning_rate (last);
    with `update_norms` also update_norm (mean), update_norm_max and update_per_gradient (mean of update norm / gradient
    norm, the gradient as it was before clipping). window=1 keeps every update.
    """

    window: int = 10
    update_norms: bool = False

    def __post_init__(self) -> None:
        require_positive("Stream", window=self.window)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluate:
    """<split>_loss and, where the task has one, <split>_accuracy / <split>_error; averaged_<split>_... for averaged iterates.

    `batch_statistics=True` also writes batch_statistics_<split>_...: batch norm with the split's own statistics.
    """

    steps: Steps = Steps(count=20)
    splits: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation", "test")
    num_examples: int = 1000  # of each split, the first ones
    batch_statistics: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerGradients:
    """layer_gradient_norm, layer_gradient_rms (weights), layer_signal_gradient_rms (dL/d pre-activation), layer_weight_norm."""

    steps: Steps = Steps(count=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerUpdates:
    """layer_update_ratio: ||w_{t+1} - w_t|| / ||w_t|| by layer for the update made at the step;
    layer_movement: ||w_t - w_0|| / ||w_0||."""

    steps: Steps = Steps(count=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Activations:
    """Inputs of the activation functions on the validation split.

    activation_p15 / p50 / p85 of the last hidden layer, index = unit (first `num_units`); layer_activation_mean and
    layer_activation_std: worst and typical feature by layer; layer_saturation: share of |tanh| > 0.95 or of sigmoids
    outside [0.025, 0.975], or of ReLUs at zero.
    """

    steps: Steps = Steps(count=50)
    num_units: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class NormalizedOutputs:
    """What each layer hands on: layer_output_mean_abs, layer_output_std_error (mean |std - 1|) over a batch, by layer."""

    steps: Steps = Steps(at=(0,), last=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    """spectral_radius and largest_singular_value of the recurrent matrix."""

    steps: Steps = Steps(count=50)


@dataclass(frozen=True, kw_only=True, slots=True)
class LagGradients:
    """lag_gradient_norm: root mean square over the batch of ||dL/dh_{T-lag}||, index = lag; relative to lag 0."""

    steps: Steps = Steps(at=(0,), last=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerJacobians:
    """jacobian_product_error: relative difference of dL/d(pre-activation 0) and the product of layer Jacobians;
    layer_jacobian_gain: root mean square singular value of each layer's Jacobian, from layer `index` to the next;
    layer_jacobian_mean_singular_value; layer_jacobian_largest_singular_value, over examples too."""

    steps: Steps = Steps(at=(0,), last=False)
    num_examples: int = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Sharpness:
    """sharpness: top Hessian eigenvalue of the training loss (full split), by power iteration / Lanczos on HVPs."""

    steps: Steps = Steps(count=50)
    num_iterations: int = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class LossAlongGradient:
    """Santurkar 2018: steps of several lengths along the batch gradient.

    loss_range: max - min of the loss; gradient_change_max: largest ||g' - g||; relative_gradient_change: that over ||g||;
    effective_smoothness: largest ||g' - g|| / distance.
    """

    steps: Steps = Steps(count=20)
    lengths: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)  # multiples of the gradient, as in the paper


@dataclass(frozen=True, kw_only=True, slots=True)
class CovariateShift:
    """Santurkar 2018, definition 2.1: how much a layer's gradient G turns into another G' when the layers below it make
    the coming update. covariate_shift: ||G' - G||, relative_covariate_shift: that over ||G||, covariate_shift_cosine;
    index = layer, from 1."""

    steps: Steps = Steps(count=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClippedDirection:
    """clip_cosine: cosine between the clipped and the raw gradient at the step;
    clipped_entry_max: largest magnitude of an entry of the clipped gradient; clipped_norm: its norm."""

    steps: Steps = Steps(count=50)


@dataclass(frozen=True, kw_only=True, slots=True)
class Distance:
    """squared_distance: mean over coordinates of x_i^2 for Point models; coordinate: index i (first `num`)."""

    steps: Steps = Steps(count=100)
    num: int = 0


Probe = (
    Stream
    | Evaluate
    | LayerGradients
    | LayerUpdates
    | Activations
    | NormalizedOutputs
    | Recurrence
    | LagGradients
    | LayerJacobians
    | Sharpness
    | LossAlongGradient
    | CovariateShift
    | ClippedDirection
    | Distance
)
