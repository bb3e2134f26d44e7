"""One figure that teaches a term, drawn from its definition: nothing in it is measured, so it has no table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from ..spec import (
    Constant,
    Cosine,
    CosineRestarts,
    Linear,
    OneCycle,
    Schedule,
    Step,
    Term,
    WarmupStableDecay,
)
from .axes import label_lines
from .figure import KEY_HEIGHT, KEY_WIDTH, LABEL_SIZE
from .style import house_style, save, style_of

Draw = Callable[[Axes], list[str]]


def draw_terms(output_dir: Path) -> None:
    """Draw <output_dir>/<term>.pdf and .png for each of the seven terms."""
    for term, draw in TEACHING.items():
        with house_style():
            save(make_term(draw), output_dir / f"{term}.pdf")


def make_term(draw: Draw) -> Canvas:
    """Return one figure; what `draw` returns are the labels that stand at the lines."""
    canvas = Canvas(figsize=(KEY_WIDTH, KEY_HEIGHT), layout="constrained")
    axes = canvas.subplots()
    labels = draw(axes)
    canvas.draw_without_rendering()
    label_lines(axes, style_of(labels), font_size=LABEL_SIZE)
    return canvas


def _lines(axes: Axes, curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> list[str]:
    styles = style_of(curves)
    for label, (x, y) in curves.items():
        axes.plot(x, y, color=styles[label].colour, linestyle=styles[label].dash, label=label)
    return list(curves)


def rates(axes: Axes) -> list[str]:
    """Loss of gradient descent on a quadratic: each step multiplies the error by 1 - rate x curvature."""
    steps = np.arange(13)
    named = {"0.1, too low": 0.1, "0.9, right": 0.9, "1.9, to and fro": 1.9, "2.1, diverges": 2.1}
    axes.set(yscale="log", ylim=(1e-4, 20), xlabel="step", ylabel="loss")
    return _lines(
        axes, {name: (steps, np.maximum(0.5 * (1 - rate) ** (2 * steps), 1e-30)) for name, rate in named.items()}
    )


def schedules(axes: Axes) -> list[str]:
    """The rate over its peak under six schedules."""
    named: dict[str, Schedule] = {
        "constant": Constant(),
        "step": Step(),
        "cosine": Cosine(),
        "linear": Linear(),
        "cycle": OneCycle(),
        "WSD": WarmupStableDecay(),
        "restarts": CosineRestarts(),
    }
    share = np.linspace(0, 1, 201)
    axes.set(xlabel="share of the budget", ylabel="rate / peak", xlim=(0, 1))
    return _lines(
        axes,
        {name: (share, np.array([one.factor(int(1000 * u), 1000) for u in share])) for name, one in named.items()},
    )


def floors(axes: Axes) -> list[str]:
    """Expected squared distance of SGD on a quadratic of curvature one with unit noise, by its exact recursion."""
    num = 400
    named = {
        "0.3": np.full(num, 0.3),
        "0.3, then 0.03": np.where(np.arange(num) < num // 2, 0.3, 0.03),
        "1/t": 1 / np.arange(1.0, num + 1),
    }
    curves = {}
    for name, sizes in named.items():
        distance = [4.0]
        for rate in sizes:
            distance.append((1 - rate) ** 2 * distance[-1] + rate**2)
        curves[name] = (np.arange(num + 1), np.array(distance))
    axes.set(yscale="log", xlabel="step", ylabel="squared distance")
    return _lines(axes, curves)


def product(axes: Axes) -> list[str]:
    """A factor per layer to the power of the depth."""
    layers = np.arange(31)
    axes.set(yscale="log", xlabel="layers", ylabel="gradient")
    return _lines(axes, {f"factor {one:g}": (layers, one**layers) for one in (0.5, 0.8, 1.0, 1.2, 1.5)})


def cliff(axes: Axes) -> list[str]:
    """Loss and gradient of x_t = w sigmoid(x_{t-1}) + b after 50 steps, along b = -0.52 w (Pascanu et al. 2013, figure 6)."""
    weights = np.linspace(4.5, 5.3, 801)
    x, slope = np.full_like(weights, 0.5), np.zeros_like(weights)
    for _ in range(50):
        squashed = 1 / (1 + np.exp(-x))
        slope = squashed - 0.52 + weights * squashed * (1 - squashed) * slope
        x = weights * squashed - 0.52 * weights
    ends = 1 / (1 + np.exp(-x))
    loss = (ends - 0.7) ** 2
    gradient = np.abs(2 * (ends - 0.7) * ends * (1 - ends) * slope)
    axes.set(yscale="log", xlabel="recurrent weight", ylabel="value", ylim=(1e-4, None))
    return _lines(
        axes, {"loss": (weights, np.maximum(loss, 1e-12)), "gradient": (weights, np.maximum(gradient, 1e-12))}
    )


def four_lines(axes: Axes) -> list[str]:
    """A batch of values of two units before normalization, after stage one, and after gain and shift."""
    batch = np.random.default_rng(0).normal(size=(32, 2)) * [2.0, 0.5] + [3.0, -2.0]
    normal = (batch - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-5)
    stages = {"as it comes": batch, "stage one": normal, "gain and shift": normal * [1.5, 0.7] + [0.5, -0.5]}
    styles = style_of(("unit 1", "unit 2"))
    for place, values in enumerate(stages.values()):
        for unit, label in enumerate(styles):
            beside = place + 0.3 * unit - 0.15 + 0.015 * (np.arange(32) % 5 - 2)
            style = styles[label]
            axes.plot(beside, values[:, unit], linestyle="none", marker=style.marker, markersize=2, color=style.colour)
            axes.plot([place + 0.3 * unit - 0.15], [values[:, unit].mean()], marker="_", markersize=10, color="black")
    axes.set_xticks(range(len(stages)), list(stages))
    axes.set_ylabel("value")
    return []


def bounds(axes: Axes) -> list[str]:
    """Gradients of growing length in one direction, and what clipping at 1 makes of them."""
    lengths = np.linspace(0, 3, 61)
    gradient = lengths[:, None] * np.array([0.92, 0.39])
    norm = gradient * np.minimum(1, 1 / np.maximum(np.linalg.norm(gradient, axis=1), 1e-9))[:, None]
    value = np.clip(gradient, -1, 1)
    curves = {"no clipping": gradient, "clip by norm": norm, "clip by value": value}
    axes.set(xlabel="first entry", ylabel="second entry", xlim=(0, 2.9))
    styles = style_of(curves)
    for label, points in curves.items():
        style = styles[label]
        axes.plot(points[:, 0], points[:, 1], color=style.colour, linestyle=style.dash, label=label)
        axes.plot(points[-1, 0], points[-1, 1], color=style.colour, marker=style.marker)
        axes.annotate(
            label,
            points[-1],
            xytext=(-4, 5),
            textcoords="offset points",
            color=style.colour,
            fontsize=LABEL_SIZE,
            ha="right",
        )
    return []


TEACHING: Mapping[Term, Draw] = {
    "learning_rate": rates,
    "lr_schedule": schedules,
    "lr_decay": floors,
    "vanishing_gradient": product,
    "exploding_gradient": cliff,
    "batch_norm": four_lines,
    "gradient_clipping": bounds,
}
