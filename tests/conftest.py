"""What all tests share: one thread, W&B offline and silent, the folder of the project, a processor left as it was."""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.update(OMP_NUM_THREADS="1", WANDB_MODE="offline", WANDB_SILENT="true")


LONGEST = ("tests/test_workflow.py", "tests/report/", "tests/training/")  # begun first, so that workers end together


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shuffled", type=int, metavar="SEED", help="run files, and the tests of each, in a random order")


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    if (seed := config.getoption("--shuffled")) is not None:
        random.Random(seed).shuffle(items)
        files = list(dict.fromkeys(item.path for item in items))
        items.sort(key=lambda item: files.index(item.path))  # what a file's tests share is made once
        return
    order = len(LONGEST)
    items.sort(key=lambda item: next((i for i, name in enumerate(LONGEST) if item.nodeid.startswith(name)), order))


@pytest.fixture(scope="session")
def project() -> Path:
    return Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _denormal_numbers() -> Iterator[None]:
    """Switch denormal numbers on again: training flushes them to zero for its whole process, here that of all tests."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
