"""The mirror holds what a W&B user looks for, can be made again, and shows in W&B's own reader."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments import EXPERIMENTS
from seven_terms.cli import verbs
from seven_terms.planning import plans_at
from seven_terms.records.plans import read_plan
from seven_terms.records.tables import SUMMARY, read_csv, write_csv
from seven_terms.tracking.content import about_arms
from seven_terms.tracking.folders import TIME
from seven_terms.tracking.mirror import mirror
from seven_terms.tracking.selected import MAX_RUNS, selected_runs

from .results import DIVERGES, EXPERIMENT, METRICS, make_results

WANDB = Path(sys.executable).with_name("wandb")
SECRET = "5ec2e7" + "ab" * 17  # no key of anybody's


@pytest.fixture(scope="module", autouse=True)
def _environment():
    """Give the process its variables back: the mirror takes those of wandb away."""
    before = dict(os.environ)
    os.environ.update(WANDB_API_KEY=SECRET, WANDB_MODE="online", WANDB_TAGS="a-stranger", WANDB_RUN_GROUP="another")
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def results_dir(tmp_path_factory, _environment) -> Path:
    folder = make_results(tmp_path_factory.mktemp("results") / "laptop")
    mirror(folder)
    return folder


def inspect(path: Path) -> dict:
    """Return what wandb's own reader says of a run; its log goes where the run lies, not where the tests are called."""
    command = [WANDB, "leet", "inspect", "--summary", "--json", path]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=120, cwd=path if path.is_dir() else path.parent
    )
    return json.loads(done.stdout)


def records(path: Path, kind: str) -> list[dict]:
    """Return the records of a kind in a run's log, as wandb's own reader prints them."""
    command = [WANDB, "leet", "inspect", "--json", path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=path)
    found = (json.loads(line) for line in done.stdout.splitlines())
    return [record[kind] for record in found if record["type"] == kind]


def names(folder: Path) -> set[str]:
    """Return the names in the list of a folder, in full but for the experiment."""
    entries = [path.name for path in folder.iterdir() if path.name.startswith("run-")]
    return {entry.partition(f"-{TIME}-")[2].removeprefix("rates-") for entry in entries}


def entry(folder: Path, name: str) -> Path:
    """Return the folder that leet lists for a run whose name is short enough to be seen whole."""
    return folder / f"run-{name}-{TIME}-{name}"


def test_every_seed_of_a_setting_that_a_claim_reads_is_a_run_and_every_sweep_is_one(results_dir):
    assert names(results_dir / "wandb" / "learning_rate" / "rates") == {
        "plain-lr=0.5-s0", "plain-lr=0.5-s1", "plain-sweep",
        "wide-lr=0.1-width=8-s0", "wide-lr=0.1-width=8-s1",
        "wide-sweep",
        "fixed-lr=0.1-s0", "fixed-lr=0.1-s1", "fixed-sweep",
    }  # fmt: skip
    assert names(results_dir / "wandb") >= {"overview", "plain-lr=0.5-s0"}
    assert len(list((results_dir / "wandb" / "logs").iterdir())) == len(names(results_dir / "wandb")) == 10


def test_a_claim_over_a_whole_sweep_adds_no_runs_but_the_best_setting_stands_for_its_arm(tmp_path):
    rates = [{"optimizer.learning_rate": rate} for rate in (0.1, 0.5, 2.0)]
    folder = make_results(tmp_path / "laptop", selected={"plain": rates})
    mirror(folder)
    plain = {name for name in names(folder / "wandb" / "learning_rate" / "rates") if name.startswith("plain-lr")}
    assert plain == {"plain-lr=0.1-s0", "plain-lr=0.1-s1"}


def test_what_a_figure_shows_is_mirrored_at_its_own_selected_setting(tmp_path):
    folder = make_results(tmp_path / "laptop", selected={"wide": {}})
    row = dict.fromkeys(SUMMARY) | {"experiment": EXPERIMENT.path, "figure": "curves", "panel": 0, "series": "plain",
                                    "num_runs": 2, "selected": json.dumps({"optimizer.learning_rate": 2.0})}  # fmt: skip
    write_csv(pd.DataFrame([row], columns=list(SUMMARY)), folder / "summary" / f"{EXPERIMENT.path}.csv", kind="summary")
    mirror(folder)
    plain = {name for name in names(folder / "wandb" / "learning_rate" / "rates") if name.startswith("plain-lr")}
    assert plain == {"plain-lr=2-s0", "plain-lr=2-s1"}


def test_where_claims_read_more_than_there_is_room_for_each_setting_keeps_its_first_seeds(results_dir):
    plan = read_plan(results_dir / "plan" / f"{EXPERIMENT.path}.json")
    verdicts = read_csv(results_dir / "verdicts.csv", kind="verdicts")
    both = json.dumps({"plain": [{"optimizer.learning_rate": 0.1}, {"optimizer.learning_rate": 0.5}]})
    scores = dict.fromkeys(plan.runs, 1.0)
    chosen = selected_runs((plan,), verdicts.assign(selected=both), scores, room=2)
    assert {(plan.runs[name].settings["learning_rate"], plan.runs[name].seed) for name in chosen} == {
        (0.1, 0),
        (0.5, 0),
    }


def test_a_run_says_group_job_tags_notes_and_a_flat_config(results_dir):
    run = inspect(entry(results_dir / "wandb", "rates-plain-lr=0.5-s1"))
    assert run["name"] == "learning_rate/rates/plain-lr=0.5-s1"
    assert set(run["tags"]) == {"learning_rate", "rates", "plain", "laptop", "supported"}
    assert "Which rate is best?" in run["notes"]
    assert "LR1" in run["notes"]
    assert 'make report SCALE=laptop ONLY="learning_rate/rates"' in run["notes"]
    expected = {"learning_rate": 0.5, "seed": 1, "arm": "plain", "experiment": EXPERIMENT.path, "status": "completed",
                "commit": "0123456789ab", "processor": "an AMD", "training/model/width": 4, "at_scale": "laptop"}  # fmt: skip
    assert expected.items() <= run["config"].items()
    assert not [value for value in run["config"].values() if isinstance(value, dict)]
    assert f"{run['config']['run_key']}-{run['config']['attempt']}" in os.path.realpath(run["file"])


def test_every_arm_of_the_suite_says_which_way_its_metrics_are_better_however_it_is_trained():
    experiment = next(one for one in EXPERIMENTS if one.name == "in_lightning")
    plan = plans_at([experiment], "smoke")[experiment.path]
    told = about_arms(plan, pd.DataFrame(columns=["claim", "form", "verdict", "selected"]))
    assert {"lightning", "stack"} <= set(told)
    assert {about.directions["test_loss"] for about in told.values()} == {"min"}


def test_summaries_keep_the_good_end_of_each_metric(results_dir):
    summary = inspect(entry(results_dir / "wandb", "rates-plain-lr=0.5-s0"))["summary"]
    assert summary["batch_loss"]["min"] == pytest.approx(-5.5)
    assert summary["test_accuracy"]["max"] == pytest.approx(6.5)
    assert summary["trainer/step"] == 6


def test_divergent_values_are_shown_as_w_and_b_writes_them_with_the_step(tmp_path):
    folder = make_results(tmp_path / "laptop", selected={"plain": {"optimizer.learning_rate": DIVERGES}})
    mirror(folder)
    place = entry(folder / "wandb", f"rates-plain-lr={DIVERGES:g}-s0")
    run = inspect(place)
    assert run["config"]["status"] == run["summary"]["status"] == "diverged"
    assert run["summary"]["diverged_at_step"] == 3
    assert run["summary"]["validation_loss"]["last"] == "NaN"
    assert run["state"] == "finished"
    last = records(place, "history")[-1]["item"]
    assert (last["trainer/step"], last["validation_loss"], last["layer_gradient_norm/1"]) == (6, "NaN", "Infinity")


def test_every_metric_is_drawn_over_the_trainer_s_step(results_dir):
    defined = records(entry(results_dir / "wandb", "rates-plain-lr=0.5-s0"), "metric")
    assert {metric["name"]: metric.get("step_metric") for metric in defined} == {
        "trainer/step": None,
        **dict.fromkeys((*METRICS, "layer_gradient_norm/0", "layer_gradient_norm/1"), "trainer/step"),
    }
    sweep = records(entry(results_dir / "wandb", "rates-wide-sweep"), "metric")
    assert {metric["name"] for metric in sweep} >= {"learning_rate", "last/validation_loss"}


def test_a_sweep_is_a_table_with_shares_and_the_overview_holds_verdicts_and_figures(results_dir):
    sweep = inspect(entry(results_dir / "wandb", "rates-plain-sweep"))
    assert sweep["summary"]["num_runs"] == 6
    assert sweep["summary"]["share_diverged"] == pytest.approx(1 / 3)
    assert sweep["config"]["swept/learning_rate"] == "0.1, 0.5, 2"
    table = json.loads(
        next((entry(results_dir / "wandb", "rates-plain-sweep") / "files").resolve().rglob("*.table.json")).read_text()
    )
    assert {"learning_rate", "seed", "status", "last/validation_loss"} <= set(table["columns"])
    assert len(table["data"]) == 6
    overview = inspect(results_dir / "wandb")  # latest-run
    assert overview["summary"]["verdicts/supported"] == 1
    assert list((results_dir / "wandb" / "latest-run").resolve().rglob("*.png"))


def test_several_processes_write_the_same_mirror_as_one(results_dir, tmp_path, monkeypatch):
    monkeypatch.setattr("seven_terms.tracking.mirror.FEW", 3)
    folder = make_results(tmp_path / "laptop")
    mirror(folder, jobs=2)
    ids = [json.loads((each / "wandb" / "mirror.json").read_text())["ids"] for each in (folder, results_dir)]
    assert ids[0] == ids[1]
    assert names(folder / "wandb") == names(results_dir / "wandb")
    assert inspect(folder / "wandb")["summary"]["verdicts/supported"] == 1


def test_runs_written_before_the_report_and_the_overview_after_it_are_the_mirror(results_dir, tmp_path, capsys):
    folder = make_results(tmp_path / "laptop")
    assert verbs.run(["mirror", "--results", str(folder), "--part", "runs"]) == 0
    assert not (folder / "wandb" / "mirror.json").exists()
    assert capsys.readouterr().out == ""
    assert verbs.run(["mirror", "--results", str(folder), "--part", "overview"]) == 0
    both = [json.loads((each / "wandb" / "mirror.json").read_text()) for each in (folder, results_dir)]
    assert both[0] == both[1]
    assert names(folder / "wandb") == names(results_dir / "wandb")
    assert f"{len(both[0]['ids'])} of them new" in capsys.readouterr().out


def test_a_second_mirror_writes_nothing_and_changed_results_write_new_runs(tmp_path):
    folder = make_results(tmp_path / "laptop")
    mirror(folder)
    before = {path: path.stat().st_mtime_ns for path in (folder / "wandb" / "logs").rglob("*.wandb")}
    assert ", 0 of them new" in mirror(folder)
    assert {path: path.stat().st_mtime_ns for path in (folder / "wandb" / "logs").rglob("*.wandb")} == before
    make_results(folder, selected={"plain": {"optimizer.learning_rate": 0.1}})
    assert ", 0 of them new" not in mirror(folder)
    assert "plain-lr=0.5-s0" not in names(folder / "wandb" / "learning_rate" / "rates")


def test_all_runs_can_be_asked_for_and_the_mirror_can_be_narrowed(results_dir, tmp_path, capsys):
    folder = make_results(tmp_path / "laptop")
    assert verbs.run(["mirror", "--results", str(folder), "--runs", "all", "--only", "learning_rate"]) == 0
    runs = {name for name in names(folder / "wandb" / "learning_rate" / "rates") if not name.endswith("sweep")}
    assert len(runs) == 2 * (3 + 6 + 1) < MAX_RUNS
    capsys.readouterr()
    assert verbs.run(["mirror", "--results", str(folder), "--only", "batch_norm"]) == 1
    assert "--only must name terms or <term>/<name> of the plan, got ['batch_norm']" in capsys.readouterr().err


def test_no_file_of_the_mirror_holds_the_key(results_dir):
    files = [path for path in results_dir.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
