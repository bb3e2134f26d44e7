"""The picture of the seven answers: one small panel of one size a term, a sentence as its title, labels at its lines."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from ..records.folder import Folder
from ..records.plans import read_plan
from ..records.tables import read_csv
from ..spec import Figure, Panel, Term, title_of
from .axes import label_lines
from .figure import LABEL_SIZE, make_small
from .panel import draw_panel, labels_of
from .rows import panel_rows
from .style import FONT_SIZE, TEXT_WIDTH, house_style, save, style_of

COLUMNS = 2
PANEL_HEIGHT = 1.65  # inches: four rows and their caption fit a page
LETTERS = 12  # of a title, an inch


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A panel, its rows of the summary table, and the sentence above it."""

    panel: Panel
    rows: pd.DataFrame
    title: str


def summary_page(
    results_dir: Path,
    *,
    output_path: Path,
    figures: Mapping[Term, tuple[str, str, int]] | None = None,
    titles: Mapping[Term, str] | None = None,
) -> None:
    """Draw the panel that stands for each term present, in the terms' order, to PDF, PNG and SVG, and each alone.

    `figures` names experiment, figure and panel of a term, `titles` its sentence; without a name, the first figure of the term,
    in order of experiment names, whose `summary` marks a panel is taken.
    """
    chosen = summary_panels(results_dir, figures=figures or {}, titles=titles or {})
    with house_style():
        save(_make_page(chosen), output_path, svg=True)
        for term, shown in chosen.items():
            canvas = make_small(shown.panel, shown.rows)
            save(canvas, output_path.with_name("answers") / f"{term}.pdf", svg=True)


def summary_panels(
    results_dir: Path,
    *,
    figures: Mapping[Term, tuple[str, str, int]],
    titles: Mapping[Term, str],
) -> dict[Term, Shown]:
    """Return what is shown of each present term."""
    found: dict[Term, Shown] = {}
    for path in Folder(results_dir).plans():
        experiment = read_plan(path).experiment
        term = experiment.term
        wanted = figures.get(term)
        for figure in experiment.figures:
            is_wanted = wanted is not None and wanted[:2] == (experiment.path, figure.name)
            number = figure.summary if wanted is None else wanted[2] if is_wanted else None
            if number is not None and term not in found:
                summary = read_csv(Folder(results_dir).summary(experiment.path), kind="summary")
                found[term] = _shown(figure, number, summary, title=titles.get(term, title_of(term)))
    return found


def _shown(figure: Figure, number: int, summary: pd.DataFrame, *, title: str) -> Shown:
    return Shown(panel=figure.panels[number], rows=panel_rows(summary, figure.name, panel=number), title=title)


def _make_page(chosen: Mapping[Term, Shown]) -> Canvas:
    lines = max(math.ceil(len(chosen) / COLUMNS), 1)
    canvas = Canvas(figsize=(TEXT_WIDTH, lines * PANEL_HEIGHT), layout="constrained")
    places = list(canvas.subplots(lines, COLUMNS, squeeze=False).flat)
    width = TEXT_WIDTH / COLUMNS
    styles = {term: style_of(labels_of(shown.panel, shown.rows)) for term, shown in chosen.items()}
    for axes, (term, shown) in zip(places, chosen.items(), strict=False):
        draw_panel(axes, shown.panel, shown.rows, styles=styles[term], width=width)
        title = f"{title_of(term)}: {shown.title}" if shown.title != title_of(term) else shown.title
        axes.set_title(textwrap.fill(title, int(width * LETTERS)), loc="left", fontweight="bold", fontsize=FONT_SIZE)
    for axes in places[len(chosen) :]:
        axes.set_axis_off()
    canvas.draw_without_rendering()
    for axes, (term, shown) in zip(places, chosen.items(), strict=False):
        if shown.panel.content.legend and len(styles[term]) > 1:
            label_lines(axes, styles[term], font_size=LABEL_SIZE)
        _name_references(axes, shown.panel)
    return canvas


def _name_references(axes: Axes, panel: Panel) -> None:
    """Write the label of each line of theory at its left end."""
    for reference in panel.references:
        if reference.y is not None:
            axes.annotate(
                reference.label,
                (0.02, reference.y),
                xycoords=("axes fraction", "data"),
                va="bottom",
                fontsize=LABEL_SIZE,
            )
