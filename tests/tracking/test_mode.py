"""What W&B is to do is checked before anything is trained."""

import os
import shutil
import subprocess

import pytest

from seven_terms.cli import verbs
from seven_terms.tracking.mode import is_logged_in, wandb_mode, wandb_runs, warning

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
