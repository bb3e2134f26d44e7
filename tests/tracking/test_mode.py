"""What W&B is to do is checked before anything is trained."""

import ast
import os
import shutil
import subprocess

import pytest

from seven_terms.cli import verbs
from seven_terms.tracking.mode import is_logged_in, remove_failed, wandb_mode, wandb_runs, warning

KEY = "0" * 40


@pytest.mark.parametrize("value", ["foo", "", "ONLINE", "dryrun"])
def test_a_mode_that_w_and_b_has_not_is_refused_in_one_sentence(value):
    with pytest.raises(ValueError, match=rf"^WANDB_MODE: it must be offline, online or disabled, got '{value}'; try"):
        wandb_mode({"WANDB_MODE": value})


def test_without_variables_the_mirror_is_offline_and_of_selected_runs():
    assert (wandb_mode({}), wandb_runs({})) == ("offline", "selected")
    with pytest.raises(ValueError, match="WANDB_RUNS: it must be selected or all, got 'some'"):
        wandb_runs({"WANDB_RUNS": "some"})


def test_a_plan_is_not_made_under_a_wrong_mode(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "foo")
    assert verbs.run(["plan", "--scale", "smoke", "--results", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("seven-terms plan: WANDB_MODE: it must be offline, online or disabled")
    assert list(tmp_path.iterdir()) == []


def test_a_stack_is_not_trained_under_a_wrong_mode(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "foo")
    arguments = ["--plan", str(tmp_path / "none.json"), "--stack", "0", "--output", str(tmp_path / "none.parquet")]
    assert verbs.run(["train", *arguments]) == 1
    assert capsys.readouterr().err.startswith("seven-terms train: WANDB_MODE: it must be offline, online or disabled")


def test_a_mirror_that_failed_is_one_sentence_and_no_failure_and_is_tried_again(project, tmp_path):
    """The rules' own shell lines, with a mirror that breaks."""
    rules = (project / "rules" / "tracking.smk").read_text()
    shells = [ast.literal_eval("(" + text.partition("\n\n")[0] + ")") for text in rules.split("shell:")[1:]]
    wandb_dir = tmp_path / "wandb"
    wandb_dir.mkdir()
    listed, output, runs_log = wandb_dir / "runs.json", wandb_dir / "mirror.json", tmp_path / "runs_log"
    broken = tmp_path / "seven-terms"
    broken.write_text("#!/bin/sh\necho Traceback >&2\necho 'it broke: for no reason.' >&2\nexit 1\n")
    broken.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    shared = {
        "{params.results:q}": tmp_path,
        "{params.runs}": "selected",
        "{params.runs_log:q}": runs_log,
        "{input.listed:q}": listed,
    }
    said = []
    for lines, own in zip(shells, [(runs_log, listed), (tmp_path / "log", output)], strict=True):
        for word, text in {**shared, "{log:q}": own[0], "{output:q}": own[1]}.items():
            lines = lines.replace(word, str(text))
        command = ["bash", "-euo", "pipefail", "-c", lines]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        said.append(done.stderr)
    assert said == ["", "seven-terms: the report stands, its W&B runs do not: it broke: for no reason.\n"]
    assert (listed.read_bytes(), output.read_bytes()) == (b"", b"")
    remove_failed(wandb_dir)
    assert list(wandb_dir.iterdir()) == []


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not there")
def test_make_says_it_before_it_does_anything(project):
    environment = os.environ | {"WANDB_MODE": "foo"}
    done = subprocess.run(
        ["make", "-n", "report"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "WANDB_MODE must be offline, online or disabled, got 'foo'" in done.stderr


def test_only_an_online_mode_without_a_key_is_warned_of(tmp_path):
    home = {"HOME": str(tmp_path)}
    assert "nobody is logged in" in warning({"WANDB_MODE": "online", **home})
    assert warning({"WANDB_MODE": "offline", **home}) == ""
    assert warning({"WANDB_MODE": "online", "WANDB_API_KEY": KEY, **home}) == ""
    (tmp_path / ".netrc").write_text(f"machine api.wandb.ai\n  login user\n  password {KEY}\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert is_logged_in(home)
    assert warning({"WANDB_MODE": "online", **home}) == ""
    assert not is_logged_in({**home, "WANDB_BASE_URL": "http://localhost:1"})
