"""Every kind of program trains on a device that is not the processor: with pretend memory here, with a GPU by `bench.gpu`."""

import json
import os
import subprocess
import sys

import pytest

ROUNDING = 1e-9  # an eigenvalue problem is solved on the processor, from copies in another layout


def pretended(project, *words: str) -> list[dict]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.pretend", *words],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("which", ["", pytest.param("all", marks=pytest.mark.slow)], ids=["covering", "all"])
def test_kinds_of_programs_give_the_same_numbers_on_a_pretend_accelerator(which, project):
    first, *kinds = pretended(project, *which.split())
    assert first["refused"] == ["two devices", "index on the processor", "generator of the processor", "numpy"]
    trained = [kind for kind in kinds if "difference" in kind]
    assert len(trained) > 10
    assert {kind["kind"]: kind["difference"] for kind in trained if kind["difference"] > ROUNDING} == {}
