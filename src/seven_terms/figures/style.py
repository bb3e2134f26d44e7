"""How every figure looks: type, colours, lines and saving, so that print, grey print and colour-blind readers agree.

Sizes are printed sizes: the report includes figures unscaled on a text width of 6.3 inches.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import seaborn
from matplotlib.figure import Figure

TEXT_WIDTH = 6.3  # inches
FONT_SIZE = 8.5  # points; nothing is smaller than 8
PNG_DPI = 150

# Okabe and Ito's colours without yellow and black, ordered by contrast, then three that differ from them in lightness.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#882255", "#7F7F7F", "#44AA99")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
REFERENCE_DASHES = ((0, (4, 2)), (0, (1, 1.5)), (0, (7, 2, 1, 2)))


@dataclass(frozen=True, kw_only=True, slots=True)
class LineStyle:
    """Colour, dash and marker of one label; all three differ, so that grey print still tells lines apart."""

    colour: str
    dash: Any
    marker: str


def style_of(labels: Iterable[str]) -> dict[str, LineStyle]:
    """Return one style a label, in order of first appearance."""
    unique = list(dict.fromkeys(labels))
    return {
        label: LineStyle(
            colour=COLOURS[i % len(COLOURS)], dash=DASHES[i % len(DASHES)], marker=MARKERS[i % len(MARKERS)]
        )
        for i, label in enumerate(unique)
    }


def house_style() -> AbstractContextManager[None]:
    """Return the context in which figures are made and saved."""
    sizes = {
        name: FONT_SIZE
        for name in ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
    }
    return matplotlib.rc_context(
        {
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
        }
    )


def save(figure: Figure, path: Path) -> None:
    """Write the PDF and, beside it, the PNG; byte for byte the same on every build (SOURCE_DATE_EPOCH is honoured)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    date = {} if "SOURCE_DATE_EPOCH" in os.environ else {"CreationDate": None}
    figure.savefig(path, metadata={"Creator": "seven-terms", **date})
    figure.savefig(path.with_suffix(".png"), dpi=PNG_DPI)
