"""Saved views and a report of the project, from code: a section a term, panels grouped by arm, the verdicts as a table."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import wandb
import wandb_workspaces.reports.v2.interface as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces import expr

from ..records.plans import Plan, read_plan
from ..records.tables import read_csv
from ..spec import TERM_TITLES, TERMS, Term
from .content import AXIS
from .mode import service
from .write import project

CURVES = ("train_loss", "batch_loss", "validation_loss", "test_accuracy")
PINNED = ("config:arm", "config:learning_rate", "config:seed", "config:status", "config:diverged_at_step")
MARKS = {"supported": "✓", "conditional": "(✓)", "refuted": "✗", "inconclusive": "?"}


def save_views(results_dir: Path) -> str:
    """Save workspace and report, those of an earlier call again, and return where they are."""
    wandb_dir = results_dir / "wandb"
    plans = tuple(read_plan(path) for path in sorted((results_dir / "plan").glob("*/*.json")))
    verdicts = read_csv(results_dir / "verdicts.csv", kind="verdicts")
    os.environ.pop("WANDB_MODE", None)
    entity = os.environ.get("WANDB_ENTITY") or str(wandb.Api().default_entity)
    known = _read_published(wandb_dir)
    key = f"{service()}/{entity}/{project()}"  # another account has views of its own
    known = known if known.get("project") == key else {}
    workspace = _workspace(plans, entity)
    workspace._internal_name, workspace._internal_id = known.get("workspace_name", ""), known.get("workspace_id", "")
    workspace.save()
    report = _report(plans, verdicts, entity)
    report.id = known.get("report_id", "")
    report.save()
    ids = {"workspace_name": workspace._internal_name, "workspace_id": workspace._internal_id, "report_id": report.id}
    (wandb_dir / "published.json").write_text(json.dumps({"project": key, **ids}, indent=1) + "\n", encoding="utf-8")
    return f"workspace {workspace.url}, report {report.url}"


def _read_published(wandb_dir: Path) -> dict[str, str]:
    """Return the names of views that an earlier call saved."""
    path = wandb_dir / "published.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _workspace(plans: tuple[Plan, ...], entity: str) -> ws.Workspace:
    """Return the view that the project opens with: single runs, grouped by experiment and arm."""
    return ws.Workspace(
        entity=entity,
        project=project(),
        name=f"Seven Terms, {plans[0].scale}",
        sections=[ws.Section(name=TERM_TITLES[term], panels=_panels(term), is_open=True) for term in _terms(plans)],
        settings=ws.WorkspaceSettings(x_axis=AXIS, max_runs=100),
        runset_settings=ws.RunsetSettings(
            filters=f'Config("kind") = "run" and Config("at_scale") = "{plans[0].scale}"',
            groupby=[expr.Config("experiment"), expr.Config("arm")],
            pinned_columns=list(PINNED),
        ),
        auto_generate_panels=False,
    )


def _terms(plans: tuple[Plan, ...]) -> list[Term]:
    present = {plan.experiment.term for plan in plans}
    return [term for term in TERMS if term in present]


def _panels(term: str) -> list:
    lines = [
        wr.LinePlot(title=name, x=AXIS, y=[name], groupby=wr.Config("arm"), groupby_aggfunc="mean") for name in CURVES
    ]
    rates = wr.ParallelCoordinatesPlot(
        title=f"{term}: settings",
        columns=[
            wr.ParallelCoordinatesPlotColumn(metric=wr.Config("learning_rate"), log=True),
            wr.ParallelCoordinatesPlotColumn(metric=wr.SummaryMetric("validation_loss.last")),
        ],
    )
    return [*lines, rates]


def _report(plans: tuple[Plan, ...], verdicts: pd.DataFrame, entity: str) -> wr.Report:
    """Return the report: what is asked, all verdicts, and for each term its claims and curves."""
    address = f"{service()}/{entity}/{project()}"
    blocks: list = [
        wr.H1("Seven words of machine learning, measured"),
        wr.MarkdownBlock(f"{len(verdicts)} claims at scale {plans[0].scale}, judged by rules written before the runs."),
        wr.TableOfContents(),
    ]
    for term in _terms(plans):
        own = verdicts[verdicts["term"] == term]
        blocks += [
            wr.H2(TERM_TITLES[term]),
            wr.MarkdownBlock(_table(own, address)),
            wr.PanelGrid(runsets=[_runset(term, plans[0].scale, entity)], panels=_panels(term)[:2]),
        ]
    return wr.Report(project=project(), entity=entity, title=f"Seven Terms, {plans[0].scale}", blocks=blocks)


def _runset(term: str, scale: str, entity: str) -> wr.Runset:
    wanted = f'Config("kind") = "run" and Config("term") = "{term}" and Config("at_scale") = "{scale}"'
    return wr.Runset(entity=entity, project=project(), name=TERM_TITLES[term], filters=wanted, groupby=["arm"])


def _table(verdicts: pd.DataFrame, address: str) -> str:
    """Return the verdicts as a table in Markdown; a claim links to the runs of its experiment."""
    rows = ["| | claim | statement | effect | interval |", "|---|---|---|---|---|"]
    for row in verdicts.itertuples():
        link = f"[{row.claim} {row.form}]({address}/groups/{row.experiment.replace('/', '%2F')})".replace(" ]", "]")
        interval = f"{row.effect:.3g} {row.unit} | {row.low:.3g} to {row.high:.3g}"
        rows.append(f"| {MARKS[row.verdict]} | {link} | {row.statement} | {interval} |")
    return "\n".join(rows)
