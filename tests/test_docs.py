"""What the documentation says is typed here, to the letter: the tutorial, the examples, the notebook; and the site builds."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seven_terms.cli.verbs import run
from tests.notebooks import executed

FENCE = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = "/path/to/seven-terms"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside of the clone, where a user is at work."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def typed(command: str, project: Path) -> str:
    """Return what a command of the tutorial prints."""
    words = command.replace(PLACE, str(project)).split()
    program = {"seven-terms": [sys.executable, "-m", "seven_terms"], "python": [sys.executable]}
    environment = os.environ | {"SEVEN_TERMS_WARM": "0"}
    call = [*program.get(words[0], words[:1]), *words[1:]]
    done = subprocess.run(call, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_tutorial_goes_from_a_doubt_to_the_verdict_that_it_prints(project: Path, empty: Path) -> None:
    printed, expected = [], ""
    for language, title, text in FENCE.findall((project / "docs" / "tutorial.md").read_text()):
        if language == "console":
            printed += [typed(line.removeprefix("$ "), project) for line in text.splitlines()]
        elif title == "verdict":
            expected = text
        else:
            Path(title).parent.mkdir(exist_ok=True)
            Path(title).write_text(text, encoding="utf-8")
    claim, verdict = expected.splitlines()[1].split()[:2]
    assert re.search(rf"^{claim} +{verdict} ", "".join(printed), re.MULTILINE)
    assert "to train: 3 of 3 stacks, 288 runs" in "".join(printed)
    assert Path("doubt/results/laptop/figures/batch_norm/small_batches/loss.pdf").is_file()
    assert "final_test_loss [the metric's]: last recorded value" in "".join(printed)


def examples(project: Path) -> list[str]:
    return sorted(path.parent.name for path in (project / "examples").glob("own_*/__init__.py"))


def test_every_example_runs_from_an_empty_folder_and_trains_nothing_twice(
    project: Path, empty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in examples(project):
        shutil.copytree(project / "examples" / name, empty / name)
        assert run(["run", "--experiments", name]) == 0, name
        told = capsys.readouterr().out
        assert "1 claim: " in told, name
        assert list(Path(name, "results", "laptop", "figures").rglob("*.pdf")), name
        assert run(["run", "--experiments", name]) == 0
        assert "to train: 0 of" in capsys.readouterr().out, name


def test_a_mistake_in_an_experiment_is_told_with_its_place(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("wrong").mkdir()
    Path("wrong/__init__.py").write_text(
        "from seven_terms.spec import *\n\nSgd(learning_rate=rate)\n", encoding="utf-8"
    )
    assert run(["run", "--experiments", "wrong"]) != 0
    told = capsys.readouterr().err
    assert "experiments 'wrong': name 'rate' is not defined (" in told
    assert "wrong/__init__.py, line 3)." in told


def test_the_notebook_has_the_outputs_of_its_code_and_no_path_of_a_machine(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / "examples" / "redraw.ipynb"
    monkeypatch.chdir(project)
    before, after = json.loads(path.read_text()), executed(path)
    for old, new in zip(before["cells"], after["cells"], strict=True):
        kinds = [[output["output_type"] for output in cell.get("outputs", ())] for cell in (old, new)]
        assert kinds[0] == kinds[1]
    shown = "".join("".join(cell["source"]) for cell in before["cells"]) + json.dumps(
        [c.get("outputs") for c in before["cells"]]
    )
    assert not re.search(r'"/(home|root|tmp|Users|work)|[A-Z]:\\\\', shown)


def test_the_site_builds_strictly_and_asks_nothing_of_the_network(project: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("`make docs` installs what builds it")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=quiet)
    assert done.returncode == 0, done.stderr
    pages = {page.name: page.read_text() for page in (tmp_path / "site").glob("*.html")}
    assert "PairedDifference" in pages["reference.html"]
    assert "duration_seconds" in pages["analysis.html"]
    assert not [
        name for name, text in pages.items() if re.search(r'(src|href)="https?://[^"]+\.(js|css|woff2?)"', text)
    ]


def test_every_page_is_in_the_navigation(project: Path) -> None:
    text = (project / "mkdocs.yml").read_text().partition("nav:")[2]
    assert set(re.findall(r"[\w-]+\.md", text)) == {path.name for path in (project / "docs").glob("*.md")}
