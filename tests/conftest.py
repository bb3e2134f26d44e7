"""What all tests share: one thread, W&B offline and silent, and the folder of the project."""

import os
from pathlib import Path

import pytest

os.environ.update(OMP_NUM_THREADS="1", WANDB_MODE="offline", WANDB_SILENT="true")


@pytest.fixture(scope="session")
def project() -> Path:
    return Path(__file__).resolve().parent.parent
