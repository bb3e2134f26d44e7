"""The border to C++: the structs and words of the kernels, compared with the library's own when it is opened."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ....planning.modes import ACTIVATIONS, MOST_CONVOLUTIONS
from ....spec import require

Precision = Literal["float32", "float64"]
Struct = type[ctypes.Structure]
KINDS = ("dense", "simple", "lstm", "gru", "convolution", "transformer")
LOSSES = ("cross_entropy", "half_squared_error", "squared_error", "bernoulli")
NORMS = ("none", "batch", "group")
RULES = ("sgd", "adam", "schedule_free")
TRAINED = ("all", "normalization", "readout", "hidden")
FUNCTIONS = ("quadratic", "moments", "power", "recurrence")
POINT_RULES = ("descent", "adaptive_moments", "expected")
INTEGERS = (
    *(
        "kind",
        "depth",
        "num_inputs",
        "width",
        "num_outputs",
        "batch",
        "length",
        "activation",
        "loss",
        "bias",
        "residual",
    ),
    *("norm", "normalized_after", "center", "scale", "affine", "num_groups", "ghost", "rule", "nesterov", "decoupled"),
    *("side", "read_all", "heads", "trained"),
)
REALS = (
    *("eps", "statistics_momentum", "regularization"),
    *("input_multiplier", "bias_multiplier", "readout_multiplier"),
)
RULE_REALS = ("momentum", "weight_decay", "clip_value", "clip_norm", "clip_adaptive", "eps", "beta", "power")
POINTERS = (
    *("parameters", "first_state", "second_state", "statistics"),
    *("inputs", "labels", "targets", "weights", "noise", "rates", "measured"),
)
POINT_INTEGERS = (*("function", "rule", "nesterov", "decoupled", "counts_noise", "dimension", "length"),)
POINT_DOUBLES = (
    *("exponent", "start", "target", "momentum", "weight_decay", "eps", "beta1", "beta2", "noise"),
    *("clip_value", "clip_norm", "clip_adaptive"),
)
POINT_POINTERS = ("x", "velocity", "square", "average", "h", "noise", "seed_of_run", "rates", "measured")
POINT_COUNTS = ("first_update", "num_updates", "num_runs", "num_rows", "apart")
NUM_MEASURED = 4


class Call(ctypes.Structure):
    """`Call` of kernels.cpp: the tensors of a run, and which updates to make."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in POINTERS),
        *((name, ctypes.c_int64) for name in ("first_update", "num_updates", "distance")),
    )


class Point(ctypes.Structure):
    """`Point` of point_call.h: the function and the rule of each run."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in POINT_INTEGERS),
        *((name, ctypes.c_double) for name in POINT_DOUBLES),
    )


class PointCall(ctypes.Structure):
    """`PointCall` of point_call.h: the tensors of a stack of points, and which updates to make."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in POINT_POINTERS),
        *((name, ctypes.c_int64) for name in POINT_COUNTS),
    )


class Structs(NamedTuple):
    """What a network's kernels are called with, in one precision."""

    program: Struct
    rule: Struct
    call: Struct


def _structs(real: type) -> Structs:
    class Program(ctypes.Structure):
        """`Program` of layout.h: what all runs of a stack share."""

        _fields_ = (
            *((name, ctypes.c_int32) for name in INTEGERS),
            *((name, real) for name in REALS),
            *((name, ctypes.c_int32 * MOST_CONVOLUTIONS) for name in ("channels", "strides")),
        )

    class Rule(ctypes.Structure):
        """`Rule` of rules.h: what each run has of its own."""

        _fields_ = (
            *((name, real) for name in RULE_REALS),
            *((name, ctypes.c_double) for name in ("beta1", "beta2")),
        )

    return Structs(Program, Rule, Call)


STRUCTS: Mapping[Precision, Structs] = {"float32": _structs(ctypes.c_float), "float64": _structs(ctypes.c_double)}
POINT_STRUCTS: tuple[Struct, ...] = (Point, PointCall)
WORDS = (
    *(KINDS, ACTIVATIONS, LOSSES, NORMS, RULES, TRAINED),
    *(tuple(name for name, *_ in kind._fields_) for kind in STRUCTS["float32"]),
    *(FUNCTIONS, POINT_RULES),
    *(tuple(name for name, *_ in kind._fields_) for kind in POINT_STRUCTS),
)


def opened(path: Path, precision: Precision = "float32") -> ctypes.CDLL:
    """Return the library with its functions declared; ValueError where it cannot be loaded or comes from other sources."""
    structs = STRUCTS[precision]
    try:
        library = ctypes.CDLL(str(path))
    except OSError as error:
        raise ValueError(
            f"kernels {str(path)!r}: the system must be able to load them, got {str(error)!r}; "
            "set XDG_CACHE_HOME to a folder that may hold programs, or plan with `--compiling never`."
        ) from error
    for name, argument_types in _functions(structs).items():
        if hasattr(library, f"seven_terms_{name}"):  # of its part
            function = getattr(library, f"seven_terms_{name}")
            function.argtypes, function.restype = argument_types, ctypes.c_int
    for function in (library.seven_terms_compiler, library.seven_terms_words):
        function.restype = ctypes.c_char_p
    library.seven_terms_layout.restype = ctypes.POINTER(ctypes.c_int64)
    _require_same(path, "lists", [list(words) for words in WORDS], _words(library))
    layout = own_layout(precision)
    _require_same(path, "layout", layout, _layout(library, len(layout)))
    return library


def _functions(structs: Structs) -> dict[str, list[Any]]:
    """Return the types of arguments of every function that is called with tensors; each returns whether memory sufficed."""
    program, array, place = ctypes.POINTER(structs.program), ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p
    of_outputs, of_loss = [program, ctypes.c_int, array, array, place], [program, array, place, place, place]
    return {
        "advance": [ctypes.POINTER(kind) for kind in structs],
        "evaluate": [*of_outputs, place],
        "grade": [*of_outputs, place, place],
        "lanczos": [*of_loss, place, place, ctypes.c_int, place, place],
        "curvature_along_gradient": [*of_loss, place],
        "advance_points": [ctypes.POINTER(kind) for kind in POINT_STRUCTS],
        "normals": [place, ctypes.c_int64],
    }


def own_layout(precision: Precision) -> list[int]:
    """Return the size of each struct and where its fields lie, one struct after the other."""
    return [
        number
        for kind in (*STRUCTS[precision], *POINT_STRUCTS)
        for number in (ctypes.sizeof(kind), *(getattr(kind, name).offset for name, *_ in kind._fields_))
    ]


def succeeded(status: int) -> None:
    """Raise MemoryError where the kernels found too little memory."""
    if status:
        raise MemoryError("kernels: memory does not suffice for a run of this stack")


def _words(library: ctypes.CDLL) -> list[list[str]]:
    return [part.split() for part in library.seven_terms_words().decode().split("|")]


def _layout(library: ctypes.CDLL, length: int) -> list[int]:
    numbers = library.seven_terms_layout()
    found: list[int] = []
    while len(found) <= length and numbers[len(found)] >= 0:
        found.append(numbers[len(found)])
    return found


def _require_same(path: Path, what: str, own: list, found: list) -> None:
    require(
        own == found,
        what=f"kernels {str(path)!r}",
        must=f"their {what} must be those of border.py",
        got=next((pair for pair in zip(own, found, strict=False) if pair[0] != pair[1]), (len(own), len(found))),
        do="delete the file, and mend border.py or the headers where that does not help",
    )
