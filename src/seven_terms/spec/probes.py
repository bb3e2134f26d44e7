"""Probes: what is recorded besides the loss, and at which steps.

Step t means: the parameters after t updates, 0 <= t <= num_steps. A probe never changes the training. The metric names
that each probe writes are listed here; `index` is the layer (0 = nearest the input), the lag or the unit, -1 if none.

Long, because every built-in probe stands here with the metrics that it records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from .checked import checked
from .checks import require
from .kinds import Passes, Probe, Split, load
from .limits import Bounds, Count, Number, Positive, Sized
from .refusals import hints_of

if TYPE_CHECKING:
    from .experiment import Training

EXAMPLES_AT_ONCE = 250  # of an evaluation: bounds the memory of a forward pass over all runs


@checked
class Steps:
    """Chosen steps: `every` k-th, `at` given ones, `count` evenly or logarithmically spaced; 0 and the end included."""

    every: Annotated[int, Bounds(low=1, high=1_000_000_000)] | None = None
    at: Annotated[tuple[Number, ...], Sized(unique=True)] = ()
    count: Count | None = None
    spacing: Literal["linear", "logarithmic"] = "linear"
    last: bool = True

    def __post_init__(self) -> None:
        chosen = self.every or self.at or self.count or self.last
        require(bool(chosen), what="Steps", must="every, at, count or last must choose a step", got=self)

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

    def times(self, training: Training) -> int:
        """Return at how many steps of a training these are."""
        return len(self.resolve(training.num_steps))


@checked
class Stream(Probe):
    """Statistics of every update, summed up in windows of `window` steps and written at the window's last step + 1.

    batch_loss, gradient_norm, clipped_gradient_norm (means), gradient_norm_max, clip_fraction, learning_rate (last);
    with `update_norms` also update_norm (mean), update_norm_max and update_per_gradient (mean of update norm / gradient
    norm, the gradient as it was before clipping). window=1 keeps every update.
    """

    window: Annotated[int, Bounds(low=1, high=1_000_000_000)] = 10
    update_norms: bool = False

    def passes(self, training: Training) -> Iterator[Passes]:
        return iter(())  # it watches the updates themselves

    def at_step(self, program: Any, step: int) -> Iterator[Any]:
        return iter(())  # the trainer collects what updates tell


@checked
class Evaluate(Probe):
    """<split>_loss and, where the task has one, <split>_accuracy / <split>_error; averaged_<split>_... for averaged iterates,
    iterate_<split>_... for those of an optimizer that hands over something else.

    `batch_statistics=True` also writes batch_statistics_<split>_...: batch norm with the split's own statistics.
    """

    steps: Steps = Steps(count=20)
    splits: Annotated[tuple[Split, ...], Sized(least=1, unique=True)] = ("train", "validation", "test")
    num_examples: Count = 1000  # of each split, the first ones
    batch_statistics: bool = False

    observe = "seven_terms.probes.evaluate:observe_evaluation"

    def require_fit(self, training: Training) -> None:
        if self.batch_statistics:
            for split in self.splits:
                _require_normalized(training, min(self.num_examples, training.task.examples(split)))

    def passes(self, training: Training) -> Iterator[Passes]:
        times, rule = self.steps.times(training), training.optimizer
        averages = bool(getattr(rule, "average_iterates", False) or rule.result)
        for split in self.splits:
            examples = min(self.num_examples, training.task.examples(split))
            parts = math.ceil(examples / EXAMPLES_AT_ONCE)
            yield Passes(count=(1 + averages) * times * parts, examples=examples / parts, share=1)
            if self.batch_statistics:
                yield Passes(count=times, examples=examples, share=1)


@checked
class LayerGradients(Probe):
    """layer_gradient_norm, layer_gradient_rms (weights), layer_signal_gradient_rms (dL/d pre-activation), layer_weight_norm."""

    steps: Steps = Steps(count=10)

    observe = "seven_terms.probes.layers:observe_layer_gradients"
    needs = ("weights",)

    def passes(self, training: Training) -> Iterator[Passes]:
        yield Passes(count=2 * self.steps.times(training), examples=_batch(training))


@checked
class LayerUpdates(Probe):
    """layer_update_ratio: ||w_{t+1} - w_t|| / ||w_t|| by layer for the update made at the step;
    layer_movement: ||w_t - w_0|| / ||w_0||."""

    steps: Steps = Steps(count=10)

    needs = ("weights",)

    def passes(self, training: Training) -> Iterator[Passes]:
        return iter(())  # it looks at an update that is made anyway

    def at_step(self, program: Any, step: int) -> Iterator[Any]:
        return iter(())  # see after_update

    def after_update(self, program: Any, before: Mapping[str, Any]) -> Iterator[Any]:
        return load("seven_terms.probes.layers:observe_layer_updates")(program, before)


@checked
class Rotation(Probe):
    """layer_rotation: the angle between a layer's weights before and after the update made at the step, in radians;
    layer_squared_rotation: its square, of which a mean over steps is taken."""

    steps: Steps = Steps(count=10)

    needs = ("weights",)

    def passes(self, training: Training) -> Iterator[Passes]:
        return iter(())  # it looks at an update that is made anyway

    def at_step(self, program: Any, step: int) -> Iterator[Any]:
        return iter(())  # see after_update

    def after_update(self, program: Any, before: Mapping[str, Any]) -> Iterator[Any]:
        return load("seven_terms.probes.layers:observe_rotation")(program, before)


@checked
class Activations(Probe):
    """Inputs of the activation functions on the validation split.

    activation_p15 / p50 / p85 of the last hidden layer, index = unit (first `num_units`); layer_activation_mean and
    layer_activation_std: worst and typical feature by layer; layer_saturation: share of |tanh| > 0.95 or of sigmoids
    outside [0.025, 0.975], or of ReLUs at zero.
    """

    steps: Steps = Steps(count=50)
    num_units: Count = 100

    observe = "seven_terms.probes.activations:observe_activations"
    needs = ("layers", "activation")

    def require_fit(self, training: Training) -> None:
        _require_depth(self, training, 1)

    def passes(self, training: Training) -> Iterator[Passes]:
        yield Passes(count=self.steps.times(training), examples=EXAMPLES_AT_ONCE, share=1)


@checked
class NormalizedOutputs(Probe):
    """What each layer hands on: layer_output_mean_abs, layer_output_std_error (mean |std - 1|) over a batch, by layer."""

    steps: Steps = Steps(at=(0,), last=True)

    observe = "seven_terms.probes.activations:observe_normalized_outputs"
    needs = ("layers",)

    def require_fit(self, training: Training) -> None:
        _require_depth(self, training, 1)

    def passes(self, training: Training) -> Iterator[Passes]:
        yield Passes(count=self.steps.times(training), examples=_batch(training), share=1)


@checked
class Recurrence(Probe):
    """spectral_radius and largest_singular_value of the recurrent matrix."""

    steps: Steps = Steps(count=50)

    observe = "seven_terms.probes.recurrence:observe_recurrence"
    needs = ("states",)

    def passes(self, training: Training) -> Iterator[Passes]:
        return iter(())

    def other_operations(self, training: Training) -> float:
        """Eigenvalues, one run's matrix at a time, at a tenth of the speed of products."""
        return self.steps.times(training) * 400.0 * getattr(training.model, "width", 1) ** 3


@checked
class LagGradients(Probe):
    """lag_gradient_norm: root mean square over the batch of ||dL/dh_{T-lag}||, index = lag; relative to lag 0."""

    steps: Steps = Steps(at=(0,), last=False)

    observe = "seven_terms.probes.recurrence:observe_lag_gradients"
    needs = ("states",)

    def passes(self, training: Training) -> Iterator[Passes]:
        yield Passes(count=self.steps.times(training), examples=_batch(training))


@checked
class LayerJacobians(Probe):
    """jacobian_product_error: relative difference of dL/d(pre-activation 0) and the product of layer Jacobians;
    layer_jacobian_gain: root mean square singular value of each layer's Jacobian, from layer `index` to the next;
    layer_jacobian_mean_singular_value; layer_jacobian_largest_singular_value, over examples too."""

    steps: Steps = Steps(at=(0,), last=False)
    num_examples: Count = 16

    observe = "seven_terms.probes.jacobians:observe_layer_jacobians"
    needs = ("dense",)

    def require_fit(self, training: Training) -> None:
        _require_depth(self, training, 2)
        for norm, _, _ in training.model.normalized(training.task.input_shape):
            must = "no normalization may mix the examples of a batch, since each has its own Jacobian"
            require(not norm.over_examples, what="LayerJacobians", must=must, got=norm)

    def passes(self, training: Training) -> Iterator[Passes]:
        times, examples = self.steps.times(training), min(self.num_examples, _batch(training))
        width, depth = getattr(training.model, "width", 1), getattr(training.model, "depth", 1)
        yield Passes(count=times, examples=examples * width)  # backward, one layer at a time
        yield Passes(count=times * depth, examples=examples, share=1)


@checked
class Sharpness(Probe):
    """sharpness: top Hessian eigenvalue of the training loss (full split), by power iteration / Lanczos on HVPs."""

    steps: Steps = Steps(count=50)
    num_iterations: Annotated[int, Bounds(low=1, high=1_000)] = 20

    observe = "seven_terms.probes.curvature:observe_sharpness"
    needs = ("curvature",)

    def passes(self, training: Training) -> Iterator[Passes]:
        products = 2 * self.num_iterations  # each is the gradient of a gradient
        yield Passes(count=self.steps.times(training) * products, examples=training.task.examples("train"))


@checked
class BatchSharpness(Probe):
    """batch_sharpness: curvature g^T H g / g^T g of a batch's loss along its own gradient, mean over the next `num_batches`
    batches of the run; of the whole split that is the curvature along the gradient."""

    steps: Steps = Steps(count=50)
    num_batches: Annotated[int, Bounds(low=1, high=10_000)] = 16

    observe = "seven_terms.probes.curvature:observe_batch_sharpness"
    needs = ("curvature",)

    def passes(self, training: Training) -> Iterator[Passes]:
        batches = self.num_batches if training.batch_size else 1
        yield Passes(count=self.steps.times(training) * 3 * batches, examples=_batch(training))


@checked
class PreconditionedSharpness(Probe):
    """preconditioned_sharpness: top eigenvalue of P^-1 H for Adam's P = sqrt(corrected second moment) + eps, from step 1."""

    steps: Steps = Steps(count=50)
    num_iterations: Annotated[int, Bounds(low=1, high=1_000)] = 20

    observe = "seven_terms.probes.curvature:observe_preconditioned_sharpness"
    needs = ("curvature",)

    def require_fit(self, training: Training) -> None:
        known = {"beta1", "beta2", "eps"} <= set(hints_of(type(training.optimizer)))
        require(known, what="PreconditionedSharpness", must="the optimizer must be Adam", got=training.optimizer)
        must = "trained must be 'all', since Adam preconditions nothing else"
        require(training.trained == "all", what="PreconditionedSharpness", must=must, got=training.trained)

    def passes(self, training: Training) -> Iterator[Passes]:
        products = 2 * self.num_iterations  # each is the gradient of a gradient
        yield Passes(count=self.steps.times(training) * products, examples=training.task.examples("train"))


@checked
class InputGradients(Probe):
    """input_gradient_cosine: cosine between the gradients of one random readout at two nearby inputs, mean over pairs.

    The second input of a pair lies at an angle from the first, both of equal length; the readout is drawn from the run's seed.
    """

    steps: Steps = Steps(at=(0,), last=False)
    num_pairs: Annotated[int, Bounds(low=1, high=10_000)] = 64
    angle: Positive = 0.1  # radians

    observe = "seven_terms.probes.input_gradients:observe_input_gradients"

    def passes(self, training: Training) -> Iterator[Passes]:
        yield Passes(count=2 * self.steps.times(training), examples=self.num_pairs)


@checked
class LossAlongGradient(Probe):
    """Santurkar 2018: steps of several lengths along the batch gradient.

    loss_range: max - min of the loss; gradient_change_max: largest ||g' - g||; relative_gradient_change: that over ||g||;
    effective_smoothness: largest ||g' - g|| / distance.
    """

    steps: Steps = Steps(count=20)
    lengths: Annotated[tuple[Positive, ...], Sized(least=1, most=100, unique=True)] = (
        0.05,
        0.1,
        0.2,
        0.4,
    )  # multiples of the gradient, as in the paper

    observe = "seven_terms.probes.curvature:observe_loss_along_gradient"

    def passes(self, training: Training) -> Iterator[Passes]:
        yield Passes(count=self.steps.times(training) * (1 + len(self.lengths)), examples=_batch(training))


@checked
class CovariateShift(Probe):
    """Santurkar 2018, definition 2.1: how much a layer's gradient G turns into another G' when the layers below it make
    the coming update. covariate_shift: ||G' - G||, relative_covariate_shift: that over ||G||, covariate_shift_cosine;
    index = layer, from 1."""

    steps: Steps = Steps(count=10)

    observe = "seven_terms.probes.covariate_shift:observe_covariate_shift"
    needs = ("weights",)

    def require_fit(self, training: Training) -> None:
        _require_depth(self, training, 1)
        must = "num_steps must be > 0, since it looks at an update"
        require(training.num_steps > 0, what="CovariateShift", must=must, got=training.num_steps)

    def passes(self, training: Training) -> Iterator[Passes]:
        layers = training.model.facts(training.task.input_shape, training.task.num_outputs).num_layers
        yield Passes(count=self.steps.times(training) * (1 + layers), examples=_batch(training))


@checked
class ClippedDirection(Probe):
    """clip_cosine: cosine between the clipped and the raw gradient at the step;
    clipped_entry_max: largest magnitude of an entry of the clipped gradient; clipped_norm: its norm."""

    steps: Steps = Steps(count=50)

    observe = "seven_terms.probes.clipping:observe_clipped_direction"

    def passes(self, training: Training) -> Iterator[Passes]:
        yield Passes(count=self.steps.times(training), examples=_batch(training))


@checked
class Distance(Probe):
    """squared_distance: mean over coordinates of x_i^2 for Point models; coordinate: index i (first `num`)."""

    steps: Steps = Steps(count=100)
    num: Annotated[int, Bounds(low=0, high=1_000_000)] = 0

    observe = "seven_terms.probes.points:observe_distance"
    needs = ("point",)

    def passes(self, training: Training) -> Iterator[Passes]:
        return iter(())


def _batch(training: Training) -> int:
    return training.batch_size or training.task.examples("train")


def _require_depth(probe: Probe, training: Training, least: int) -> None:
    depth = getattr(training.model, "depth", least)
    must = f"the model must have {least} or more hidden layers"
    require(depth >= least, what=type(probe).__name__, must=must, got=depth)


def _require_normalized(training: Training, examples: int) -> None:
    for norm, features, places in training.model.normalized(training.task.input_shape):
        norm.require_fit(features=features, examples=examples, places=places, num_devices=1)
