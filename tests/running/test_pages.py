"""Large pages: the same memory, and no failure where there are none."""

import ctypes
import mmap
import re
import sys
from pathlib import Path

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


def address(held: mmap.mmap) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(held))


def in_large_pages(place: int) -> int:
    """Return how many bytes of the mapping around an address lie in large pages."""
    text = Path("/proc/self/smaps").read_text(encoding="utf-8")
    for first, last, rest in re.findall(r"(?m)^([0-9a-f]+)-([0-9a-f]+) (.*?)(?=^[0-9a-f]+-|\Z)", text, re.DOTALL):
        if int(first, 16) <= place < int(last, 16):
            return int(re.search(r"AnonHugePages:\s+(\d+)", rest)[1]) << 10  # pyright: ignore[reportOptionalSubscript]
    return 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_written_memory_lies_in_large_pages_afterwards():
    no_huge_pages = 15  # MADV_NOHUGEPAGE: the system makes none by itself
    with mmap.mmap(-1, 4 * pages.LARGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        held.madvise(no_huge_pages)
        held.write(bytes(range(1, 256)) * (4 * pages.LARGE // 255))
        inside = address(held) + pages.LARGE
        before = in_large_pages(inside)
        held.madvise(14)  # MADV_HUGEPAGE: may be made again
        try:
            held.madvise(pages.COLLAPSE, pages.LARGE, pages.LARGE)
        except OSError:
            pytest.skip("this system gathers no large pages")
        one = in_large_pages(inside)
        pages.gather()
        assert before == 0 < one < in_large_pages(inside)


def test_a_system_without_large_pages_does_without(monkeypatch):
    monkeypatch.setattr(sys, "platform", "other")
    assert pages.gather() == 0
