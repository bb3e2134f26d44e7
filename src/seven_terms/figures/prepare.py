"""What every picture needs, made once in a process from which others are forked: backends, fonts, the parser of formulas."""

from __future__ import annotations

import io

from matplotlib.figure import Figure as Canvas

from . import bars, cloud, curve, heatmap, survival, sweep
from .style import house_style

DRAWINGS = (
    bars,
    cloud,
    curve,
    heatmap,
    survival,
    sweep,
)  # panels name their module, which would be imported by each fork
FORMULA = (
    "$x_{97531}$"  # in no figure: matplotlib remembers its glyphs with open font files, which forks must not share
)


def prepare() -> None:
    """Draw a picture in every format and forget it."""
    with house_style():
        canvas = Canvas(figsize=(1, 1), layout="constrained")
        canvas.subplots().set_title(FORMULA)
        for kind in ("pdf", "png", "svg"):
            canvas.savefig(io.BytesIO(), format=kind)
