"""Saved views and a report of the project, from code.

A view per term: its runs by experiment and arm, the curves that its figures show, what its sweeps say. The report: a section a
term, in it every experiment with its verdicts and its curves by arm.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import wandb
import wandb_workspaces.reports.v2.interface as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces import expr

from ..records.folder import Folder
from ..records.plans import Plan, read_plan
from ..records.tables import read_csv
from ..spec import Curve, Term, title_of
from .content import AXIS
from .mode import service
from .write import project

MOST = 9  # panels of a kind in a section
PINNED = ("config:seed", "config:status", "config:diverged_at_step")
RATE = "learning_rate"
MARKS = {"supported": "✓", "conditional": "(✓)", "refuted": "✗", "inconclusive": "?"}


def save_views(results_dir: Path) -> str:
    """Save views and report, those of an earlier call again, and return where they are."""
    wandb_dir = results_dir / "wandb"
    plans = tuple(read_plan(path) for path in Folder(results_dir).plans())
    verdicts = read_csv(results_dir / "verdicts.csv", kind="verdicts")
    os.environ.pop("WANDB_MODE", None)
    entity = os.environ.get("WANDB_ENTITY") or str(wandb.Api().default_entity)
    path, key = (
        wandb_dir / "published.json",
        f"{service()}/{entity}/{project()}",
    )  # another account has views of its own
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = known if known.get("project") == key else {}
    saved: dict[str, Any] = {"project": key, "views": {}}
    for term in _terms(plans):
        view = view_of(tuple(plan for plan in plans if plan.experiment.term == term), entity)
        view._internal_name, view._internal_id = known.get("views", {}).get(term, ("", ""))
        view.save()
        saved["views"][term] = (view._internal_name, view._internal_id)
    report = report_of(plans, verdicts, entity)
    report.id = known.get("report_id", "")
    report.save()
    path.write_text(json.dumps(saved | {"report_id": report.id}, indent=1) + "\n", encoding="utf-8")
    return f"{len(saved['views'])} views in {key}, report {report.url}"


def view_of(plans: tuple[Plan, ...], entity: str) -> ws.Workspace:
    """Return the saved view of a term: its runs grouped by experiment and arm, which its panels take over."""
    term, scale, swept = plans[0].experiment.term, plans[0].scale, _swept(plans)
    sections = {"Curves": _curves(plans), "Sweeps": _sweeps(plans), "Settings": _settings(plans)}
    return ws.Workspace(
        entity=entity,
        project=project(),
        name=f"{title_of(term)} ({scale})",
        sections=[ws.Section(name=name, panels=panels, is_open=True) for name, panels in sections.items() if panels],
        settings=ws.WorkspaceSettings(x_axis=AXIS, max_runs=100),
        runset_settings=ws.RunsetSettings(
            filters=f'Config("term") = "{term}" and Config("at_scale") = "{scale}"',
            groupby=[expr.Config("experiment"), expr.Config("arm")],
            pinned_columns=[f"config:{name}" for name in swept] + list(PINNED),
        ),
        auto_generate_panels=False,
    )


def _terms(plans: tuple[Plan, ...]) -> list[Term]:
    return list(dict.fromkeys(plan.experiment.term for plan in plans))


def _curves(plans: Sequence[Plan], **options: Any) -> list[wr.LinePlot]:
    """Return the metrics that the figures show over steps, and what the choice of settings is made by."""
    shown = (panel.content for plan in plans for figure in plan.experiment.figures for panel in figure.panels)
    names = [content.metric for content in shown if isinstance(content, Curve) and content.over == "step"]
    names = list(dict.fromkeys([*names, *(plan.experiment.selection.metric for plan in plans)]))
    # What has an index is logged as metric/0, metric/1, ...
    return [wr.LinePlot(title=name, x=AXIS, metric_regex=f"^{name}(/[0-9]+)?$", **options) for name in names[:MOST]]


def _sweeps(plans: Sequence[Plan], **options: Any) -> list[wr.LinePlot]:
    """Return what the sweeps' own runs show: the mean of the last value over each swept number."""
    pairs = [(name, plan.experiment.selection.metric) for plan in plans for name in _swept([plan])]
    return [
        wr.LinePlot(title=f"{metric} by {name}", x=name, y=[f"last/{metric}"], log_x=name == RATE, **options)
        for name, metric in list(dict.fromkeys(pairs))[:MOST]
    ]


def _settings(plans: Sequence[Plan]) -> list[wr.ParallelCoordinatesPlot]:
    """Return a plot with an axis a swept number and one for what the choice is made by."""
    axes = [wr.ParallelCoordinatesPlotColumn(metric=wr.Config(name), log=name == RATE) for name in _swept(plans)]
    metric = f"{plans[0].experiment.selection.metric}.last"
    axes.append(wr.ParallelCoordinatesPlotColumn(metric=wr.SummaryMetric(metric)))
    return [wr.ParallelCoordinatesPlot(title="settings", columns=axes)] if len(axes) > 1 else []


def _swept(plans: Sequence[Plan]) -> list[str]:
    """Return the names of the numbers that are swept, in the order of the experiments."""
    settings = (run.settings.items() for plan in plans for run in plan.every_run)
    return list(dict.fromkeys(name for items in settings for name, value in items if isinstance(value, (int, float))))


def report_of(plans: tuple[Plan, ...], verdicts: pd.DataFrame, entity: str) -> wr.Report:
    """Return the report: all verdicts by term and experiment, each experiment with its curves by arm."""
    address, scale = f"{service()}/{entity}/{project()}", plans[0].scale
    blocks: list = [
        wr.H1("Seven words of machine learning, measured"),
        wr.MarkdownBlock(f"{len(verdicts)} claims at scale {scale}, judged by rules written before the runs."),
        wr.TableOfContents(),
    ]
    for term in _terms(plans):
        blocks.append(wr.H2(title_of(term)))
        for plan in (plan for plan in plans if plan.experiment.term == term):
            path, own = plan.experiment.path, verdicts[verdicts["experiment"] == plan.experiment.path]
            wanted = f'Config("experiment") = "{path}" and Config("at_scale") = "{scale}"'
            runs = wr.Runset(
                entity=entity, project=project(), name=plan.experiment.name, filters=wanted, groupby=["config.arm"]
            )
            by_arm = {"groupby": wr.Config("arm"), "groupby_aggfunc": "mean"}
            panels = [*_curves([plan], **by_arm)[:3], *_sweeps([plan], **by_arm)[:1]]
            blocks += [
                wr.H3(plan.experiment.title),
                wr.MarkdownBlock(f"{plan.experiment.question}\n\n{_table(own, address)}"),
                wr.PanelGrid(runsets=[runs], panels=panels),
            ]
    return wr.Report(project=project(), entity=entity, title=f"Seven Terms, {scale}", blocks=blocks)


def _table(verdicts: pd.DataFrame, address: str) -> str:
    """Return the verdicts as a table in Markdown; a claim links to the runs of its experiment."""
    rows = ["| | claim | statement | effect | interval |", "|---|---|---|---|---|"]
    for row in verdicts.itertuples():
        link = f"[{row.claim} {row.form}]({address}/groups/{row.experiment.replace('/', '%2F')})".replace(" ]", "]")
        interval = f"{row.effect:.3g} {row.unit} | {row.low:.3g} to {row.high:.3g}"
        rows.append(f"| {MARKS[row.verdict]} | {link} | {row.statement} | {interval} |")
    return "\n".join(rows)
