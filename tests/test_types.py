"""A mistake in an experiment is an error of the type checker too, before anything is run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

WRONG = """
from seven_terms.spec import *

good = Training(task=Digits(), model=Mlp(), num_steps=1, batch_size=2)
Sgd(learning_rat=0.1)
Training(task=Digits(), model=Adam(), num_steps=1)
Training(task=Digits(), model=Mlp())
Mlp(activation="rleu")
Sgd(learning_rate="0.1")
Above("high")
good.batch_sise
"""


def test_a_misspelt_field_and_a_value_of_another_kind_are_type_errors(project: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyright")
    snippet = tmp_path / "wrong.py"
    snippet.write_text(WRONG)
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(snippet)]
    found = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    errors = json.loads(found.stdout)["generalDiagnostics"]
    lines = WRONG.splitlines()
    assert [lines[error["range"]["start"]["line"]] for error in errors] == lines[4:]
