"""Every figure of an experiment as one tidy table, lines of theory included."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..records.tables import SUMMARY
from ..spec import AnyTraining, Curve, Panel, Reference, Selected, SweepCurve, read_path
from . import theory
from .panels import COLUMNS, panel_rows
from .results import Results
from .selection import select

SMOOTH = 100  # points of a theory line


def summary_of(results: Results) -> pd.DataFrame:
    """Return the summary table (tables.SUMMARY) of all figures of an experiment."""
    tables = [pd.DataFrame(columns=list(SUMMARY))]
    for figure in results.experiment.figures:
        for number, panel in enumerate(figure.panels):
            rows = panel_rows(panel, results)
            lines = [_theory_rows(line, panel, rows, results=results) for line in panel.references if line.theory]
            for table in (rows, *lines):
                tables.append(table.assign(experiment=results.experiment.path, figure=figure.name, panel=number))
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)[list(SUMMARY)]


def _theory_rows(line: Reference, panel: Panel, rows: pd.DataFrame, *, results: Results) -> pd.DataFrame:
    assert line.theory is not None
    training, over = _training(line, panel, results), _over(panel, results)
    numbers = pd.to_numeric(rows["x"], errors="coerce").dropna().to_numpy(float)
    x = np.unique(numbers)
    if over not in (None, "step", "index"):
        x = x.astype(int) if isinstance(read_path(training, over), int) else _smooth(x, log=panel.log_x)
    y = theory.curve(line.theory, x.tolist(), training, over=over)
    empty = {"y": np.nan, "low": np.nan, "high": np.nan, "num_runs": 0, "selected": "{}"}
    return pd.DataFrame({"series": line.label, "x": x, "value": y, **empty})[list(COLUMNS)]


def _smooth(x: np.ndarray, *, log: bool) -> np.ndarray:
    if len(x) < 2:
        return x
    return np.geomspace(x[0], x[-1], SMOOTH) if log else np.linspace(x[0], x[-1], SMOOTH)


def _training(line: Reference, panel: Panel, results: Results) -> AnyTraining:
    """Return the record that the theory is asked about: of the named arm, or else of the panel's first runs."""
    runs = panel.content.runs
    first = runs if isinstance(runs, Selected) else next(iter(runs.values()))
    first = first[0] if isinstance(first, tuple) else first
    selected = first if line.arm is None else Selected(line.arm)
    return results.runs[select(selected, results).positions[0]].training


def _over(panel: Panel, results: Results) -> str | None:
    """Return what x is: "step", "index", the path of a sweep, or nothing that theory knows."""
    content = panel.content
    if isinstance(content, Curve):
        return content.over
    if not isinstance(content, SweepCurve):
        return None
    experiment = results.experiment
    paths = [*experiment.sweep, *(path for arm in experiment.arms for path in arm.sweep)]
    return next((path for path in paths if path.rsplit(".", 1)[-1] == content.over), content.over)
