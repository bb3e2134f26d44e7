"""One figure: panels in a row or two by two, legends outside the data, everything at printed size."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from ..records.plans import Plan, read_plan
from ..records.tables import read_csv
from ..spec import Bars, Experiment, Figure, Heatmap, Panel, require
from ..spec.best import best_of
from ..spec.metrics import Direction
from .axes import label_lines
from .bars import lies_down
from .panel import draw_panel, labels_of, needs_legend
from .rows import panel_rows
from .style import FONT_SIZE, TEXT_WIDTH, house_style, save, style_of

LEGEND_ROW = FONT_SIZE / 72 * 1.35  # inches
CHARACTERS_PER_INCH = 17.0  # of legend text
HANDLE_CHARACTERS = 6  # what a legend's line and the space around it take
BELOW_LABEL = 3.6  # in font sizes: room for ticks and x label
KEY_WIDTH, KEY_HEIGHT = 2.78, 1.42  # inches: beside the text of a question
LABEL_SIZE = 7.5
BAR_HEIGHT = 0.15  # inches of a lying bar in a small figure
LONGEST = 19  # letters of a label that fits beside its line
ALONE_WIDTH = 4.4  # inches: a single panel does not fill the text width


def draw(plan: Plan | Path, summary_path: Path, *, name: str, output_path: Path) -> None:
    """Draw figure `name` of a plan's experiment from its summary table to a PDF, and a PNG beside it."""
    plan = plan if isinstance(plan, Plan) else read_plan(plan)
    known = {figure.name: figure for figure in plan.experiment.figures}
    require(
        name in known,
        what=f"experiment {plan.experiment.path!r}",
        must=f"a figure must be one of {sorted(known)}",
        got=name,
    )
    summary = read_csv(summary_path, kind="summary")
    with house_style():
        save(make_figure(known[name], summary, experiment=plan.experiment), output_path, svg=True)


def draw_key(plan: Plan | Path, summary_path: Path, *, output_path: Path) -> None:
    """Draw the panel that stands for a plan's experiment in the main text, small and with its labels at the lines."""
    plan = plan if isinstance(plan, Plan) else read_plan(plan)
    figures = plan.experiment.figures
    marked = [figure for figure in figures if figure.key is not None]
    require(bool(figures), what=f"experiment {plan.experiment.path!r}", must="it must have a figure", got="none")
    figure = marked[0] if marked else figures[0]
    number = figure.key or 0
    panel = figure.panels[number]
    rows = panel_rows(read_csv(summary_path, kind="summary"), figure.name, panel=number)
    with house_style():
        save(make_small(panel, rows, best=best_of(plan.experiment, panel)), output_path)


def make_small(
    panel: Panel, rows: pd.DataFrame, *, width: float = KEY_WIDTH, height: float = KEY_HEIGHT, best: Direction = "none"
) -> Canvas:
    """Return one panel as a small figure; a few lines carry their labels, many have a legend below."""
    lying = isinstance(panel.content, Bars) and lies_down(panel, width=width)
    canvas = Canvas(
        figsize=(width, max(height, 0.5 + BAR_HEIGHT * len(panel.content.runs)) if lying else height),  # pyright: ignore[reportArgumentType]
        layout="constrained",
    )
    draw_small(canvas.subplots(), panel, rows, width=width, best=best)
    return canvas


def draw_small(axes: Axes, panel: Panel, rows: pd.DataFrame, *, width: float, best: Direction = "none") -> None:
    """Draw a panel into axes of `width` inches, labels at the lines where they fit and in a legend where they do not."""
    labels = labels_of(panel, rows)
    styles = style_of(labels)
    draw_panel(axes, panel, rows, styles=styles, width=width, best=best)
    if not needs_legend(panel):
        return
    is_line = panel.content.lines
    if is_line and len(labels) > 1 and max(map(len, labels)) <= LONGEST and not panel.references:
        axes.figure.draw_without_rendering()
        label_lines(axes, styles, font_size=LABEL_SIZE)
    elif len(labels) > 1 or panel.references:
        handles, names = axes.get_legend_handles_labels()
        columns = legend_columns(names, width=1.25 * width)
        canvas = axes.figure
        canvas.set_figheight(canvas.get_figheight() + math.ceil(len(names) / columns) * LABEL_SIZE / 72 * 1.3)
        canvas.legend(handles, names, loc="outside lower center", ncols=columns, fontsize=LABEL_SIZE, handlelength=1.6)


def make_figure(figure: Figure, summary: pd.DataFrame, *, experiment: Experiment | None = None) -> Canvas:
    """Return the drawn figure; with its experiment the best rate of each line has a ring."""
    tables = [panel_rows(summary, figure.name, panel=i) for i in range(len(figure.panels))]
    labels = [labels_of(panel, rows) for panel, rows in zip(figure.panels, tables, strict=True)]
    styles = style_of(label for some in labels for label in some)
    columns, lines = _grid(len(figure.panels))
    total = TEXT_WIDTH if columns > 1 else ALONE_WIDTH
    width = total / columns
    heights = [panel_height(panel, width=width) for panel in figure.panels]
    canvas = Canvas(figsize=(total, lines * max(heights)), layout="constrained")
    limits = _colour_limits(figure.panels, tables)
    places = list(canvas.subplots(lines, columns, squeeze=False).flat)
    for number, (axes, panel, rows) in enumerate(zip(places, figure.panels, tables, strict=False)):
        best = best_of(experiment, panel) if experiment else "none"
        draw_panel(axes, panel, rows, styles=styles, width=width, limits=limits, best=best)
        letter = f"({'abcd'[number]}) " if len(figure.panels) > 1 else ""
        add_title(axes, letter + panel.title, width=width)
    for axes in places[len(figure.panels) :]:
        axes.set_axis_off()
    _add_legends(canvas, places, figure.panels, labels=labels, width=width)
    return canvas


def _colour_limits(panels: tuple[Panel, ...], tables: list[pd.DataFrame]) -> tuple[float, float] | None:
    """Return the range of all heatmaps of a figure whose values have one name: one colour then means one value."""
    maps = [rows["value"] for panel, rows in zip(panels, tables, strict=True) if isinstance(panel.content, Heatmap)]
    values = pd.concat(maps).dropna() if maps else pd.Series(dtype=float)
    return (float(values.min()), float(values.max())) if len(maps) > 1 and len(values) else None


def add_title(axes: Axes, title: str, *, width: float, weight: str = "normal") -> None:
    axes.set_title(textwrap.fill(title, int(width * 14)), loc="left", fontweight=weight)


def panel_height(panel: Panel, *, width: float) -> float:
    """Return the height in inches that fits a panel, its legend not counted."""
    usual = {True: 2.6, False: 2.3}[width > 2.5]
    if isinstance(panel.content, Bars) and lies_down(panel, width=width):
        return max(usual, 0.7 + 0.23 * len(panel.content.runs))
    return usual


def _grid(num_panels: int) -> tuple[int, int]:
    return (num_panels, 1) if num_panels <= 3 else (2, math.ceil(num_panels / 2))


def _add_legends(
    canvas: Canvas, places: list[Axes], panels: tuple[Panel, ...], *, labels: list[list[str]], width: float
) -> None:
    """One legend below the figure where panels share labels, else one below each panel."""
    told = [i for i, panel in enumerate(panels) if needs_legend(panel)]
    seen = [label for i in told for label in labels[i]]
    if len(told) > 1 and len(set(seen)) == len(seen):
        rows = max(add_panel_legend(places[i], width=width) for i in told)
        canvas.set_figheight(canvas.get_figheight() + rows * LEGEND_ROW)
        return
    entries = {}
    for i in told:
        handles, names = places[i].get_legend_handles_labels()
        entries |= {name: handle for name, handle in zip(names, handles, strict=True) if name not in entries}
    if entries:
        columns = legend_columns(list(entries), width=canvas.get_figwidth())
        rows = math.ceil(len(entries) / columns)
        canvas.set_figheight(canvas.get_figheight() + rows * LEGEND_ROW)
        canvas.legend(entries.values(), entries, loc="outside lower center", ncols=columns)


def add_panel_legend(axes: Axes, *, width: float) -> int:
    """Put a panel's own legend below its x label; return the number of its rows."""
    handles, names = axes.get_legend_handles_labels()
    if not names:
        return 0
    columns = legend_columns(names, width=width)
    axes.legend(
        handles, names, loc="upper center", bbox_to_anchor=(0.45, 0.0), borderaxespad=BELOW_LABEL, ncols=columns
    )
    return math.ceil(len(names) / columns)


def legend_columns(names: list[str], *, width: float) -> int:
    longest = max(len(name) for name in names) + HANDLE_CHARACTERS
    return max(1, min(len(names), int(width * CHARACTERS_PER_INCH / longest)))
