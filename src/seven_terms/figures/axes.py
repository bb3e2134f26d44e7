"""Axes: scales, ticks, limits, lines of theory, and what a panel says when there is nothing to draw."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from ..spec import Panel, Reference
from .rows import as_floats, series
from .style import REFERENCE_DASHES, LineStyle

LOG_MANTISSAS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))
WIDE = 1e5  # from so many decades on, every tick of a logarithmic axis is a power of ten
FEW = 6  # up to so many sweep values each get their own tick


def set_scale(axis: Axis, *, logarithmic: bool) -> None:
    """Set the scale before anything is drawn, so that limits follow from the data on that scale."""
    if logarithmic:
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})


def set_ticks(axis: Axis, *, logarithmic: bool) -> None:
    low, high = sorted(axis.get_view_interval())
    if logarithmic:
        axis.set_major_locator(FixedLocator(log_ticks(low, high)))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_minor_formatter(NullFormatter())
    is_wide = logarithmic and high / low > WIDE
    axis.set_major_formatter(FuncFormatter(lambda value, _: _power(value) if is_wide else tick_text(value)))


def log_ticks(low: float, high: float) -> list[float]:
    """Return the coarsest of a few 1-3-10 like progressions that puts at least three ticks between two numbers."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    stride = -(-(last - first) // 7)
    for mantissas in LOG_MANTISSAS:
        ticks = [mantissa * 10.0**power for power in range(first, last + 1, max(stride, 1)) for mantissa in mantissas]
        inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
        if len(inside) >= 3:
            return inside
    return MaxNLocator(4).tick_values(low, high).tolist()


def set_sweep_ticks(axes: Axes, values: np.ndarray) -> None:
    """Put a tick at each sweep value where there are few of them."""
    unique = np.unique(values)
    if len(unique) <= FEW:
        axes.xaxis.set_major_locator(FixedLocator(unique.tolist()))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick_text(value)))


def tick_text(value: float) -> str:
    """Return a short number: 1500, 20k, 3M, 0.01, or a power of ten where it is far from 1."""
    size = abs(value)
    if size == 0 or not np.isfinite(value):
        return "0"
    if size >= 1e7 or size < 9.99e-4:
        exponent = int(np.floor(np.log10(size) + 1e-9))
        mantissa = value / 10.0**exponent
        power = f"10^{{{exponent}}}"
        return f"${power}$" if abs(mantissa - 1) < 1e-6 else f"${mantissa:.3g}\\cdot{power}$"
    for limit, divisor, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if size >= limit:
            return f"{value / divisor:g}{letter}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def _power(value: float) -> str:
    return f"$10^{{{round(math.log10(value))}}}$" if value > 0 else "0"


def label_lines(axes: Axes, styles: dict[str, LineStyle], *, font_size: float) -> None:
    """Write each line's label beside its right end in its colour, instead of a legend; close labels are moved apart."""
    ends = {}
    for line in axes.get_lines():
        label, x, y = str(line.get_label()), np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        finite = np.isfinite(x) & np.isfinite(y)
        if label in styles and finite.any():
            last = np.argmax(np.where(finite, x, -np.inf))
            ends[label] = axes.transLimits.transform(axes.transScale.transform((x[last], y[last])))[1]
    gap = 1.25 * font_size / 72 / (axes.get_window_extent().height / axes.figure.dpi)
    places = _moved_apart({label: float(np.clip(y, 0.0, 1.0)) for label, y in ends.items()}, gap=gap)
    for label, y in places.items():
        axes.annotate(
            label,
            (1.02, y),
            xycoords="axes fraction",
            color=styles[label].colour,
            fontsize=font_size,
            va="center",
            ha="left",
            annotation_clip=False,
        )


def _moved_apart(places: dict[str, float], *, gap: float) -> dict[str, float]:
    """Return places at least `gap` apart, in the same order and about the same middle."""
    names = sorted(places, key=lambda name: places[name])
    moved = [places[name] for name in names]
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    over = max(0.0, moved[-1] - 1.0) if moved else 0.0
    middle = sum(moved[i] - places[name] for i, name in enumerate(names)) / max(len(names), 1)
    return {
        name: place - max(over, middle if moved[0] - middle >= 0 else 0.0)
        for name, place in zip(names, moved, strict=True)
    }


def set_limits(axis: Axis, limits: tuple[float | None, float | None]) -> None:
    low, high = axis.get_view_interval()
    axis.axes.set(
        **{f"{axis.axis_name}lim": (low if limits[0] is None else limits[0], high if limits[1] is None else limits[1])}
    )


def draw_references(axes: Axes, panel: Panel, rows: pd.DataFrame, *, down: bool = False) -> list[str]:
    """Draw the lines of theory, dashed black; return the labels of those the table does not hold.

    `down`: the panel lies down, so its y runs along the page's x.
    """
    missing = []
    for number, reference in enumerate(panel.references):
        line = {
            "color": "black",
            "linewidth": 1.0,
            "linestyle": REFERENCE_DASHES[number % len(REFERENCE_DASHES)],
            "label": reference.label,
            "zorder": 2.5,
        }
        if not _draw_reference(axes, reference, rows, line=line, down=down):
            missing.append(reference.label)
    return missing


def _draw_reference(axes: Axes, reference: Reference, rows: pd.DataFrame, *, line: dict[str, Any], down: bool) -> bool:
    if reference.y is not None:
        (axes.axvline if down else axes.axhline)(reference.y, **line)
    if reference.x is not None:
        axes.axvline(reference.x, **line)
    if reference.theory is None:
        return True
    curve = series(rows, reference.label)
    if len(curve):
        axes.plot(as_floats(curve["x"]), curve["value"], **line)
    return bool(len(curve))


def say_empty(axes: Axes, labels: list[str]) -> None:
    """Say inside the panel that none of its series has a number."""
    text = textwrap.fill(f"no finite value for {', '.join(labels)}" if labels else "no value", 34)
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", style="italic", color="0.3", fontsize=8
    )
    axes.set_xticks([])
    axes.set_yticks([])


def say_missing(axes: Axes, labels: list[str]) -> None:
    """Say below the panel's top edge which of its series have no number."""
    text = textwrap.fill(f"no finite value: {', '.join(labels)}", 46)
    axes.text(
        0.98,
        0.98,
        text,
        transform=axes.transAxes,
        ha="right",
        va="top",
        style="italic",
        color="0.3",
        fontsize=8,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5},
    )
