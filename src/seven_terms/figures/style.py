"""How every figure looks: type, colours, lines and saving, so that print, grey print and colour-blind readers agree.

Sizes are printed sizes: the report includes figures unscaled on a text width of 6.3 inches.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import seaborn
from matplotlib.figure import Figure

from ..records.atomic import seal, write
from ..spec.metrics import Direction
from .hover import with_values

TEXT_WIDTH = 6.3  # inches
FONT_SIZE = 8.5  # points; nothing is smaller than 8
PNG_DPI = 150

COLOURS = tuple(seaborn.color_palette("colorblind").as_hex())
# Equal things have equal colours throughout: what a label begins with -> place in the palette.
FIXED = {
    "plain": 0,
    "no clipping": 0,
    "no normalization": 0,
    "no warm-up": 0,
    "none": 0,
    "constant": 0,
    "batch norm": 1,
    "clip by norm": 1,
    "clip by value": 2,
    "group norm": 2,
    "layer norm": 4,
    "heavy ball": 1,
    "sigmoid": 3,
    "tanh, uniform": 4,
    "tanh, Glorot": 9,
    "ReLU, He": 2,
}
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
REFERENCE_DASHES = ((0, (4, 2)), (0, (1, 1.5)), (0, (7, 2, 1, 2)))


@dataclass(frozen=True, kw_only=True, slots=True)
class LineStyle:
    """Colour, dash and marker of one label; all three differ, so that grey print still tells lines apart."""

    colour: str
    dash: Any
    marker: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How a panel is drawn: a style a label, bars that lie down, the colours' limits that maps share, the better end."""

    styles: dict[str, LineStyle]
    down: bool = False
    limits: tuple[float, float] | None = None
    best: Direction = "none"  # rings mark it


def style_of(labels: Iterable[str]) -> dict[str, LineStyle]:
    """Return one style a label, in order of first appearance."""
    unique = list(dict.fromkeys(labels))
    places = _places(unique)
    return {
        label: LineStyle(
            colour=COLOURS[places[label] % len(COLOURS)],
            dash=DASHES[i % len(DASHES)],
            marker=MARKERS[i % len(MARKERS)],
        )
        for i, label in enumerate(unique)
    }


def _places(labels: list[str]) -> dict[str, int]:
    """Return each label's place in the palette: a fixed one where it has one that is free, else the next."""
    places: dict[str, int] = {}
    for label in labels:
        fixed = next((place for begin, place in FIXED.items() if label.startswith(begin)), None)
        if fixed is not None and fixed not in places.values():
            places[label] = fixed
    free = (place for place in range(len(labels) + len(COLOURS)) if place not in set(places.values()))
    return {label: places[label] if label in places else next(free) for label in labels}


def house_style() -> AbstractContextManager[None]:
    """Return the context in which figures are made and saved."""
    sizes = {
        name: FONT_SIZE
        for name in ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
    }
    ours = {name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith("backend")}
    return matplotlib.rc_context(
        {  # pyright: ignore[reportArgumentType]
            **ours,  # whatever the user's matplotlibrc says
            **seaborn.axes_style("whitegrid"),
            **sizes,
            "font.family": "STIXGeneral",  # ships with matplotlib: the same type on every machine
            "mathtext.fontset": "stix",
            "axes.titlesize": 9,
            "axes.edgecolor": "0.3",
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.color": "0.9",
            "grid.linewidth": 0.5,
            "xtick.bottom": True,
            "ytick.left": True,
            "xtick.color": "0.15",
            "ytick.color": "0.15",
            "xtick.major.size": 3,
            "ytick.major.size": 3,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.minor.size": 0,
            "ytick.minor.size": 0,
            "lines.linewidth": 1.2,
            "lines.markersize": 3.5,
            "legend.frameon": False,
            "legend.handlelength": 2.2,
            "legend.columnspacing": 1.2,
            "legend.labelspacing": 0.3,
            "pdf.fonttype": 42,
            "hatch.linewidth": 0.4,
            "svg.hashsalt": "seven-terms",
            "svg.fonttype": "path",
        }
    )


def save(figure: Figure, path: Path, *, svg: bool = False) -> None:
    """Write the PDF and, beside it, the PNG; byte for byte the same on every build (SOURCE_DATE_EPOCH is honoured).

    `svg` writes one for the page as well. Each appears whole or not at all, and one checksum stands for the PDF and the SVG.
    """
    date = {} if "SOURCE_DATE_EPOCH" in os.environ else {"CreationDate": None}
    pdf, png, drawn = (path.with_suffix(suffix) for suffix in (".pdf", ".png", ".svg"))
    write(pdf, _saved(figure, "pdf", metadata={"Creator": "seven-terms", **date}), beside=False)
    figure.set_layout_engine(None)  # laid out once; "none" would draw each file twice
    write(png, _saved(figure, "png", dpi=PNG_DPI))
    if svg:
        text = _saved(figure, "svg", metadata={"Date": None, "Creator": "seven-terms"}).decode("utf-8")
        write(drawn, with_values(text, figure), beside=False)
    seal(pdf, others=[drawn] if svg else [])


def _saved(figure: Figure, kind: str, **options: Any) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, format=kind, **options)
    return held.getvalue()
