"""Large pages: the same memory, and no failure where there are none."""

import mmap
import sys

import pytest

from seven_terms.running import pages


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_memory_in_large_pages_holds_what_it_held():
    data = bytes(range(256)) * 64
    with mmap.mmap(-1, 4 * pages.LARGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        held.write(data * (4 * pages.LARGE // len(data)))
        told = list(pages._written())
        assert pages.gather() <= sum(length for _, length in told)
        assert sum(length for _, length in told) >= 3 * pages.LARGE
        assert all(start % pages.LARGE == length % pages.LARGE == 0 for start, length in told)
        assert held[:] == data * (4 * pages.LARGE // len(data))


def test_a_system_without_large_pages_does_without(monkeypatch):
    monkeypatch.setattr(sys, "platform", "other")
    assert pages.gather() == 0
