"""Figures, text and PDF do not depend on who makes them, when and where: settings of libraries, locale, time zone, rights."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from experiments import EXPERIMENTS
from experiments.lr_schedule import budgets
from seven_terms.records.atomic import is_whole

from .fabricate import fabricate

EXPERIMENT = budgets.experiment
MATPLOTLIBRC = """
savefig.bbox: tight
savefig.transparent: True
savefig.facecolor: red
axes.xmargin: 0.4
axes.formatter.use_locale: True
text.usetex: True
font.size: 30
backend: TkAgg
"""
DRAW = """
import sys
from pathlib import Path
from seven_terms.cli.verbs import run

results, paper, experiment, *figures = sys.argv[1:]
folder, plan = Path(results), f"{results}/plan/{experiment}.json"
summary = f"{results}/summary/{experiment}.csv"
calls = [["figure", "--plan", plan, "--summary", summary, "--name", name,
          "--output", f"{results}/figures/{experiment}/{name}.pdf"] for name in figures]
calls += [["key-figure", "--plan", plan, "--summary", summary, "--output", f"{results}/figures/{experiment}/key.pdf"],
          ["summary-page", "--results", results, "--paper", paper, "--output", f"{results}/figures/summary.pdf"],
          ["report", "--results", results, "--paper", paper, "--output", f"{results}/report"],
          ["page", "--results", results, "--paper", paper, "--output", f"{results}/index.html"]]
sys.exit(max(run(words) for words in calls))
"""


def hostile(folder: Path) -> dict[str, str]:
    """Return an environment of somebody who has set whatever can be set."""
    home = folder / "home"
    (home / ".config" / "latexmk").mkdir(parents=True)
    (home / "matplotlibrc").write_text(MATPLOTLIBRC, encoding="utf-8")
    (home / ".latexmkrc").write_text("$pdflatex = 'false';\n$out_dir = 'elsewhere';\n", encoding="utf-8")
    shutil.copyfile(home / ".latexmkrc", home / ".config" / "latexmk" / "latexmkrc")
    return {
        "HOME": str(home),
        "MATPLOTLIBRC": str(home / "matplotlibrc"),
        "MPLBACKEND": "svg",
        "TEXINPUTS": "/nowhere",
        "max_print_line": "20",
        "LC_ALL": "C",  # with the next two, text without an encoding is ASCII
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "TZ": "Pacific/Kiritimati",
        "PYTHONHASHSEED": "7",
        "COLUMNS": "20",
        "OMP_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "2",
        "WANDB_PROJECT": "other",
        "WANDB_DIR": "/nowhere",
        "WANDB_NAME": "x",
        "WANDB_DISABLED": "true",
        "PAGER": "false",
    }


def draw(results: Path, project: Path, *, before: tuple[str, ...] = (), **environment: str) -> None:
    names = [figure.name for figure in EXPERIMENT.figures]
    words = [sys.executable, "-c", DRAW, str(results), str(project / "paper"), EXPERIMENT.path, *names]
    plain = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", "PYTHONHASHSEED": "1"}
    settings = plain | {"PYTHONPATH": f"{project / 'src'}{os.pathsep}{project}"} | environment
    done = subprocess.run([*before, *words], env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if which("latexmk") and which("pdflatex"):
        typeset = "import sys; from seven_terms.cli.verbs import run; sys.exit(run(sys.argv[1:]))"
        arguments = ["typeset", "--tex", str(results / "report" / "main.tex"), "--output", str(results / "paper.pdf")]
        done = subprocess.run(
            [*before, sys.executable, "-c", typeset, *arguments],
            env=settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def made(results: Path) -> dict[str, bytes]:
    kinds = (".pdf", ".png", ".svg", ".tex", ".html", ".bib")
    paths = [path for path in sorted(results.rglob("*")) if path.suffix in kinds]
    return {str(path.relative_to(results)): path.read_bytes() for path in paths}


@pytest.mark.skipif(sys.platform == "win32", reason="umask and locale are POSIX's")
def test_another_place_time_and_person_make_the_same_bytes(project, tmp_path):
    one = fabricate(tmp_path / "one", experiments=(EXPERIMENT,), among=EXPERIMENTS)
    other = shutil.copytree(one, tmp_path / "an other" / "Ünï")
    for path in other.rglob("*"):
        os.utime(path, (315_600_000, 315_600_000))  # 1980
    draw(one, project)
    draw(other, project, before=("sh", "-c", 'umask 077; exec "$@"', "sh"), **hostile(tmp_path))
    first, second = made(one), made(other)
    assert "figures/summary.pdf" in first
    assert "report/main.tex" in first
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []
    assert (other / "index.html").stat().st_mode & 0o777 == 0o600
    assert is_whole(one / "figures" / "summary.pdf")
    next((one / "figures" / "terms").glob("[!.]*.pdf")).unlink()
    assert not is_whole(one / "figures" / "summary.pdf")  # what is drawn with it is made again with it
