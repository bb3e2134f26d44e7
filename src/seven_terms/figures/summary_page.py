"""The summary page: one small panel a term, the seven words at a glance."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure as Canvas

from ..records.folder import Folder
from ..records.plans import read_plan
from ..records.tables import read_csv
from ..spec import TERM_TITLES, TERMS, Figure, Panel, Term
from .figure import LEGEND_ROW, add_panel_legend, add_title
from .panel import draw_panel, labels_of, needs_legend
from .rows import panel_rows
from .style import TEXT_WIDTH, house_style, save, style_of

COLUMNS = 2
PANEL_HEIGHT = 1.8  # inches without the legend: four rows fit a page


def summary_page(results_dir: Path, *, output_path: Path) -> None:
    """Draw the panel that stands for each term present, in the terms' order, to a PDF and a PNG.

    The first figure of a term, in order of experiment names, whose `summary` names a panel is taken.
    """
    chosen = summary_panels(results_dir)
    with house_style():
        save(_make_page(chosen), output_path)


def summary_panels(results_dir: Path) -> dict[Term, tuple[Panel, pd.DataFrame]]:
    """Return each present term's panel and its rows of the summary table."""
    found = {}
    for path in Folder(results_dir).plans():
        experiment = read_plan(path).experiment
        standing = [figure for figure in experiment.figures if figure.summary is not None]
        if standing and experiment.term not in found:
            summary = read_csv(Folder(results_dir).summary(experiment.path), kind="summary")
            found[experiment.term] = _panel(standing[0], summary)
    return {term: found[term] for term in TERMS if term in found}


def _panel(figure: Figure, summary: pd.DataFrame) -> tuple[Panel, pd.DataFrame]:
    number = figure.summary or 0
    return figure.panels[number], panel_rows(summary, figure.name, panel=number)


def _make_page(chosen: dict[Term, tuple[Panel, pd.DataFrame]]) -> Canvas:
    lines = max(math.ceil(len(chosen) / COLUMNS), 1)
    canvas = Canvas(figsize=(TEXT_WIDTH, lines * PANEL_HEIGHT), layout="constrained")
    places = list(canvas.subplots(lines, COLUMNS, squeeze=False).flat)
    width, rows_of_legend = TEXT_WIDTH / COLUMNS, []
    for axes, (term, (panel, rows)) in zip(places, chosen.items(), strict=False):
        draw_panel(axes, panel, rows, styles=style_of(labels_of(panel, rows)), width=width)
        add_title(axes, TERM_TITLES[term], width=width, weight="bold")
        rows_of_legend.append(add_panel_legend(axes, width=width) if needs_legend(panel) else 0)
    for axes in places[len(chosen) :]:
        axes.set_axis_off()
    extra = sum(max(rows_of_legend[i : i + COLUMNS]) for i in range(0, len(rows_of_legend), COLUMNS))
    canvas.set_figheight(canvas.get_figheight() + extra * LEGEND_ROW)
    return canvas
