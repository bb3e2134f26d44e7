"""Compiled programs that lie on disk: used again by the next process, discarded where a bit of any file has turned."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seven_terms.planning.modes import compiler
from seven_terms.training.advance import kept

from ..stress.bits import flipped

COMPILE = """
import sys
import torch
from torch._dynamo.utils import counters
from seven_terms.training.advance.compiled import compiled
update = compiled(lambda x: torch.sin(x) * 3 + x.sum())
print(update(torch.arange(40.0)).sum().item(), counters["inductor"]["fxgraph_cache_hit"])
"""


def compile_in(home: Path) -> tuple[list[str], str]:
    """Return what a process of its own printed: the result, and how many programs it found on disk; and what it said."""
    environment = {name: value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", COMPILE],
        env=environment | {"XDG_CACHE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder of the cache, used by nobody, with one sealed file."""
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kept, "HELD", [])
    kept.folder.cache_clear()
    path = kept.own_directory("inductor")
    (path / "ab").mkdir()
    (path / "ab" / "code.so").write_bytes(b"code")
    kept.seal(path)
    yield path
    for users in kept.HELD:
        os.close(users)
    kept.folder.cache_clear()


@pytest.mark.slow
@pytest.mark.skipif(not compiler(), reason="no C++ compiler is installed")
def test_a_turned_bit_in_compiled_code_is_noticed_and_all_is_compiled_again(tmp_path):
    (value, hits), _ = compile_in(tmp_path)
    assert hits == "0"
    again, said = compile_in(tmp_path)
    assert again == [value, "1"]
    assert "compiled" not in said
    files = kept._files(tmp_path / "seven-terms" / "inductor")
    assert {".so", ".py"} <= {path.suffix for path in files}
    path = next(path for path in files if path.suffix == ".so")
    path.write_bytes(flipped(path.read_bytes(), 8 * (path.stat().st_size // 2)))
    found, said = compile_in(tmp_path)
    assert found == [value, "0"]
    assert f"{path} is not as it was written; all are compiled anew." in said


def test_a_whole_folder_is_kept(folder, capsys):
    assert kept.folder() == folder
    assert (folder / "ab" / "code.so").read_bytes() == b"code"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("bit", range(0, 32, 5))
def test_a_turned_bit_empties_the_folder(folder, bit, capsys):
    (folder / "ab" / "code.so").write_bytes(flipped(b"code", bit))
    assert kept.folder() == folder
    assert kept._files(folder) == []
    assert "code.so is not as it was written; all are compiled anew." in capsys.readouterr().err


def test_what_a_killed_process_left_without_a_digest_is_not_believed(folder):
    (folder / "half.so").write_bytes(b"ha")
    assert kept.folder() == folder
    assert kept._files(folder) == []


def test_what_another_process_is_compiling_is_left_alone(folder):
    with other_user(folder):
        (folder / "half.so").write_bytes(b"ha")
        assert kept.folder() == folder
    assert len(kept._files(folder)) == 2


def test_a_damaged_folder_that_is_in_use_is_left_for_a_fresh_one(folder):
    with other_user(folder):
        (folder / "ab" / "code.so").write_bytes(b"c0de")
        fresh = kept.folder()
    assert fresh != folder
    assert kept._files(fresh) == []
    assert (folder / "ab" / "code.so").is_file()


def other_user(folder: Path):
    users = open(folder.parent / "inductor.users", "a", encoding="utf-8")  # noqa: SIM115 - open is what holds the lock
    fcntl.flock(users, fcntl.LOCK_SH)
    return users
