"""Results as frames: what they hold, and that every column of them is described."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import seven_terms
from seven_terms.analysis import COLUMNS, Results
from seven_terms.analysis.columns import FINAL, SETTING
from seven_terms.planning import write_plan
from seven_terms.records.plans import read_plan
from seven_terms.records.tables import SUMMARY, VERDICTS
from seven_terms.spec import Arm, Below, Claim, Cosine, Experiment, Figure, Last, Linear, PairedDifference, curve
from seven_terms.statistics import summarize, verdicts
from seven_terms.statistics.results import load_results
from seven_terms.statistics.selection import evaluate
from tests.statistics.synthetic import TRAINING, make_experiment, write_results
from tests.tracking.results import make_results

A = Arm(name="a", label="the first", training=TRAINING, sweep={"optimizer.learning_rate": (0.1, 0.4)})
B = Arm(name="b", label="the second", training=TRAINING, sweep={"schedule": (Cosine(), Linear())})
EXPERIMENT = make_experiment(
    arms=(A, B),
    claims=(
        Claim(id="X", statement="s", source="s", unit="nats", because="b", rule=Below(0.0),
              estimate=PairedDifference(measure=Last("test_loss"), runs=A.at(), baseline=B.at())),
    ),
    figures=(Figure(name="one", caption="c", panels=(curve("losses", "test_loss", {"a": A.at()}).axes(log="y"),)),),
)  # fmt: skip


def is_lost(run) -> bool:
    return run.arm == "a" and run.settings["learning_rate"] == 0.4 and run.seed == 0


def write(folder: Path, experiment: Experiment) -> None:
    def record(run):
        return {"test_loss": {50: 2.0, 100: 1.0 + 0.01 * run.seed + (run.arm == "b")}, "layer": {(100, 0): 3.0}}

    metrics = folder / "metrics" / experiment.path
    plan = write_results(experiment, record, metrics, diverged=is_lost)
    write_plan(experiment, folder / "plan" / f"{experiment.path}.json", scale="laptop")
    tables = {f"{kind}_path": folder / kind / f"{experiment.path}.csv" for kind in ("summary", "claims")}
    summarize(plan, metrics, **tables)
    verdicts(folder, folder / "verdicts.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("results") / "laptop"
    write(made, EXPERIMENT)
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return seven_terms.load(folder)


def test_a_run_has_its_settings_and_the_last_value_of_each_metric(results: Results) -> None:
    runs = results.runs
    assert len(runs) == 2 * 2 * 3
    assert set(runs["arm_label"]) == {"the first", "the second"}
    swept = runs[runs["arm"] == "a"]["optimizer.learning_rate"]
    assert sorted(swept.unique()) == [0.1, 0.4]
    assert set(runs[runs["arm"] == "b"]["schedule"]) == {"Cosine", "Linear"}
    assert set(runs[runs["arm"] == "a"]["schedule"]) == {"Constant"}
    assert runs["num_steps"].unique().tolist() == [100]


def test_final_values_are_what_claims_read(results: Results, folder: Path) -> None:
    plan = read_plan(folder / "plan" / f"{EXPERIMENT.path}.json")
    expected = evaluate(Last("test_loss"), load_results(plan, folder / "metrics" / EXPERIMENT.path))
    found = results.runs.set_index("run_id")["final_test_loss"]
    pd.testing.assert_series_equal(found.sort_index(), expected.sort_index(), check_names=False, check_index_type=False)
    (lost,) = results.runs[results.runs["status"] == "diverged"].to_dict("records")
    assert math.isnan(lost["final_test_loss"])
    assert (lost["diverged_at_step"], lost["num_steps"], lost["steps_made"]) == (40, 100, 40)


def test_every_column_of_every_frame_is_described_and_every_description_is_of_one(results: Results) -> None:
    for frame, known in COLUMNS.items():
        found = set(getattr(results, frame).columns)
        if frame == "runs":
            found -= {"optimizer.learning_rate", "schedule", "final_test_loss"}
            known = known.keys() - {SETTING, FINAL}
        assert found == set(known), frame
    assert set(SUMMARY) < set(COLUMNS["summary"])
    assert set(VERDICTS) == set(COLUMNS["claims"])
    assert len(results.columns) == sum(map(len, COLUMNS.values()))
    assert (
        results.meaning("runs", "duration_seconds") == "duration_seconds [s]: the run's equal share of its stack's time"
    )
    assert results.meaning("runs", "schedule").startswith("schedule: the value in the run's training")
    with pytest.raises(ValueError, match="frame 'claims': it must have the column, got 'efect'"):
        results.meaning("claims", "efect")


def test_metrics_quantities_summary_and_claims_are_there(results: Results) -> None:
    assert len(results.metrics) == 12 * 3
    assert results.metrics.groupby("metric", observed=True).size().to_dict() == {"layer": 12, "test_loss": 24}
    units = results.quantities.set_index("metric")
    assert units.loc["test_loss", "direction"] == "min"
    assert set(results.summary["y_label"]) == {"test loss"}
    assert results.summary["log_y"].all()
    assert results.claims["claim"].tolist() == ["X"]


def test_published_tables_give_what_they_hold_and_say_what_they_lack(project: Path) -> None:
    published = seven_terms.load(project / "results" / "published" / "laptop", only="gradient_clipping")
    assert {name.partition("/")[0] for name in published.experiments} == {"gradient_clipping"}
    assert "GC2" in set(published.claims["claim"])
    assert np.isfinite(published.summary["value"].astype(float)).any()
    with pytest.raises(
        ValueError, match=r"must hold plans and metrics for frames of runs.*`make report` makes the runs"
    ):
        published.runs  # noqa: B018


def test_a_folder_without_results_and_an_unknown_experiment_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="results: the folder must hold results, got"):
        seven_terms.load(tmp_path)
    with pytest.raises(ValueError, match=r"only must name some of lr_schedule/made_up, got \['made'\]"):
        seven_terms.load(folder, only="made")


def test_loading_needs_neither_torch_nor_scipy(tmp_path: Path) -> None:
    folder = make_results(tmp_path)
    code = f"import seven_terms, sys; r = seven_terms.load({str(folder)!r}); r.runs, r.claims; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "scipy", "matplotlib", "pytorch_lightning"} & set(found)
