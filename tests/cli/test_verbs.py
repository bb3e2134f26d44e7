"""The command line: one line for what a person can mend, no traceback."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from experiments import EXPERIMENTS
from seven_terms.cli import verbs as command_line
from seven_terms.records.folder import Folder
from seven_terms.records.plans import read_plan


def test_plan_writes_every_experiment_and_shows_its_cost(tmp_path, project, capsys):
    arguments = ["plan", "--scale", "smoke", "--results", str(tmp_path), "--experiments", str(project / "experiments")]
    assert command_line.run(arguments) == 0
    written = sorted((tmp_path / "plan").glob("*/*.json"))
    shown = capsys.readouterr().out.splitlines()
    for path in written:
        assert sum(line.startswith(f"{path.parent.name}/{path.stem} ") for line in shown) == 1
    assert re.fullmatch(r"to train: \d+ runs in \d+ stacks, [\d.]+ TFLOP, about .* with \d+ at a time", shown[-1])
    plan = read_plan(written[0])
    assert json.loads(written[0].read_text())["content"] == plan.content
    assert all(stack in (tmp_path / "plan" / "stacks.csv").read_text() for stack in plan.stacks)


def test_a_plan_that_did_not_change_is_not_written_again(tmp_path, project):
    arguments = ["plan", "--scale", "smoke", "--results", str(tmp_path), "--experiments", str(project / "experiments")]
    command_line.run(arguments)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("[!.]*.*")}
    command_line.run(arguments)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("[!.]*.*")} == before


def test_a_plan_of_an_experiment_that_is_gone_is_deleted(tmp_path, project):
    stale = tmp_path / "plan" / "batch_norm" / "of_yesterday.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("{}")
    arguments = ["plan", "--scale", "smoke", "--results", str(tmp_path), "--experiments", str(project / "experiments")]
    command_line.run(arguments)
    assert not stale.exists()


def test_the_total_alone_counts_what_is_not_trained_yet(tmp_path, project, capsys):
    arguments = ["plan", "--scale", "smoke", "--results", str(tmp_path), "--experiments", str(project / "experiments")]
    command_line.run([*arguments, "--brief"])
    before = capsys.readouterr().out
    path = sorted((tmp_path / "plan").glob("*/*.json"))[0]
    plan = read_plan(path)
    stack = next(iter(plan.stacks))
    metrics = tmp_path / "metrics" / plan.experiment.path / f"{stack}.parquet"
    metrics.parent.mkdir(parents=True)
    metrics.write_bytes(b"metrics")
    command_line.run([*arguments, "--brief"])
    after = capsys.readouterr().out
    num_stacks = int(re.findall(r"in (\d+) stacks", before)[0])
    assert "experiment " not in before
    assert f"in {num_stacks - 1} of {num_stacks} stacks" in after


def planned(folder: Path, project: Path, *only: str) -> set[str]:
    arguments = ["plan", "--scale", "smoke", "--results", str(folder), "--experiments", str(project / "experiments")]
    assert command_line.run([*arguments, *(["--only", *only] if only else [])]) == 0
    folder = Folder(folder).selected(" ".join(only)).path
    paths = {f"{path.parent.name}/{path.stem}" for path in (folder / "plan").glob("*/*.json")}
    table = pd.read_csv(folder / "plan" / "experiments.csv")
    assert set(table["experiment"][table["planned"]]) == paths
    stacks = pd.read_csv(folder / "plan" / "stacks.csv")
    assert set(stacks["experiment"]) == paths
    return paths


def test_a_selection_plans_the_experiments_and_terms_that_it_names_and_no_others(tmp_path, project):
    everything = planned(tmp_path, project)
    decay = {path for path in everything if path.startswith("lr_decay/")}
    assert planned(tmp_path, project, "lr_decay", "batch_norm/parts") == {*decay, "batch_norm/parts"}
    assert planned(tmp_path, project, "lr_decay/step_drop lr_decay/noise_floor") == {
        "lr_decay/step_drop",
        "lr_decay/noise_floor",
    }
    assert planned(tmp_path, project) == everything


def test_the_table_of_experiments_names_all_of_them_with_their_scales(tmp_path, project):
    planned(tmp_path, project, "batch_norm/parts")
    folder = tmp_path / "selections" / "batch_norm.parts"
    table = pd.read_csv(folder / "plan" / "experiments.csv").set_index("experiment")
    assert list(table.index) == [experiment.path for experiment in EXPERIMENTS]
    assert table.loc["batch_norm/parts", "scales"] == "smoke laptop full paper"
    assert table.loc["batch_norm/devices", "scales"] == "paper"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("batch_norm/part", "try 'batch_norm/parts'"),
        ("batchnorm", "try 'batch_norm'"),
        ("batch_norm/devices", "take scale paper"),  # it runs at scale paper only
        ("x", "take the name of a file in experiments/, e.g. batch_norm/parts"),
    ],
)
def test_a_selection_of_what_the_scale_does_not_have_is_one_sentence(name, advice, tmp_path, project, capsys):
    arguments = ["plan", "--scale", "smoke", "--results", str(tmp_path), "--experiments", str(project / "experiments")]
    assert command_line.run([*arguments, "--only", "lr_decay", name]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "seven-terms plan: selection of experiments: each name must be a term or <term>/<name> of an experiment that "
        f"runs at scale 'smoke', got {name!r}; {advice}"
    )
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["plan", "--scale", "smoke", "--results", "r", "--experiments", "nowhere"],
            "seven-terms plan: experiments 'nowhere': the folder must hold __init__.py, got 'none'; name a folder with "
            "--experiments (EXPERIMENTS=, --config experiments=), or make one with `seven-terms new`.\n",
        ),
        (
            ["figure", "--plan", "none.json", "--summary", "s.csv", "--name", "f", "--output", "f.pdf"],
            "seven-terms figure: file 'none.json' must exist; check its path, or run `make report` to make it.\n",
        ),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_status_1(arguments, sentence, capsys):
    assert command_line.run(arguments) == 1
    assert capsys.readouterr().err == sentence


def test_an_interruption_says_how_to_go_on(monkeypatch, capsys):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "parser", command_line.parser.__wrapped__)  # which remembers nothing
    monkeypatch.setitem(command_line.VERBS, "show", command_line.Verb(interrupt, "", needs="results"))
    assert command_line.run(["show", "--results", "r"]) == 130
    assert "interrupted; the same command resumes from here" in capsys.readouterr().err
