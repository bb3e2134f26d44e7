"""A training job asks the C library to keep what its tensors free; where it has no such setting, nothing happens."""

import ctypes
from types import SimpleNamespace

import pytest

from seven_terms.training.memory import keep_freed_memory


def test_freed_memory_is_neither_mapped_alone_nor_given_back(monkeypatch):
    asked = {}
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=asked.__setitem__))
    keep_freed_memory()
    assert asked == {-4: 0, -1: 2_147_483_647}  # M_MMAP_MAX and M_TRIM_THRESHOLD of glibc's malloc.h


@pytest.mark.parametrize("library", [SimpleNamespace(), None])
def test_another_c_library_is_left_as_it_is(library, monkeypatch):
    opened = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: opened.append(name) or library)
    keep_freed_memory()
    assert opened == [None]
