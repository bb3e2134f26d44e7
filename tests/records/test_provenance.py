"""Where numbers come from, and what is said where git does not tell."""

import os

import pytest

from seven_terms.records.provenance import commit, commit_warning


@pytest.mark.parametrize(
    ("complaint", "advice"),
    [
        (
            "fatal: detected dubious ownership in repository at '/x'",
            "the checkout belongs to another user: `git config ",
        ),
        ("fatal: not a git repository", "this is a copy without its history"),
    ],
)
def test_a_commit_that_git_does_not_tell_is_a_sentence_with_its_cause(complaint, advice, tmp_path, monkeypatch):
    git = tmp_path / "git"
    git.write_text(f'#!/bin/sh\necho "{complaint}" >&2\nexit 128\n', encoding="utf-8")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert commit() == "unknown"
    said = commit_warning()
    assert said.startswith(f"commit of this checkout: git must tell it, got {complaint!r}; results and report will say")
    assert advice in said


def test_nothing_is_said_where_the_commit_is_known(tmp_path, monkeypatch):
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\ncase $1 in rev-parse) echo 0123456789ab;; esac\n", encoding="utf-8")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert commit() == "0123456789ab"
    assert commit_warning() == ""
