"""The paper's questions, in the paper's order. Each entry is one frozen Experiment; nothing here runs anything."""

from seven_terms.spec import Experiment, require_unique

from .batch_norm import (
    batch_size,
    devices,
    internal_shift,
    layer_outputs,
    mnist_2015,
    parts,
    placement,
    running_statistics,
    speedup,
)
from .exploding_gradient import (
    batch_norm_growth,
    cliff,
    gain_and_depth,
    overshooting,
    regression,
    spectral_radius,
    spikes,
)
from .gradient_clipping import (
    adaptive,
    bounds,
    largest_rate,
    polyphonic_music,
    power_function,
    temporal_order,
    temporal_order_2013,
    value_against_norm,
    without_explosion,
)
from .learning_rate import (
    batch_scaling,
    edge_of_stability,
    quadratics,
    range_test,
    rate_sweep,
    update_size,
    width,
)
from .lr_decay import batch_growth, batch_growth_quadratic, inverse_time, noise_floor, step_drop
from .lr_schedule import budgets, noisy_quadratic, one_cycle, warmup
from .vanishing_gradient import (
    adding,
    cures,
    degradation,
    depth_scale,
    early_layers,
    gradient_by_lag,
    gradient_by_layer,
    jacobian_product,
    rectifiers,
)

EXPERIMENTS: tuple[Experiment, ...] = (
    update_size.experiment,
    quadratics.experiment,
    rate_sweep.experiment,
    range_test.experiment,
    edge_of_stability.experiment,
    batch_scaling.experiment,
    width.experiment,
    budgets.experiment,
    noisy_quadratic.experiment,
    warmup.experiment,
    one_cycle.experiment,
    noise_floor.experiment,
    inverse_time.experiment,
    step_drop.experiment,
    batch_growth_quadratic.experiment,
    batch_growth.experiment,
    gradient_by_layer.experiment,
    jacobian_product.experiment,
    rectifiers.experiment,
    depth_scale.experiment,
    early_layers.experiment,
    cures.experiment,
    degradation.experiment,
    gradient_by_lag.experiment,
    adding.experiment,
    gain_and_depth.experiment,
    spectral_radius.experiment,
    cliff.experiment,
    spikes.experiment,
    overshooting.experiment,
    batch_norm_growth.experiment,
    regression.experiment,
    mnist_2015.experiment,
    speedup.experiment,
    layer_outputs.experiment,
    placement.experiment,
    parts.experiment,
    batch_size.experiment,
    devices.experiment,
    running_statistics.experiment,
    internal_shift.experiment,
    temporal_order.experiment,
    temporal_order_2013.experiment,
    largest_rate.experiment,
    bounds.experiment,
    value_against_norm.experiment,
    power_function.experiment,
    without_explosion.experiment,
    adaptive.experiment,
    polyphonic_music.experiment,
)

require_unique("experiments", "names", (experiment.path for experiment in EXPERIMENTS))
require_unique("experiments", "claims", (claim.key for experiment in EXPERIMENTS for claim in experiment.claims))
