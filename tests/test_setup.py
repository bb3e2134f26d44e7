"""The set-up: exact pins, and one sentence for whatever a newcomer's machine lacks."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

MALICIOUS = {("pytorch-lightning", "2.6.2"), ("pytorch-lightning", "2.6.3")}
STUB = """#!/bin/sh
# Stands for a Python: answers the questions of setup/environment.sh and writes down what it is asked to install.
case "$*" in
  *version_info?:2?*) echo {version} ;;
  *'sys.version_info <'*) exit {too_old} ;;
  *'import venv'*) exit {no_venv} ;;
  '-m venv'*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *) echo "$*" >> calls.txt; [ ! -e fail ] || exit 1 ;;
esac
"""


def locked(project: Path) -> dict[str, str]:
    lines = [line for line in (project / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def wanted(project: Path) -> dict[str, str]:
    data = tomllib.loads((project / "pyproject.toml").read_text())
    extras = data["project"]["optional-dependencies"]
    groups = [data["project"]["dependencies"], *(lines for extra, lines in extras.items() if extra != "bench")]
    pairs = [re.sub(r"\[.*?\]", "", line).split("==") for group in groups for line in group]
    return {name.lower(): version for name, version in pairs}


def test_the_lock_holds_exact_versions_and_nothing_else(project):
    lines = [line for line in (project / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.\-]+==[0-9][A-Za-z0-9.]*", line)] == []
    assert len({line.split("==")[0].lower() for line in lines}) == len(lines)


def hashed(path: Path) -> dict[str, list[str]]:
    """Return name==version -> the hashes that a file may have."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        pin, digest = re.match(r"([\w.\-]+==[\w.]+)", line), re.fullmatch(r" +--hash=sha256:([0-9a-f]{64})( \\)?", line)
        if pin:
            found[re.sub("[_.]", "-", pin[1].partition("==")[0]).lower() + "==" + pin[1].partition("==")[2]] = []
        elif digest:
            found[list(found)[-1]].append(digest[1])
        else:
            assert line.startswith("#"), line
    return found


def test_every_package_of_the_lock_has_hashes_and_no_other_package(project):
    pins = {f"{re.sub('[_.]', '-', name).lower()}=={version}" for name, version in locked(project).items()}
    found = hashed(project / "requirements.hashes")
    assert set(found) == pins, "write them again: setup/hashes.sh"
    assert all(found.values())


def test_what_pytorch_asks_for_on_gpus_is_pinned_with_hashes(project):
    found = hashed(project / "requirements-cuda.hashes")
    assert all(found.values())
    assert any(pin.startswith("triton==") for pin in found)
    assert not {pin.partition("==")[0] for pin in found} & {name.lower() for name in locked(project)}


@pytest.mark.parametrize(("build", "torch"), [("yes", "requirements-cuda.hashes"), ("cpu", "requirements-cpu.hashes")])
def test_where_hashes_are_asked_for_no_package_comes_without(build, torch, checkout):
    environment = os.environ | {"HASHES": build}
    command = ["sh", "setup/environment.sh", str(stub_python(checkout))]
    subprocess.run(command, cwd=checkout, env=environment, check=True)
    calls = (checkout / "calls.txt").read_text(encoding="utf-8").splitlines()
    packages = [call for call in calls if "--requirement" in call]
    assert all("--require-hashes --requirement" in call for call in packages)
    assert torch in packages[-1]
    assert not [call for call in calls if "install" in call and call not in packages and "--editable" not in call]


def test_the_parts_of_the_hashes_are_all_of_them(checkout):
    """What is left out of the other packages is PyTorch alone."""
    command = ["sh", "setup/environment.sh", str(stub_python(checkout))]
    subprocess.run(command, cwd=checkout, env=os.environ | {"HASHES": "cpu"}, check=True)
    whole, part = hashed(checkout / "requirements.hashes"), hashed(checkout / ".venv" / "part.txt")
    assert {pin for pin in whole if pin not in part} == {next(pin for pin in whole if pin.startswith("torch=="))}
    assert all(part[pin] == whole[pin] for pin in part)


@pytest.mark.parametrize(
    ("prints", "status", "said"),
    [
        ("No known vulnerabilities found", 0, ""),
        ("Found 2 known vulnerabilities in 1 package", 1, "pinned packages must have no known vulnerability"),
        ("requests.exceptions.ConnectionError: no route", 0, "known vulnerabilities could not be asked for: requests."),
    ],
)
def test_vulnerable_pins_fail_the_check_and_a_missing_network_does_not(prints, status, said, checkout):
    failing = 0 if prints.startswith("No") else 1
    environment = bare_path(checkout / "bin", pip_audit=f"echo '{prints}'; exit {failing}")
    for name in ("tail", "cut"):
        (checkout / "bin" / name).symlink_to(shutil.which(name) or name)
    done = run_script("audit", checkout, environment)
    assert done.returncode == status
    assert said in done.stderr


def test_the_lock_agrees_with_pyproject(project):
    versions = {name.lower(): version for name, version in locked(project).items()}
    assert {name: versions.get(name) for name in wanted(project)} == wanted(project)


def test_what_only_the_benchmark_needs_is_pinned_and_not_locked(project):
    extra = tomllib.loads((project / "pyproject.toml").read_text())["project"]["optional-dependencies"]["bench"]
    names = [line.split("==")[0] for line in extra if re.fullmatch(r"[a-z_]+==[0-9][0-9.]*", line)]
    assert len(names) == len(extra) > 0
    assert not {name.lower().replace("-", "_") for name in locked(project)} & set(names)


def test_build_tools_are_pinned_alike(project):
    data = tomllib.loads((project / "pyproject.toml").read_text())
    assert data["build-system"]["requires"] == [f"setuptools=={locked(project)['setuptools']}"]


def test_malicious_releases_are_neither_locked_nor_installed(project):
    assert not MALICIOUS & set(locked(project).items())
    assert ("pytorch-lightning", metadata.version("pytorch-lightning")) not in MALICIOUS


def test_conda_takes_its_python_packages_from_the_lock(project):
    environment = yaml.safe_load((project / "environment.yml").read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.lock", "-e ."]}


def test_the_licence_and_the_citation_name_the_authors(project):
    citation = yaml.safe_load((project / "CITATION.cff").read_text())
    assert citation["authors"] == [{"name": "The Seven Terms authors"}]
    assert citation["version"] == metadata.version("seven-terms")
    assert "The Seven Terms authors" in (project / "LICENSE").read_text()


@pytest.fixture
def checkout(tmp_path, project):
    shutil.copytree(project / "setup", tmp_path / "setup")
    (tmp_path / "requirements.lock").write_text("pip==26.3\nsetuptools==84.2.1\n")
    shutil.copyfile(project / "requirements.hashes", tmp_path / "requirements.hashes")
    return tmp_path


def stub_python(checkout: Path, **answers: object) -> Path:
    path = checkout / "stub-python"
    path.write_text(STUB.format(**{"version": "3.12", "too_old": 0, "no_venv": 0, **answers}))
    path.chmod(0o755)
    return path


def set_up(checkout: Path, python: Path | str) -> subprocess.CompletedProcess:
    command = ["sh", "setup/environment.sh", str(python)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def installs(checkout: Path) -> int:
    calls = checkout / "calls.txt"
    return calls.read_text().count("--requirement requirements.lock") if calls.exists() else 0


def test_a_complete_environment_is_left_alone(checkout):
    python = stub_python(checkout)
    assert set_up(checkout, python).returncode == 0
    assert set_up(checkout, python).stderr == ""
    assert installs(checkout) == 1


def test_a_changed_lock_makes_the_environment_again(checkout):
    python = stub_python(checkout)
    set_up(checkout, python)
    (checkout / "requirements.lock").write_text("pip==26.3\nsetuptools==84.2.1\nnumpy==2.4.6\n")
    set_up(checkout, python)
    assert installs(checkout) == 2


def test_an_interrupted_installation_is_repaired_by_the_next_call(checkout):
    python = stub_python(checkout)
    (checkout / "fail").touch()
    assert set_up(checkout, python).returncode != 0
    assert not (checkout / ".venv" / "complete").exists()
    (checkout / ".venv" / "half-a-package").touch()
    (checkout / "fail").unlink()
    assert set_up(checkout, python).returncode == 0
    assert (checkout / ".venv" / "complete").exists()
    assert not (checkout / ".venv" / "half-a-package").exists()


def test_a_moved_checkout_makes_its_environment_again(checkout, tmp_path_factory):
    set_up(checkout, stub_python(checkout))
    moved = tmp_path_factory.mktemp("elsewhere") / "checkout"
    shutil.move(checkout, moved)
    set_up(moved, stub_python(moved))
    assert installs(moved) == 2


def test_an_environment_that_somebody_else_made_is_never_deleted(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "precious").touch()
    done = set_up(checkout, stub_python(checkout))
    assert done.returncode == 1
    assert ".venv must be one that this project made" in done.stderr
    assert (checkout / ".venv" / "precious").exists()


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"version": "3.9", "too_old": 1}, "Python must be 3.11 or newer, got 3.9"),
        ({"version": "3.11", "no_venv": 1}, "run `apt-get install python3.11-venv` (as root)"),
    ],
)
def test_a_python_that_will_not_do_is_named_with_what_mends_it(answers, sentence, checkout):
    done = set_up(checkout, stub_python(checkout, **answers))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_missing_python_is_named_with_what_mends_it(checkout):
    for name in ("", "python9"):
        done = set_up(checkout, name)
        assert done.returncode == 1
        assert f"Python 3.11 or newer must be installed, got {name or 'none'}; `apt-get install" in done.stderr


def bare_path(folder: Path, **programs: str) -> dict[str, str]:
    """Return an environment in which only the shell, a few basics and the given programs are found."""
    folder.mkdir()
    for name in ("sh", "printf", "cat"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, body in programs.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    return {"PATH": str(folder)}


def latex(checkout: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    return run_script("latex", checkout, environment)


def run_script(what: str, checkout: Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    command = ["sh", f"setup/{what}.sh"]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_without_root_the_line_that_installs_latex_is_printed_and_the_work_goes_on(checkout):
    environment = bare_path(checkout / "bin", apt_get="exit 1", id="echo 1000", sudo="exit 1")
    done = latex(checkout, environment)
    assert done.returncode == 0
    assert "for the PDF run: apt-get install latexmk texlive-latex-base" in done.stderr
    assert "(as root; without: conda install -c conda-forge tectonic" in done.stderr


def test_as_root_latex_is_installed_without_a_question(checkout):
    programs = "latexmk pdflatex kpsewhich"
    installing = f'case "$*" in *install*) for name in {programs}; do cp bin/printf bin/$name; done;; esac'
    environment = bare_path(checkout / "bin", apt_get=installing, id="echo 0")
    (checkout / "bin" / "cp").symlink_to(shutil.which("cp") or "cp")
    done = latex(checkout, environment)
    assert done.returncode == 0
    assert "is missing" not in done.stderr


def test_a_failed_installation_of_latex_does_not_stop_the_work(checkout):
    done = latex(checkout, bare_path(checkout / "bin", apt_get="exit 100", id="echo 0"))
    assert done.returncode == 0
    assert "the report stops at its .tex files" in done.stderr


def test_without_root_the_line_that_installs_a_compiler_is_printed_and_the_work_goes_on(checkout):
    done = run_script(
        "compiler", checkout, bare_path(checkout / "bin", apt_get="exit 1", id="echo 1000", sudo="exit 1")
    )
    assert done.returncode == 0
    assert (
        "train several times more slowly; to install one, run: apt-get install g++ (as root; without: conda"
        in done.stderr
    )


def test_as_root_a_compiler_is_installed_without_a_question(checkout):
    installing = 'case "$*" in *install*g++*) cp bin/printf bin/g++;; esac'
    environment = bare_path(checkout / "bin", apt_get=installing, id="echo 0")
    (checkout / "bin" / "cp").symlink_to(shutil.which("cp") or "cp")
    done = run_script("compiler", checkout, environment)
    assert "installing a C++ compiler" in done.stderr
    assert "there is no C++ compiler" not in done.stderr


@pytest.mark.parametrize("named", ["c++", "my-compiler"])
def test_a_compiler_that_is_there_or_named_by_cxx_is_left_alone(named, checkout):
    environment = bare_path(checkout / "bin", **{named: "exit 0"}) | {"CXX": named}
    shutil.copy(checkout / "bin" / "printf", checkout / "bin" / named)
    done = run_script("compiler", checkout, environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_tests_bring_tmux_where_that_needs_no_question_and_say_so_where_it_does(checkout, project):
    installing = 'case "$*" in *install*tmux*) cp bin/printf bin/tmux;; esac'
    environment = bare_path(checkout / "bin", apt_get=installing, id="echo 1000", sudo="exit 1")
    (checkout / "bin" / "cp").symlink_to(shutil.which("cp") or "cp")
    done = run_script("tmux", checkout, environment)
    assert (done.returncode, "is skipped; to install it, run: apt-get install tmux" in done.stderr) == (0, True)
    (checkout / "bin" / "id").write_text("#!/bin/sh\necho 0\n")
    done = run_script("tmux", checkout, environment)
    assert (done.returncode, "is skipped" in done.stderr) == (0, False)
    assert (checkout / "bin" / "tmux").exists()
    assert "sh setup/tmux.sh" in make(project, "-n", "test").stdout


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_make_alone_lists_the_targets(project):
    done = make(project)
    assert done.returncode == 0
    assert {"report", "test", "check", "browse", "verify", "bench"} <= set(re.findall(r"make (\w+)", done.stdout))


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("SCALE=huge", "SCALE must be smoke, laptop, full or paper, got 'huge'"),
        ("HASHES=no", "HASHES must be yes or cpu, got 'no'"),
        ("STRESS=$(x)`y`", "STRESS must be options of `python -m tests.stress --help`"),
        ("scale=smoke", "settings are written in capitals, got scale=; try `make report SCALE=smoke`"),
        ("MAKE_VERSION=3.79", "make must be 3.81 or newer, got 3.79"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_done(setting, sentence, project):
    done = make(project, "report", setting)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_scripts_and_checksums_have_their_line_endings_whatever_git_converts(project):
    files = ("setup/environment.sh", "Makefile", "paper/main.tex", "results/published/SHA256SUMS", "README.md")
    command = ["git", "check-attr", "eol", "--", *files]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("needs the history")
    assert [line for line in done.stdout.splitlines() if not line.endswith("eol: lf")] == []
