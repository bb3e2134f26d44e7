"""What the tests of the kernels share."""

import ctypes
import functools
from collections.abc import Callable

import pytest

from seven_terms.training.advance.native import border, library


@pytest.fixture(scope="session")
def narrow(tmp_path_factory) -> Callable[..., ctypes.CDLL]:
    """Return what opens the kernels of a precision and part, compiled for AVX2."""

    @functools.cache
    def opened(precision: border.Precision, part: library.Part = "networks") -> ctypes.CDLL:
        path = tmp_path_factory.mktemp("narrow") / f"{precision}-{part}.so"
        flags = ("-mavx2", "-mfma", *(flag for flag in library.FLAGS_OF[precision, part] if flag != library.TUNING))
        library.compile_kernels(path, flags)
        return border.opened(path, precision)

    return opened
