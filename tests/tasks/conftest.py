"""Folders of each test's own for downloads and caches; the original data where SEVEN_TERMS_DATA says they are."""

import os
from pathlib import Path

import pytest

ORIGINAL = os.environ.get("SEVEN_TERMS_DATA")


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SEVEN_TERMS_DATA", raising=False)


@pytest.fixture
def original_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    if not ORIGINAL:
        pytest.skip("needs the original files: set SEVEN_TERMS_DATA to the folder that has them")
    monkeypatch.setenv("SEVEN_TERMS_DATA", ORIGINAL)
    return Path(ORIGINAL)
