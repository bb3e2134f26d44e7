"""The commands of README.md, taken from its text and typed into a plain shell, at the smoke scale and for one experiment."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from shutil import which

import pytest

from seven_terms.records.folder import folder_of

from .checkout import copy_checkout

ONLY = "exploding_gradient/cliff"  # closed forms: trained in no time
BEGINNINGS = ("make", "seven-terms", "snakemake", "wandb", "conda", "source", "WANDB_MODE")
PROGRAMS = ("seven-terms", "snakemake", "wandb")  # named, not typed
RESULTS = str(folder_of("smoke", only=ONLY).path)
SMOKE = f"--config scale=smoke only={ONLY}"
SHOWN = "-n"  # make prints what it would run: another test runs it, or it takes minutes, an account or a terminal
# What stands in the README -> what is typed here: the same at another scale, or shown only.
TYPED = {
    "source .venv/bin/activate": "source .venv/bin/activate",
    "make": "make",
    "make report": f"make report SCALE=smoke ONLY={ONLY}",
    "make report SCALE=smoke": f"make {SHOWN} report SCALE=smoke",
    "make report SCALE=full": f"make {SHOWN} report SCALE=full",
    "make report SCALE=paper": f"make {SHOWN} report SCALE=paper",
    "make test": f"make {SHOWN} test",
    "make paper": f"make {SHOWN} paper",  # tests/report/test_literature.py holds its numbers
    "make agree": f"make {SHOWN} agree",  # tests/report/test_agreement.py
    "make docs": f"make {SHOWN} docs",  # tests/test_docs.py builds it
    "seven-terms run --experiments mine": "seven-terms run --experiments examples/own_judge --results results/mine",
    **{
        line: line
        for line in (
            "seven-terms new dropout/rate --experiments mine",
            "seven-terms check --experiments mine",
            "seven-terms explain dropout/rate --experiments mine",
        )
    },
    "make report EXPERIMENTS=mine": f"make {SHOWN} report SCALE=smoke EXPERIMENTS=mine",  # tests/test_workflow.py makes it
    "make bench": f"make {SHOWN} bench",  # tests/test_bench.py
    "make browse SCALE=laptop": f"make {SHOWN} browse SCALE=laptop",  # tests/tracking/test_browse.py, in a terminal
    "make publish-wandb": f"make publish-wandb SCALE=smoke ONLY={ONLY}",
    "conda env create -f environment.yml && conda activate seven-terms && snakemake": f"snakemake -n {SMOKE}",
    "snakemake --workflow-profile profiles/gpu": f"snakemake --workflow-profile profiles/gpu -n {SMOKE}",
    "snakemake -n": f"snakemake -n {SMOKE}",
    "seven-terms plan --scale paper": f"seven-terms plan --scale smoke --results {RESULTS}-p",
    "seven-terms calibrate": "seven-terms calibrate --help",
    "seven-terms show": f"seven-terms show --results {RESULTS}",
    "wandb leet inspect --summary results/laptop/wandb": f"wandb leet inspect --summary {RESULTS}/wandb",
    "WANDB_MODE=disabled": f"WANDB_MODE=disabled make report SCALE=smoke ONLY={ONLY}",
}
UNABLE = {
    "make publish-wandb": "run `wandb login`, then the same command again"
}  # what it says without an account, in one sentence


def commands(project: Path) -> list[str]:
    """Return what README.md tells to type: lines of its blocks, and words of its text that begin like a command."""
    text = (project / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    typed = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    typed += [
        words for words in inline if words.partition(" ")[0].partition("=")[0] in BEGINNINGS and words not in PROGRAMS
    ]
    return list(dict.fromkeys(line for line in typed if line))


@pytest.fixture(scope="module")
def checkout(project, tmp_path_factory):
    """Return a checkout, in a folder whose path has a space, with the environment of this one."""
    if not (project / ".venv" / "complete").is_file():
        pytest.skip("needs the environment that make sets up")
    folder = tmp_path_factory.mktemp("read me") / "check out"
    folder.mkdir()
    copy_checkout(project, folder)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copyfile(project / name, folder / name)
    for name in ("setup", "examples"):
        shutil.copytree(project / name, folder / name)
    (folder / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (folder / ".venv" / name).symlink_to(project / ".venv" / name)
    lock = (folder / "requirements.lock").read_text(encoding="utf-8")
    (folder / ".venv" / "complete").write_text(f"{folder}\n{lock}", encoding="utf-8")
    return folder


def type_in(checkout: Path, line: str) -> subprocess.CompletedProcess:
    """Type a line into a plain shell, after the line that README.md gives for that."""
    plain = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "CORES": "2",
    }
    kept = {name: os.environ[name] for name in ("TMPDIR", "XDG_CACHE_HOME", "SEVEN_TERMS_DATA") if name in os.environ}
    command = ["bash", "--noprofile", "--norc", "-c", f"source .venv/bin/activate && {line}"]
    return subprocess.run(
        command, cwd=checkout, env=plain | kept, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_every_command_of_the_readme_is_tried_here_and_no_other(project):
    assert sorted(commands(project)) == sorted(TYPED)


@pytest.mark.skipif(not which("bash"), reason="types into bash")
def test_the_commands_of_the_readme_do_what_it_says(project, checkout):
    wrong = {}
    # in the order of the text, but for the report, which others read
    for command in sorted(
        commands(project), key=lambda command: (command != "make report", command.startswith("WANDB"))
    ):
        done = type_in(checkout, TYPED[command])
        said = done.stdout + done.stderr
        if command in UNABLE:
            if done.returncode == 0 or UNABLE[command] not in said or "Traceback" in said:
                wrong[command] = said[-2000:]
        elif done.returncode or "Traceback" in said:
            wrong[command] = f"status {done.returncode}: {said[-2000:]}"
    assert not wrong, "\n\n".join(f"{command}: {what}" for command, what in wrong.items())
    assert (checkout / RESULTS / "verdicts.csv").is_file()
