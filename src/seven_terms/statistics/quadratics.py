"""Exact results about gradient descent on quadratics, with and without noise, from a run's own record."""

from __future__ import annotations

import math

import numpy as np

from ..spec import Adam, ExpectedSgd, NoisyQuadraticMoments, Point, Quadratic, Sgd, Training, require


def contraction(training: Training) -> float:
    """Factor per step on the distance of the slowest mode: the largest spectral radius of the iteration over all modes.

    |1 - rate h| for gradient descent; for heavy ball and Nesterov's method that of the 2 x 2 iteration
    (Polyak 1964; Nesterov 1983).
    """
    rule, momentum = _sgd(training), _sgd(training).momentum
    step = rule.learning_rate * eigenvalues(training)
    trace, determinant = 1.0 + momentum - step, np.full(len(step), momentum)
    if rule.nesterov:
        trace, determinant = (1.0 + momentum) * (1.0 - step), momentum * (1.0 - step)
    root = np.sqrt((trace**2 / 4.0 - determinant).astype(complex))
    return float(np.max(np.maximum(abs(trace / 2.0 + root), abs(trace / 2.0 - root))))


def log_loss_slope(training: Training) -> float:
    """Slope of the log loss over steps in the long run: twice the log of the contraction, as the loss is quadratic."""
    return 2.0 * math.log(contraction(training))


def stability_limit(training: Training) -> float:
    """Largest stable rate: 2 / L for gradient descent, 2 (1 + b) / L for heavy ball, over (1 + 2 b) for Nesterov's.

    Cohen et al. 2021, appendix B; LeCun et al. 1998, section 5.
    """
    return curvature_limit(training) * _sgd(training).learning_rate / float(eigenvalues(training).max())


def curvature_limit(training: Training) -> float:
    """Largest curvature at which the run's rate is stable, 2 / rate for gradient descent (Cohen et al. 2021).

    For Adam it is that of the preconditioned curvature, (2 + 2 b) / ((1 - b) rate) (Cohen et al. 2022, section 3).
    """
    if isinstance(training.optimizer, Adam):
        rule = training.optimizer
        return 2.0 * (1.0 + rule.beta1) / ((1.0 - rule.beta1) * rule.learning_rate)
    rule = _sgd(training)
    limit = 2.0 * (1.0 + rule.momentum) / rule.learning_rate
    return limit / (1.0 + 2.0 * rule.momentum) if rule.nesterov else limit


def best_learning_rate(training: Training) -> float:
    """Best constant rate of gradient descent, 2 / (L + m) (Polyak 1964)."""
    h = eigenvalues(training)
    return 2.0 / float(h.max() + h.min())


def best_contraction(training: Training) -> float:
    """Contraction of gradient descent at its best rate, (k - 1) / (k + 1) (Polyak 1964)."""
    k = condition_number(training)
    return (k - 1.0) / (k + 1.0)


def heavy_ball_best_learning_rate(training: Training) -> float:
    """Best rate of heavy ball, 4 / (sqrt L + sqrt m)^2 (Polyak 1964)."""
    h = eigenvalues(training)
    return 4.0 / (math.sqrt(h.max()) + math.sqrt(h.min())) ** 2


def heavy_ball_best_momentum(training: Training) -> float:
    """Best momentum of heavy ball, ((sqrt k - 1) / (sqrt k + 1))^2 (Polyak 1964)."""
    return heavy_ball_best_contraction(training) ** 2


def heavy_ball_best_contraction(training: Training) -> float:
    """Contraction of heavy ball at its best rate and momentum, (sqrt k - 1) / (sqrt k + 1) (Polyak 1964)."""
    root = math.sqrt(condition_number(training))
    return (root - 1.0) / (root + 1.0)


def condition_number(training: Training) -> float:
    """Largest eigenvalue over the smallest."""
    h = eigenvalues(training)
    return float(h.max() / h.min())


def stationary_variance(training: Training) -> float:
    """Mean over coordinates of the stationary E[x^2] of SGD with noise variance s^2 and heavy-ball momentum b:
    rate s^2 (1 + b) / (h (1 - b) (2 (1 + b) - rate h)), from the Lyapunov equation; b = 0 is rate s^2 / (h (2 - rate h)).
    Rate and batch are those of the last update: after a step of either, it is the new one that the run settles at.
    """
    return float(_stationary(training).mean())


def stationary_loss(training: Training) -> float:
    """Stationary expected loss, 1/2 sum h E[x^2]: rate s^2 / (2 (2 - rate h)) for each coordinate without momentum."""
    return float(0.5 * (eigenvalues(training) * _stationary(training)).sum())


def expected_squared_distance(training: Training) -> float:
    """Mean over coordinates of E[x^2] after the last step."""
    return float(squared_distances(training)[-1])


def squared_distances(training: Training) -> np.ndarray:
    """Mean over coordinates of E[x^2] after 0, 1, ... steps of SGD without momentum, by the exact recursion
    E[x^2] <- (1 - rate_t h)^2 E[x^2] + rate_t^2 s^2, for any schedule."""
    _require_plain(training)
    h, noise = eigenvalues(training), noise_variances(training)
    second = np.full(len(h), _start(training) ** 2)
    means = [second.mean()]
    for step in range(training.num_steps):
        rate = _rate(training, step)
        second = (1.0 - rate * h) ** 2 * second + rate**2 * noise
        means.append(second.mean())
    return np.array(means)


def inverse_time_variance(training: Training) -> float:
    """Mean over coordinates of s^2 / (h^2 T): what the rates 1 / (h t) reach exactly after T steps (Robbins and Monro)."""
    return float((noise_variances(training) / eigenvalues(training) ** 2).mean() / training.num_steps)


def noisy_quadratic_loss(training: Training) -> float:
    """Expected final loss on the noisy quadratic: 1/2 sum h v, v <- (1 - rate h)^2 v + rate^2 h (Zhang et al. 2019)."""
    task, rule, model = training.task, training.optimizer, training.model
    require(
        isinstance(task, NoisyQuadraticMoments) and isinstance(rule, ExpectedSgd) and isinstance(model, Point),
        what="theory 'noisy_quadratic_loss'",
        must="must be asked of ExpectedSgd on NoisyQuadraticMoments",
        got=(task, rule),
    )
    assert isinstance(task, NoisyQuadraticMoments)
    assert isinstance(rule, ExpectedSgd)
    assert isinstance(model, Point)
    h = 1.0 / np.arange(1, task.dimension + 1)
    second = np.full(len(h), model.start)
    for step in range(training.num_steps):
        rate = _rate(training, step)
        second = (1.0 - rate * h) ** 2 * second + rate**2 * rule.noise * h
    return float(0.5 * (h * second).sum())


def eigenvalues(training: Training) -> np.ndarray:
    """Return the spectrum of a quadratic task, as spec.Quadratic defines it."""
    task = training.task
    require(isinstance(task, Quadratic), what="theory", must="the task must be a Quadratic", got=task)
    assert isinstance(task, Quadratic)
    if task.spectrum == "equal":
        return np.full(task.dimension, task.largest)
    if task.spectrum == "inverse":
        return 1.0 / np.arange(1, task.dimension + 1)
    return np.geomspace(task.largest / task.condition_number, task.largest, task.dimension)


def noise_variances(training: Training) -> np.ndarray:
    """Return the variance of the noise on each gradient entry: a mean over the batch."""
    h, task = eigenvalues(training), training.task
    assert isinstance(task, Quadratic)
    shape = h if task.noise_follows_curvature else np.ones_like(h)
    return task.noise_scale**2 * shape / (training.batch_size or 1)


def _stationary(training: Training) -> np.ndarray:
    rule = _sgd(training)
    require(not rule.nesterov, what="theory", must="a stationary variance is known for heavy ball only", got=rule)
    growth = training.batch_growth[-1][1] if training.batch_growth else 1
    h, noise, b = eigenvalues(training), noise_variances(training) / growth, rule.momentum
    rate = _rate(training, training.num_steps - 1)
    margin = 2.0 * (1.0 + b) - rate * h
    variance = rate * noise * (1.0 + b) / (h * (1.0 - b) * np.where(margin > 0.0, margin, 1.0))
    return np.where(margin > 0.0, variance, np.inf)  # beyond the stability limit nothing is stationary


def _sgd(training: Training) -> Sgd:
    rule = training.optimizer
    require(isinstance(rule, Sgd), what="theory", must="the optimizer must be Sgd", got=rule)
    assert isinstance(rule, Sgd)
    return rule


def _require_plain(training: Training) -> None:
    rule = _sgd(training)
    plain = rule.momentum == 0.0 and rule.weight_decay == 0.0 and not training.batch_growth
    must = "the recursion is for SGD without momentum, weight decay and growing batches"
    require(plain, what="theory", must=must, got=(rule, training.batch_growth))


def _start(training: Training) -> float:
    require(isinstance(training.model, Point), what="theory", must="the model must be a Point", got=training.model)
    assert isinstance(training.model, Point)
    start = training.model.start
    require(isinstance(start, (int, float)), what="theory", must="the point must start at one number", got=start)
    return float(start)  # type: ignore[arg-type]


def _rate(training: Training, step: int) -> float:
    return training.optimizer.learning_rate * training.schedule.factor(step, training.num_steps)
