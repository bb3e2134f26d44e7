"""A question in a folder of one's own: written by `new`, looked at by `check` and `explain`, planned beside the suite."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from seven_terms.cli import verbs as command_line
from seven_terms.cli.checking import faults
from seven_terms.cli.experiments import experiments_of, results_at, results_of
from seven_terms.cli.workflow import read_settings
from seven_terms.records.folder import Folder
from seven_terms.spec import TERMS, questions, title_of


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """An empty place outside of the project, where `mine` is imported anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield Path("mine")
    for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def test_a_new_question_passes_its_check_at_once_and_measures_its_noise_floor(mine, capsys):
    assert command_line.run(["new", "dropout/rate", "--experiments", "mine"]) == 0
    assert "make report SCALE=smoke ONLY=dropout/rate EXPERIMENTS=mine" in capsys.readouterr().out
    assert command_line.run(["check", "--experiments", "mine"]) == 0
    assert capsys.readouterr().out == "1 experiment with 1 claim: all is well\n"
    (experiment,) = experiments_of(mine)
    assert (experiment.path, experiment.noise_floor_arm) == ("dropout/rate", "small")
    assert len((mine / "dropout" / "rate.py").read_text().splitlines()) <= 36


def test_a_question_is_never_written_over(mine, capsys):
    command_line.run(["new", "dropout/rate", "--experiments", "mine"])
    assert command_line.run(["new", "dropout/rate", "--experiments", "mine"]) == 1
    assert "question: it must be a new one, got 'mine/dropout/rate.py'; take another name." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["rate", "Dropout/rate", "a/b/c", "a/b c", "1/2"])
def test_a_question_has_a_name_that_files_and_figures_can_have(mine, capsys, name):
    assert command_line.run(["new", name, "--experiments", "mine"]) == 1
    assert "it must be <term>/<name> in lower-case letters, digits and _" in capsys.readouterr().err
    assert not mine.exists()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('(\n    __name__,\n    "zeal",\n)', '(\n    __name__,\n    "zeal",\n    "rate",\n)'),
        ('(__name__, "zeal")', '(__name__, "zeal", "rate")'),
    ],
)
def test_a_question_is_listed_where_a_term_has_a_list(mine, before, after):
    (mine / "dropout").mkdir(parents=True)
    listing = mine / "dropout" / "__init__.py"
    listing.write_text(f"QUESTIONS = questions{before}\n")
    command_line.run(["new", "dropout/rate", "--experiments", "mine"])
    assert listing.read_text() == f"QUESTIONS = questions{after}\n"


def test_a_term_lists_every_file_once_and_in_its_order(mine):
    for name in ("rate", "zeal"):
        command_line.run(["new", f"dropout/{name}", "--experiments", "mine"])
    importlib.invalidate_caches()
    sys.path.insert(0, str(mine.absolute().parent))
    assert [one.name for one in questions("mine.dropout", "zeal", "rate")] == ["zeal", "rate"]
    with pytest.raises(
        ValueError, match=r"questions must name every file of the term once, got .none of \['zeal'\].; add"
    ):
        questions("mine.dropout", "rate")
    with pytest.raises(ValueError, match="names of questions must be unique"):
        questions("mine.dropout", "rate", "zeal", "rate")


def test_a_new_question_is_formatted_as_this_project_is(mine):
    command_line.run(["new", "dropout/rate", "--experiments", "mine"])
    command = [sys.executable, "-m", "ruff", "format", "--check", "--line-length", "120", str(mine)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_check_names_file_line_and_field(mine):
    command_line.run(["new", "dropout/rate", "--experiments", "mine"])
    path = mine / "dropout" / "rate.py"
    path.write_text(path.read_text().replace("depth=2", "dept=2"))
    (fault,) = faults(mine).faults
    assert fault.endswith("rate.py, line 7: Mlp: it has no field 'dept'; try 'depth'.")


def test_a_check_misses_claims_and_the_arm_against_itself(mine):
    command_line.run(["new", "dropout/rate", "--experiments", "mine"])
    path = mine / "dropout" / "rate.py"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "noise_floor=" not in line))
    (fault,) = faults(mine).faults
    assert fault == "dropout/rate: it must measure its noise floor; name the A/A arm, `noise_floor=arm`."


def test_an_explanation_says_what_is_trained_claimed_and_why(mine, capsys):
    command_line.run(["new", "dropout/rate", "--experiments", "mine"])
    capsys.readouterr()
    assert command_line.run(["explain", "dropout/rate", "--experiments", "mine"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for words in ("2 hidden layers of 32", "learning rate 0.1, 0.3, 1, 3", "8 seeds", "A/A arm small", "is above 1"):
        assert words in told
    assert "to train: 72 runs" in told
    assert command_line.run(["explain", "dropout/rat", "--experiments", "mine"]) == 1
    assert "got 'dropout/rat'; try 'dropout/rate'." in capsys.readouterr().err


def test_a_folder_of_ones_own_has_its_own_terms_and_results(mine):
    command_line.run(["new", "zeal/first", "--experiments", "mine"])
    command_line.run(["new", "dropout/rate", "--experiments", "mine"])
    assert results_of(mine) == mine / "results"
    assert command_line.run(["plan", "--scale", "smoke", "--experiments", "mine"]) == 0
    folder = Folder(mine / "results" / "smoke")
    assert folder.terms() == ("dropout", "zeal")
    assert [plan.parent.name for plan in folder.plans()] == ["dropout", "zeal"]
    assert read_settings({"experiments": "mine", "scale": "smoke"}).folder == folder


@pytest.mark.parametrize("verb", ["plan", "run", "show", "browse", "publish"])
def test_all_verbs_the_makefile_and_snakemake_agree_on_where_results_lie(mine, project, verb):
    options = command_line.parser().parse_args([verb, "--experiments", "mine"])
    assert results_at(options, "laptop") == mine / "results" / "laptop"
    assert results_at(command_line.parser().parse_args([verb]), "laptop") == Path("results", "laptop")  # no suite here
    assert "RESULTS = $(if $(OWN),$(EXPERIMENTS)/results,results)/$(SCALE)" in (project / "Makefile").read_text()
    assert read_settings({"experiments": "mine", "scale": "laptop"}).folder.path == mine / "results" / "laptop"


def test_a_folder_that_is_no_package_or_has_a_name_of_one_is_refused(mine):
    with pytest.raises(
        ValueError, match=r"experiments 'mine': the folder must hold __init__.py, got 'none'; name a folder"
    ):
        experiments_of(mine)
    Path("json").mkdir()
    Path("json", "__init__.py").write_text("EXPERIMENTS = ()", encoding="utf-8")
    with pytest.raises(ValueError, match="the folder's name must be of no other package"):
        experiments_of(Path("json"))


def test_a_term_has_a_title_whoever_named_it():
    assert title_of("batch_norm") == "Batch normalization"
    assert title_of("label_smoothing") == "Label smoothing"
    assert len(TERMS) == 7


def test_help_lists_what_a_person_types_and_each_of_it_has_an_example():
    shown = command_line.parser().format_help()
    for name, verb in command_line.VERBS.items():
        assert (f"\n    {name}" in shown) == bool(verb.example), name
        assert not verb.example or verb.example.startswith(f"seven-terms {name}")
