"""Everything that needs the W&B service, against a stand-in for it on loopback: it is not the service itself."""

import json
import os
import shutil
from pathlib import Path

import pytest

from seven_terms.cli import verbs
from seven_terms.tracking.mirror import mirror

from .results import make_results
from .stand_in import KEY, USER, stand_in

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of wandb-workspaces, while it is imported


@pytest.fixture(autouse=True)
def _environment(tmp_path):
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        del os.environ[name]
    os.environ.update(
        HOME=str(tmp_path), WANDB_SILENT="true", WANDB_ERROR_REPORTING="false", NETRC=str(tmp_path / "none")
    )
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory) -> Path:
    before = dict(os.environ)
    folder = make_results(tmp_path_factory.mktemp("mirrored") / "laptop")
    mirror(folder)
    os.environ.clear()
    os.environ.update(before)
    return folder


@pytest.fixture
def results_dir(mirrored, tmp_path) -> Path:
    for path in mirrored.rglob("*.synced*"):
        path.unlink()
    return Path(shutil.copytree(mirrored, tmp_path / "laptop", symlinks=True))


@pytest.fixture
def server():
    with stand_in() as server:
        os.environ.update(WANDB_BASE_URL=server.url, WANDB_API_KEY=KEY)
        yield server
        assert server.unknown == []


def publish(folder: Path) -> int:
    return verbs.run(["publish", "--wandb", "--results", str(folder)])


def no_file_holds_the_key(folder: Path) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return bool(files) and not [path for path in files if KEY.encode() in path.read_bytes()]


def test_every_run_arrives_with_its_history_files_and_artifact(results_dir, server, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert publish(results_dir) == 0
    assert len(server.runs) == len(server.finished) == 10
    assert set(server.finished.values()) == {0}
    [run] = [run for run in server.runs.values() if run["displayName"] == "learning_rate/rates/plain-lr=0.5-s1"]
    assert (run["groupName"], run["jobType"]) == ("learning_rate/rates", "plain")
    assert "Which rate is best?" in run["notes"]
    config = json.loads(run["config"], parse_constant=pytest.fail)  # a server takes no Infinity
    assert config["learning_rate"]["value"] == 0.5
    assert [line["trainer/step"] for line in server.history[run["name"]]] == list(range(7))
    artifact = next(one for one in server.artifacts.values() if one["artifactTypeName"] == "results")
    assert {"verdicts.csv", "seven-terms.pdf"} <= set(artifact["files"])
    assert any(name.endswith("seven-terms.pdf") and data.startswith(b"%PDF") for name, data in server.files.items())
    said = capsys.readouterr()
    assert "10 runs uploaded, 0 were there already" in said.out
    assert KEY not in said.out + said.err
    assert no_file_holds_the_key(results_dir)
    assert not (tmp_path / "wandb").exists()
    assert list((results_dir / "wandb" / ".sync").rglob("*.log"))  # wandb's own logs, which the search above read


def test_workspace_and_report_are_saved_once_and_then_again_in_place(results_dir, server, capsys):
    assert publish(results_dir) == 0
    sent = server.operations.count("UpsertBucket")
    assert publish(results_dir) == 0
    assert "0 runs uploaded, 10 were there already" in capsys.readouterr().out
    assert server.operations.count("UpsertBucket") == sent
    specs = [json.loads(view["spec"]) for view in server.views.values()]
    view = next(spec for spec in specs if "section" in spec)["section"]
    panels = {section["name"]: section["panels"] for section in view["panelBankConfig"]["sections"]}
    assert list(panels) == ["Curves", "Sweeps", "Settings"]
    assert [panel["config"]["metricRegex"] for panel in panels["Curves"]] == ["^validation_loss(/[0-9]+)?$"]
    assert [(panel["config"]["xAxis"], panel["config"]["metrics"]) for panel in panels["Sweeps"]] == [
        ("learning_rate", ["last/validation_loss"]),
        ("width", ["last/validation_loss"]),
    ]
    axes = [column["accessor"] for column in panels["Settings"][0]["config"]["columns"]]
    assert axes == ["config:learning_rate.value", "config:width.value", "summary:validation_loss.last"]
    [runs] = view["runSets"]
    assert [key["name"] for key in runs["grouping"]] == ["experiment.value", "arm.value"]
    assert runs["runFeed"]["columnOrder"][:3] == ["run:displayName", "config:learning_rate", "config:width"]
    report = next(spec for spec in specs if "blocks" in spec)
    text = json.dumps(report, ensure_ascii=False)
    assert "LR1" in text
    assert "It learns." in text
    assert f"/{USER}/seven-terms/groups/learning_rate%2Frates" in text
    [grid] = [block["metadata"] for block in report["blocks"] if block["type"] == "panel-grid"]
    assert grid["runSets"][0]["filters"]["filters"][0]["value"] == "learning_rate/rates"
    assert {panel["config"]["groupBy"] for panel in grid["panelBankSectionConfig"]["panels"]} == {"arm.value"}
    assert len(server.views) == 2  # the second call changed those of the first


def test_views_and_report_are_what_the_schema_of_w_and_b_s_own_package_takes(results_dir, server):
    import wandb_workspaces.reports.v2.internal as of_reports
    import wandb_workspaces.workspaces.internal as of_views

    assert publish(results_dir) == 0
    for view in server.views.values():
        spec = json.loads(view["spec"])
        schema = of_views.WorkspaceViewspec if "section" in spec else of_reports.ReportViewspec
        schema.model_validate(spec)


def test_an_upload_that_was_cut_off_goes_on(results_dir, server, capsys):
    server.failing = 3
    assert publish(results_dir) == 1
    said = capsys.readouterr().err
    assert "all 10 runs must arrive" in said
    assert "type the same command again: it resumes" in said
    assert 0 < len(server.finished) < 10
    assert publish(results_dir) == 0
    assert len(server.finished) == 10
    assert {len(lines) for name, lines in server.history.items() if name.count("-") == 1} == {7}  # none twice


def test_a_wrong_key_is_one_sentence_that_does_not_hold_it(results_dir, server, capsys):
    wrong = "bad0" * 10
    os.environ["WANDB_API_KEY"] = wrong
    assert publish(results_dir) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"seven-terms publish: upload to {server.url}: all 10 runs must arrive, got ")
    assert wrong not in said.out + said.err


def test_without_a_login_the_sentence_says_so(results_dir, capsys):
    assert publish(results_dir) == 1
    assert capsys.readouterr().err == (
        "seven-terms publish: W&B account at https://api.wandb.ai: somebody must be logged in, got 'no API key'; "
        "run `wandb login`, then the same command again.\n"
    )


def test_without_a_network_the_sentence_says_so(results_dir, capsys):
    os.environ.update(WANDB_BASE_URL="http://127.0.0.1:9", WANDB_API_KEY=KEY)
    assert publish(results_dir) == 1
    said = capsys.readouterr().err
    assert "W&B: http://127.0.0.1:9 must answer" in said
    assert "check the network, then type the same command again" in said
    assert KEY not in said


def test_without_a_mirror_the_sentence_says_how_to_make_one(tmp_path, capsys):
    assert publish(tmp_path) == 1
    assert "run `make report` first, without WANDB_MODE=disabled" in capsys.readouterr().err
