"""`make clean` deletes what was named and asks before weeks are lost; unusable folders are named before anything starts."""

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

MADE = ("smoke", "smoke-seed7", "laptop", "laptop-seed1000", "paper", "paper-seed3", "bench", "published", "mine")


@pytest.fixture
def checkout(tmp_path, project):
    folder = tmp_path / "checkout"
    shutil.copytree(project / "setup", folder / "setup")
    shutil.copyfile(project / "Makefile", folder / "Makefile")
    for name in MADE:
        (folder / "results" / name).mkdir(parents=True)
        (folder / "results" / name / "runs.csv").touch()
    for name in (".snakemake", ".venv", ".cache"):
        (folder / name).mkdir()
    return folder


def clean(checkout: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "clean", *arguments]
    options = {"stdin": subprocess.DEVNULL, **options}
    return subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False, **options
    )


def left(checkout: Path) -> set[str]:
    return {path.name for path in (checkout / "results").iterdir()}


def test_one_scale_is_deleted_with_its_seeds_and_nothing_else(checkout):
    done = clean(checkout, "SCALE=smoke")
    assert done.returncode == 0
    assert left(checkout) == set(MADE) - {"smoke", "smoke-seed7"}
    assert (checkout / ".snakemake").is_dir()
    assert "deleted: results/smoke results/smoke-seed7" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["SCALE=paper"]])
def test_nothing_is_deleted_where_scale_paper_would_be_and_nobody_can_be_asked(arguments, checkout):
    done = clean(checkout, *arguments)
    assert done.returncode != 0
    assert "results of scale paper take weeks, so nothing was deleted; `make clean YES=1` deletes them." in done.stderr
    assert left(checkout) == set(MADE)


@pytest.mark.parametrize(("answer", "stays"), [("no\n", True), ("y\n", True), ("yes\n", False)])
def test_results_of_scale_paper_are_deleted_after_a_yes_alone(answer, stays, checkout):
    ours, its = pty.openpty()
    os.write(ours, answer.encode())
    done = clean(checkout, "SCALE=paper", stdin=its)
    os.close(ours)
    os.close(its)
    assert "Delete them? Type yes: " in done.stderr
    assert (checkout / "results" / "paper").exists() == stays
    assert {"laptop", "published", "mine"} <= left(checkout)
    assert (done.returncode == 0) != stays


def test_everything_is_deleted_after_a_yes_beforehand_but_what_is_published_or_not_ours(checkout):
    assert clean(checkout, "YES=1").returncode == 0
    assert left(checkout) == {"published", "mine"}
    assert not (checkout / ".snakemake").exists()
    assert (checkout / ".venv").is_dir()


def test_where_there_is_nothing_that_is_said(checkout):
    clean(checkout, "SCALE=smoke")
    done = clean(checkout, "SCALE=smoke")
    assert (done.returncode, done.stderr) == (0, "seven-terms: nothing to delete of: smoke\n")


def places(checkout: Path, *, before: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess:
    command = [*before, "sh", "setup/places.sh"]
    usual = {"PATH": os.environ["PATH"], "HOME": str(checkout), "TMPDIR": str(checkout)}
    return subprocess.run(command, cwd=checkout, env=usual | environment, capture_output=True, text=True, check=False)


def test_usable_places_are_passed_over_in_silence_and_left_as_they_were(checkout):
    before = sorted(checkout.rglob("*"))
    done = places(checkout)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(checkout.rglob("*")) == before


@pytest.mark.parametrize(
    ("environment", "what"),
    [
        ({"HOME": "/proc"}, "the cache folder /proc/.cache must be writable"),
        ({"HOME": "/nowhere/at/all/of/that", "XDG_CACHE_HOME": "/proc/cache"}, "the cache folder /proc/cache must be"),
        ({"TMPDIR": "/proc"}, "the temporary folder /proc must be writable and have room"),
        ({"TMPDIR": "/dev/null"}, "the temporary folder /dev/null must be writable and have room"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_sentence_with_what_to_type(environment, what, checkout):
    done = places(checkout, **environment)
    assert done.returncode == 1
    assert what in done.stderr
    assert "export " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_temporary_folder_without_room_is_named(checkout, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    mount = f'mount -t tmpfs -o size=16k none "{full}" 2>/dev/null || exit 77; exec "$@"'
    if not shutil.which("unshare"):
        pytest.skip("needs unshare")
    done = places(checkout, before=("unshare", "-m", "sh", "-c", mount, "sh"), TMPDIR=str(full))
    if "must be writable" not in done.stderr and done.returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    assert f"the temporary folder {full} must be writable and have room" in done.stderr


@pytest.mark.parametrize("name", ["it's", 'a"b', "a$b", "a#b", "a:b", "a{b", "a\\b", "a`b"])
def test_a_path_that_tools_below_us_cannot_carry_is_refused_by_its_name(name, checkout, tmp_path):
    moved = checkout.rename(tmp_path / name)
    done = places(moved)
    assert done.returncode == 1
    assert f"the path of the project must hold none of ' \" ` $ # : \\ {{ }}, got {moved}" in done.stderr


@pytest.mark.parametrize("name", ["with a space", "Ünï test", "a&b", "(1)"])
def test_a_path_with_spaces_and_other_letters_is_taken(name, checkout, tmp_path):
    moved = checkout.rename(tmp_path / name)
    assert places(moved).returncode == 0
