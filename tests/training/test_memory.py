"""A training job asks the C library to keep what its tensors free; where it has no such setting, nothing happens."""

import ctypes
from types import SimpleNamespace

import pytest

from seven_terms.training.memory import M_MMAP_MAX, M_TRIM_THRESHOLD, keep_freed_memory


def test_freed_memory_is_neither_mapped_alone_nor_given_back(monkeypatch):
    asked = {}
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=asked.__setitem__))
    keep_freed_memory()
    assert asked[M_MMAP_MAX] == 0
    assert asked[M_TRIM_THRESHOLD] > 2_000_000_000


@pytest.mark.parametrize("library", [SimpleNamespace(), None])
def test_another_c_library_is_left_as_it_is(library, monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    keep_freed_memory()
