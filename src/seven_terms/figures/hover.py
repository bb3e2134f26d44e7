"""Values on hover: an SVG gets an invisible circle at each drawn point, whose title browsers show under the pointer."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MOST = 25  # points of a line that answer; of a longer one every so many
RADIUS = 4  # points


def with_values(text: str, figure: Figure) -> str:
    """Return the SVG that was saved from a drawn figure with the figure's values in it."""
    width, height = figure.get_size_inches() * 72
    circles = []
    for axes in figure.axes:
        for label, points in _series(axes):
            places = figure.transFigure.inverted().transform(axes.transData.transform(points))
            for (x, y), (across, up) in zip(points, places, strict=True):
                if 0 <= across <= 1 and 0 <= up <= 1:
                    told = escape(f"{label}: {x:.4g}, {y:.4g}" if label else f"{x:.4g}, {y:.4g}")
                    place = f'cx="{across * width:.1f}" cy="{(1 - up) * height:.1f}" r="{RADIUS}"'
                    circles.append(f"<circle {place}><title>{told}</title></circle>")
    end = text.rindex("</svg>")
    layer = f'<g class="values" fill="transparent" pointer-events="all">{"".join(circles)}</g>\n'
    return text[:end] + layer + text[end:]


def _series(axes: Axes) -> Iterator[tuple[str, np.ndarray]]:
    """Yield label and points, in data coordinates, of each named line and cloud."""
    for line in axes.lines:
        label = str(line.get_label())
        is_told = not label.startswith("_") or (line.get_linestyle() == "None" and not label.startswith("_child"))
        if is_told and line.get_transform() == axes.transData:
            points = np.column_stack([np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)])
            yield label.removeprefix("_"), _some(points)
    for cloud in axes.collections:
        label = str(cloud.get_label())
        offsets = np.asarray(cloud.get_offsets(), float)
        if not label.startswith("_") and len(offsets):
            yield label, _some(offsets)


def _some(points: np.ndarray) -> np.ndarray:
    finite = points[np.isfinite(points).all(axis=1)]
    return finite[:: max(1, -(-len(finite) // MOST))]
