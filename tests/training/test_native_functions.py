"""The elementary functions of vectors.h, which the kernels have of their own, against arithmetic of forty digits."""

import ctypes
import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest

from seven_terms.planning.modes import compiler
from seven_terms.training.advance.native import border, library

pytestmark = pytest.mark.skipif(not compiler(), reason="kernels need a C++ compiler")
SOURCE = """
#include "HEADER"
#define EXPORTED extern "C" __attribute__((visibility("default")))
#define FUNCTION(name)                                                       \\
    EXPORTED void all_##name(const Real *x, Real *y, long size) {          \\
        for (long i = 0; i < size; i += LANES) store(y + i, name(load(x + i))); \\
    }
FUNCTION(exponential) FUNCTION(sigmoid) FUNCTION(hyperbolic_tangent) FUNCTION(log_of_one_more)
EXPORTED void turn(const Real *x, Real *y, int rows, int columns) {
    transpose(x, padded(columns), y, padded(rows), rows, columns);
}
EXPORTED Real total(const Real *x) { return sum_by_halves(load(x)); }
"""
NUMBERS = {"float32": np.float32, "float64": np.float64}
EXACT: dict[str, Callable[[Decimal], Decimal]] = {
    "exponential": lambda x: x.exp(),
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "hyperbolic_tangent": lambda x: ((2 * x).exp() - 1) / ((2 * x).exp() + 1),
    "log_of_one_more": lambda y: (1 + y).ln(),
}
UNITS = 2.5  # of the last place: what is measured is 0.9, 2.0 and 2.4
MOST = {"hyperbolic_tangent": 30.0, "log_of_one_more": 1.0}  # of a number in magnitude; of the others what is finite


class Functions:
    def __init__(self, precision: border.Precision, folder: Path) -> None:
        self.number = NUMBERS[precision]
        self.lanes = 64 // np.dtype(self.number).itemsize
        source, path = folder / "functions.cpp", folder / "functions.so"
        source.write_text(SOURCE.replace("HEADER", str(library.SOURCE.parent / "vectors.h")), encoding="utf-8")
        with pytest.MonkeyPatch.context() as changes:
            changes.setattr(library, "SOURCE", source)
            library.compile_kernels(path, library.FLAGS_OF[precision, "networks"])
        self.library = ctypes.CDLL(str(path))
        self.library.total.restype = border.STRUCTS[precision].rule._fields_[0][1]

    def apply(self, name: str, x: np.ndarray) -> np.ndarray:
        x, y = aligned(x), aligned(np.zeros_like(x))
        getattr(self.library, f"all_{name}")(address(x), address(y), ctypes.c_long(len(x)))
        return y


@pytest.fixture(scope="module", params=NUMBERS)
def functions(request, tmp_path_factory) -> Functions:
    return Functions(request.param, tmp_path_factory.mktemp("functions"))


def address(values: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)


def aligned(values: np.ndarray) -> np.ndarray:
    """Return a copy that starts at a multiple of 64 bytes."""
    room = np.zeros(values.nbytes + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    found = room[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    found[...] = values
    return found


def points(number: type, most: float) -> np.ndarray:
    """Return numbers of all sizes up to `most`, of both signs."""
    random = np.random.default_rng(0)
    small = random.choice([-1, 1], 1024) * 10 ** random.uniform(-12, math.log10(most), 1024)
    wide = random.uniform(-most, most, 3072)
    return np.concatenate([small, wide[:2048], wide[2048:] * min(1, 2 / most)]).astype(number)


@pytest.mark.parametrize("name", EXACT)
def test_elementary_functions_are_right_to_the_last_places(name, functions):
    finite = 87.0 if functions.number is np.float32 else 708.0
    x = points(functions.number, MOST.get(name, finite))
    x = abs(x) if name == "log_of_one_more" else x
    y = functions.apply(name, x)
    with localcontext() as context:
        context.prec = 60
        errors = [
            abs(Decimal(float(found)) - EXACT[name](Decimal(float(at)))) / Decimal(float(np.spacing(abs(found))))
            for at, found in zip(x, y, strict=True)
        ]
    assert max(errors) < UNITS


def test_an_exponential_too_large_is_infinite_one_too_small_zero_and_nan_stays(functions):
    highest = np.log(np.finfo(functions.number).max)
    x = np.array([np.nan, np.inf, -np.inf, highest + 1, -highest - 1, 0.0, -0.0, 1e-30] * 2, dtype=functions.number)
    found = functions.apply("exponential", x)[:8]
    np.testing.assert_array_equal(found, np.array([np.nan, np.inf, 0, np.inf, 0, 1, 1, 1]))


def test_a_matrix_is_transposed_whatever_its_shape(functions):
    lanes, number = functions.lanes, functions.number
    for rows, columns in [(1, 1), (lanes, lanes), (lanes + 1, 3), (5, 2 * lanes + 7), (3 * lanes - 1, lanes - 1)]:
        room = [-size % lanes + size for size in (rows, columns)]
        x, y = aligned(np.zeros((rows, room[1]), number)), aligned(np.ones((columns, room[0]), number))
        x[:, :columns] = np.arange(rows * columns).reshape(rows, columns)
        functions.library.turn(address(x), address(y), rows, columns)
        np.testing.assert_array_equal(y[:, :rows], x[:, :columns].T)
        assert not y[:, rows:].any()


def test_the_lanes_of_a_vector_are_summed_by_halves(functions):
    x = aligned(np.random.default_rng(1).normal(size=functions.lanes).astype(functions.number))
    halves = x
    while len(halves) > 1:
        halves = halves[: len(halves) // 2] + halves[len(halves) // 2 :]
    assert functions.library.total(address(x)) == halves[0]
