"""The kernels against PyTorch in float64, on every processor alike, and whole: no probe and no neighbour changes a bit.

Long, because one table of cases serves every property that the kernels must have.
"""

import ctypes
import dataclasses
import math
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from seven_terms.models import build_model
from seven_terms.planning.modes import NATIVE_TASKS, compiler, has_kernels
from seven_terms.records.atomic import write
from seven_terms.records.runs import Run, Stack
from seven_terms.spec import (
    Adam,
    Adding,
    BatchNorm,
    Cifar10,
    Clipping,
    Cnn,
    Cosine,
    Digits,
    Evaluate,
    GaussianInputs,
    GroupNorm,
    Initialization,
    LayerNorm,
    LayerUpdates,
    LinearRegression,
    PolyphonicMusic,
    Resnet,
    ScheduleFree,
    Sgd,
    Steps,
    Stream,
    TemporalOrder,
    Training,
    Transformer,
)
from seven_terms.tasks import build_task, polyphonic_music
from seven_terms.training.advance.native import border, library
from seven_terms.training.advance.native import fields as told
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import configure_torch, fit, stack_record, trained_stack

from .stacks import (
    BATCH_NORM,
    CNN,
    MLP,
    MUSIC,
    RESNET,
    RNN,
    TRANSFORMER,
    made_up_sequences,
    make_run,
    make_runs,
    numbers,
)

PROCESSOR = Path("/proc/cpuinfo")
HAS_AVX512 = PROCESSOR.is_file() and "avx512f" in PROCESSOR.read_text(encoding="utf-8")
pytestmark = pytest.mark.skipif(not compiler(), reason="kernels need a C++ compiler")
PROBES = (
    Stream(window=1, update_norms=True),
    Evaluate(steps=Steps(count=3), splits=("validation",), num_examples=70),
    LayerUpdates(steps=Steps(at=(0, 5))),
)


def with_model(training: Training, **changes: object) -> Training:
    return dataclasses.replace(training, model=dataclasses.replace(training.model, **changes))


def with_norm(**changes: object) -> Training:
    return with_model(BATCH_NORM, normalization=BatchNorm(**changes))


ACTIVATIONS = ("sigmoid", "tanh", "relu", "identity", "softsign")
CASES: dict[str, Training] = {
    **{f"dense {name}": with_model(MLP, activation=name) for name in ACTIVATIONS},
    **{f"recurrent {name}": with_model(RNN, cell=name) for name in ("tanh", "sigmoid", "relu", "identity")},
    "regularized": with_model(RNN, regularization=2.0),
    "regularized relu": with_model(RNN, cell="relu", regularization=0.5),
    "no hidden layer": with_model(MLP, depth=0),
    "one unit": with_model(MLP, width=1),
    "whole vectors": with_model(MLP, width=32),
    "wide": with_model(MLP, width=129, depth=1),
    "residual": with_model(MLP, depth=3, residual=True, activation="tanh"),
    "skip over the first layer": with_model(MLP, depth=2, width=49, residual=True, activation="relu"),
    "no bias": with_model(MLP, bias=False),
    "batch norm": BATCH_NORM,
    "batch norm behind": with_model(BATCH_NORM, placement="after", activation="sigmoid"),
    "batch norm behind, residual": with_model(BATCH_NORM, placement="after", residual=True, depth=3),
    "centered only": with_norm(scale=False),
    "scaled only": with_norm(center=False),
    "no gain": with_norm(affine=False, momentum=0.3),
    "nothing added to the variance": with_model(
        with_norm(eps=0.0, affine=False), activation="tanh", width=33, bias=False
    ),
    "half squared error": dataclasses.replace(MLP, task=Digits(resolution=7, loss="half_squared_error")),
    "squared error": dataclasses.replace(
        MLP,
        task=LinearRegression(num_examples=200, num_features=7, num_informative=3, standardize=True),
        optimizer=Sgd(learning_rate=0.01),
    ),
    "adding": dataclasses.replace(RNN, task=Adding(length=9)),
    "gaussian inputs": dataclasses.replace(MLP, task=GaussianInputs(num_features=5)),
    "whole split": dataclasses.replace(MLP, task=Digits(resolution=7, num_train=90), batch_size=None),
    "nesterov": dataclasses.replace(
        MLP, optimizer=Sgd(learning_rate=0.2, momentum=0.8, weight_decay=1e-2, nesterov=True), schedule=Cosine()
    ),
    "decay": dataclasses.replace(MLP, optimizer=Sgd(learning_rate=0.2, weight_decay=0.1)),
    "clipped by norm": dataclasses.replace(MLP, clipping=Clipping(norm=0.05)),
    "clipped by value": dataclasses.replace(MLP, clipping=Clipping(value=1e-3)),
    "clipped by both, decayed": dataclasses.replace(
        MLP,
        clipping=Clipping(value=1e-2, norm=0.02),
        optimizer=Sgd(learning_rate=0.2, momentum=0.9, weight_decay=0.05),
    ),
    "gain and shift alone": dataclasses.replace(BATCH_NORM, optimizer=Sgd(learning_rate=0.3), trained="normalization"),
    "readout alone, decayed": dataclasses.replace(
        MLP, optimizer=Sgd(learning_rate=0.3, weight_decay=0.1), clipping=Clipping(norm=0.2), trained="readout"
    ),
    "all but the readout, decayed, muP": dataclasses.replace(
        with_model(MLP, parametrization="mup"),
        optimizer=Sgd(learning_rate=0.3, weight_decay=0.1),
        clipping=Clipping(value=1e-3),
        trained="hidden",
    ),
    "schedule-free": dataclasses.replace(MLP, optimizer=ScheduleFree(learning_rate=0.3, power=2.0)),
    "schedule-free, decayed, clipped": dataclasses.replace(
        BATCH_NORM,
        optimizer=ScheduleFree(learning_rate=0.3, beta=0.5, weight_decay=0.05),
        clipping=Clipping(norm=0.3),
    ),
    "layer norm": with_model(MLP, normalization=LayerNorm()),
    "group norm": with_model(MLP, normalization=GroupNorm(num_groups=3), width=33, activation="relu"),
    "groups behind, residual": with_model(
        dataclasses.replace(MLP, optimizer=Sgd()),  # momentum would make it diverge, and rounding grow
        normalization=GroupNorm(num_groups=3),
        width=48,
        activation="tanh",
        placement="after",
        residual=True,
        depth=3,
    ),
    "ghosts": with_norm(ghost=5),
    "ghosts without gain": with_norm(ghost=10, affine=False, center=False),
    "noisy": with_norm(noisy=True),
    "noisy ghosts": with_norm(noisy=True, ghost=4),
    "muP": with_model(MLP, parametrization="mup", base_width=6),
    "muP, no bias, residual": with_model(MLP, parametrization="mup", base_width=48, bias=False, residual=True, depth=3),
    "Adam": dataclasses.replace(MLP, optimizer=Adam(eps=1e-6)),
    "Adam, decayed": dataclasses.replace(MLP, optimizer=Adam(eps=1e-6, weight_decay=0.1, beta1=0.5)),
    "AdamW, clipped": dataclasses.replace(
        MLP,
        optimizer=Adam(eps=1e-6, weight_decay=0.1, decoupled=True),
        clipping=Clipping(norm=0.1),
        schedule=Cosine(),
    ),
    "adaptively clipped": dataclasses.replace(MLP, clipping=Clipping(adaptive=0.02)),
    "adaptively clipped, normalized": dataclasses.replace(BATCH_NORM, clipping=Clipping(adaptive=0.01, norm=0.3)),
    "growing batches": dataclasses.replace(
        BATCH_NORM, batch_growth=((0.3, 2), (0.7, 3)), optimizer=Sgd(learning_rate=0.1)
    ),
    **{
        f"{cell}, Adam": dataclasses.replace(
            with_model(RNN, cell=cell, width=17),
            task=Adding(length=9),
            optimizer=Adam(eps=1e-6),
            initialization=Initialization(kind="default"),
        )
        for cell in ("lstm", "gru")
    },
    **{
        f"{cell}, clipped": dataclasses.replace(
            with_model(RNN, cell=cell, width=32),
            clipping=Clipping(adaptive=0.05, norm=1.0),
            initialization=Initialization(kind="glorot", forget_bias=1.0),
        )
        for cell in ("lstm", "gru")
    },
    "music": MUSIC,
    "music, wide": with_model(MUSIC, cell="tanh", width=330),
    "music, several": dataclasses.replace(
        with_model(MUSIC, cell="relu", width=33), batch_size=3, clipping=Clipping(norm=1.0)
    ),
    **{
        f"music, {cell}": dataclasses.replace(
            with_model(MUSIC, cell=cell), batch_size=2, optimizer=Adam(eps=1e-6), clipping=Clipping(norm=1.0)
        )
        for cell in ("lstm", "gru")
    },
    "lstm of one unit": dataclasses.replace(with_model(RNN, cell="lstm", width=1), optimizer=Adam(eps=1e-6)),
    "clipped by both": dataclasses.replace(MLP, clipping=Clipping(value=1e-2, norm=0.02)),
    "convolutions, batch norm": CNN,
    "convolutions": with_model(CNN, normalization=None, channels=(16, 32), strides=(2, 2), activation="tanh"),
    "convolutions, ghosts, no gain": with_model(
        CNN, normalization=BatchNorm(ghost=5, affine=False), channels=(5, 17), strides=(3, 1)
    ),
    "convolutions, clipped": dataclasses.replace(
        with_model(CNN, channels=(4, 16, 6), strides=(2, 2, 2), activation="sigmoid"),
        optimizer=Adam(eps=1e-6),
        clipping=Clipping(adaptive=0.05, norm=0.5),
    ),
    "convolutions, whole split": dataclasses.replace(
        with_model(CNN, normalization=None), task=Digits(resolution=14, image=True, num_train=30), batch_size=None
    ),
    "convolutions, growing": dataclasses.replace(
        with_model(CNN, channels=(6,), strides=(1,)), batch_growth=((0.5, 2),), optimizer=Sgd(learning_rate=0.1)
    ),
    "residual convolutions": dataclasses.replace(RESNET, task=Digits(resolution=7, image=True)),
    "plain convolutions, half squared error": dataclasses.replace(
        with_model(RESNET, residual=False, normalization=None),
        task=Digits(resolution=14, image=True, loss="half_squared_error"),
    ),
    "residual convolutions, ghosts": dataclasses.replace(
        with_model(RESNET, n=1, normalization=BatchNorm(ghost=4)), clipping=Clipping(norm=0.5)
    ),
    "residual convolutions, groups": with_model(RESNET, normalization=GroupNorm(num_groups=3), width=6),
    "residual convolutions, layer norm": dataclasses.replace(
        with_model(RESNET, n=1, normalization=LayerNorm()), optimizer=Adam(eps=1e-6)
    ),
    "convolutions, group norm": with_model(
        CNN, normalization=GroupNorm(num_groups=2), channels=(16, 20), strides=(1, 1)
    ),
    "convolutions in blocks": dataclasses.replace(
        with_model(CNN, channels=(16, 18, 33), strides=(1, 2, 1), activation="tanh"),
        task=Digits(image=True),
        batch_size=3,
        num_steps=4,
    ),
    "transformer": dataclasses.replace(TRANSFORMER, optimizer=Sgd(learning_rate=0.1, momentum=0.9)),
    "transformer, AdamW, clipped": dataclasses.replace(
        with_model(TRANSFORMER, depth=2, width=16),
        optimizer=Adam(eps=1e-6, weight_decay=0.1, decoupled=True),
        clipping=Clipping(norm=1.0),
        batch_size=32,
    ),
    "transformer, plain, whole split": dataclasses.replace(
        with_model(TRANSFORMER, width=15, heads=1, normalization=None),
        task=Digits(resolution=7, image=True, num_train=90, loss="half_squared_error"),
        optimizer=Adam(eps=1e-6),
        batch_size=None,
    ),
    "transformer, groups, clipped": dataclasses.replace(
        with_model(TRANSFORMER, depth=3, width=12, heads=12, normalization=GroupNorm(num_groups=2)),
        optimizer=Adam(eps=1e-6),
        clipping=Clipping(adaptive=0.05, norm=0.5),
    ),
    "transformer, wide, growing": dataclasses.replace(
        with_model(TRANSFORMER, width=36, heads=4),
        task=Digits(resolution=14, image=True),
        optimizer=Sgd(learning_rate=0.05),
        batch_growth=((0.5, 2),),
        batch_size=5,
    ),
}


NEW = (  # one of each part that the kernels know, beside the plain networks
    *("layer norm", "group norm", "noisy ghosts", "muP", "Adam", "AdamW, clipped", "lstm, Adam", "gru, clipped"),
    *("adaptively clipped, normalized", "growing batches", "music", "music, wide", "music, lstm", "music, gru"),
    *(
        "transformer, AdamW, clipped",
        "residual convolutions, ghosts",
        "residual convolutions, groups",
        "gain and shift alone",
        "all but the readout, decayed, muP",
        "schedule-free, decayed, clipped",
    ),
)
PARTS = {
    **{"dense": MLP, "batch norm": BATCH_NORM, "recurrent": RNN},
    **{name: CASES[name] for name in NEW},
    "dense in float64": dataclasses.replace(MLP, precision="float64"),
    "batch norm in float64": dataclasses.replace(BATCH_NORM, precision="float64"),
}


@pytest.fixture(autouse=True)
def small_music(monkeypatch):
    monkeypatch.setattr(polyphonic_music, "read_sequences", made_up_sequences)


def table_of(training: Training, *, mode: str, probes: tuple = PROBES) -> dict[str, np.ndarray]:
    """Return every recorded value of three runs by metric."""
    rate = 0.003 if isinstance(training.optimizer, Adam) else 0.1
    runs = tuple(dataclasses.replace(run, mode=mode, probes=probes) for run in make_runs(training, 3, rate=rate))
    table = fit(Stack(experiment="test/one", runs=runs)).recorder.table()
    return {metric: rows["value"].to_numpy() for metric, rows in table.groupby("metric", observed=True)}


DOUBLE = (  # one of each part in double precision too, which is the same source
    *(f"dense {name}" for name in ACTIVATIONS),
    *("recurrent tanh", "regularized", "lstm, Adam", "gru, clipped", "adding"),
    *("batch norm", "batch norm behind, residual", "nothing added to the variance", "noisy ghosts"),
    *("group norm", "groups behind, residual", "layer norm", "muP, no bias, residual"),
    *("half squared error", "squared error", "whole split", "growing batches", "nesterov", "AdamW, clipped"),
    *("clipped by both, decayed", "adaptively clipped, normalized"),
    *("convolutions", "convolutions, ghosts, no gain", "convolutions, clipped", "convolutions in blocks"),
    *("residual convolutions", "residual convolutions, groups", "residual convolutions, layer norm"),
    *("music", "music, gru"),
    *("transformer", "transformer, AdamW, clipped", "transformer, groups, clipped", "transformer, wide, growing"),
    *("gain and shift alone", "readout alone, decayed", "all but the readout, decayed, muP", "schedule-free"),
)


def in_double(case: str) -> Training:
    return dataclasses.replace(CASES[case], precision="float64")


@pytest.mark.parametrize("case", DOUBLE)
def test_kernels_in_double_precision_agree_with_pytorch_to_its_rounding(case):
    training = in_double(case)
    assert has_kernels(training)
    native, eager = (table_of(training, mode=mode) for mode in ("native", "eager"))
    assert set(native) == set(eager)
    for metric, values in eager.items():
        np.testing.assert_allclose(native[metric], values, rtol=1e-10, atol=1e-12, err_msg=metric)


@pytest.mark.parametrize("case", CASES)
def test_kernels_agree_with_pytorch_in_float64(case):
    training = CASES[case]
    assert has_kernels(training)
    native = table_of(training, mode="native")
    exact = table_of(dataclasses.replace(training, precision="float64"), mode="eager")
    assert set(native) == set(exact)
    assert {"batch_loss", "clip_fraction", "update_norm_max", "validation_loss"} <= set(native)
    for metric, values in exact.items():
        np.testing.assert_allclose(native[metric], values, rtol=3e-4, atol=2e-6, err_msg=metric)


@pytest.mark.parametrize(
    ("model", "shape", "fields_of"),
    [
        (Transformer(depth=1, width=12, heads=3), (3, 5, 4), told.transformer_fields),
        (Resnet(n=1, width=6, normalization=GroupNorm(num_groups=3)), (3, 9, 9), told.convolutional_fields),
        (Cnn(channels=(5, 16), strides=(2, 1)), (3, 7, 7), told.convolutional_fields),
    ],
    ids=["transformer", "residual convolutions", "convolutions"],
)
def test_images_of_several_channels_are_rows_of_all_their_channels(model, shape, fields_of):
    number = 19
    draws = torch.Generator().manual_seed(0)
    module = build_model(model, input_shape=shape, num_outputs=10).double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=draws, dtype=torch.float64))
    images, labels = torch.randn(number, *shape, generator=draws), torch.arange(number) % 10
    cross_entropy(module(images.double()), labels).backward()
    moved = [parameter.detach().float().contiguous() for parameter in module.parameters()]
    fields = {"num_outputs": 10, "batch": number, "loss": border.LOSSES.index("cross_entropy")}
    structs = border.STRUCTS["float32"]
    program = structs.program(**fields_of(model, shape, number), **fields)
    rule = structs.rule(clip_value=math.inf, clip_norm=math.inf, clip_adaptive=math.inf)
    array = (ctypes.c_void_p * len(moved))(*[tensor.data_ptr() for tensor in moved])
    rates, measured = torch.ones(1, dtype=torch.float64), torch.zeros(border.NUM_MEASURED)
    tensors = {"inputs": images, "labels": labels, "rates": rates, "measured": measured}
    pointers = {name: tensor.data_ptr() for name, tensor in tensors.items()}
    call = structs.call(parameters=ctypes.addressof(array), num_updates=1, **pointers)
    border.succeeded(
        library.kernels("float32", "images").seven_terms_advance(*map(ctypes.byref, (program, rule, call)))
    )
    for (name, before), after in zip(module.named_parameters(), moved, strict=True):
        assert before.grad is not None
        np.testing.assert_allclose(before.detach() - after, before.grad, rtol=1e-4, atol=1e-6, err_msg=name)


def test_whatever_the_kernels_do_not_know_is_left_to_pytorch():
    unknown = [
        with_model(MLP, normalization=LayerNorm(eps=0.0)),
        dataclasses.replace(MUSIC, batch_size=None),
        dataclasses.replace(MLP, optimizer=Sgd(average_iterates=True)),
        dataclasses.replace(MLP, trained="readout"),  # with momentum
        dataclasses.replace(BATCH_NORM, optimizer=Sgd(weight_decay=0.1), trained="normalization"),
        dataclasses.replace(CNN, optimizer=Sgd(), trained="readout"),
        with_model(TRANSFORMER, normalization=LayerNorm(eps=0.0)),
        with_model(CNN, normalization=BatchNorm(noisy=True)),
        with_model(RESNET, n=11),
        dataclasses.replace(MLP, num_devices=2),
        dataclasses.replace(MLP, num_steps=0),
        dataclasses.replace(MLP, batch_size=None),  # of a size that the plan does not know
        dataclasses.replace(MLP, task=Cifar10(augment=True, num_train=100), batch_size=None),
        dataclasses.replace(with_model(MLP, width=4096), batch_size=1000),
    ]
    assert not any(map(has_kernels, unknown))


@pytest.mark.parametrize("part", PARTS)
def test_probes_do_not_change_the_training(part):
    training = PARTS[part]
    few = table_of(training, mode="native", probes=(Stream(window=1),))
    many = table_of(
        training,
        mode="native",
        probes=(
            Stream(window=1),
            Evaluate(steps=Steps(every=1), splits=("validation",)),
            LayerUpdates(steps=Steps(every=3)),
        ),
    )
    for metric, values in few.items():
        np.testing.assert_array_equal(many[metric], values)


@pytest.mark.skipif(not HAS_AVX512, reason="compares the code for AVX-512 with that for AVX2")
@pytest.mark.parametrize(
    ("case", "precision"),
    [
        *(pytest.param(name, "float32", marks=[] if name in NEW else pytest.mark.slow) for name in CASES),
        *(pytest.param(name, "float64", marks=[] if name in NEW else pytest.mark.slow) for name in DOUBLE),
    ],
)
def test_a_processor_with_narrower_vectors_gives_the_same_bits(case, precision, narrow, monkeypatch):
    training = dataclasses.replace(CASES[case], precision=precision)
    wide = table_of(training, mode="native")
    monkeypatch.setattr("seven_terms.training.advance.native.updates.kernels", narrow)
    for metric, values in table_of(training, mode="native").items():
        np.testing.assert_array_equal(values, wide[metric])


def test_a_run_that_overflows_is_marked_at_the_step_where_eager_code_marks_it():
    wild = make_run(with_model(MLP, activation="relu"), changes={"optimizer.learning_rate": 1e5})
    found = {}
    for mode in ("eager", "native"):
        runs = (dataclasses.replace(wild, mode=mode), *(dataclasses.replace(r, mode=mode) for r in make_runs(MLP, 2)))
        found[mode] = fit(Stack(experiment="test/one", runs=runs)).program.diverged_at_R[:3].tolist()
    assert found["native"] == found["eager"]
    assert found["native"][0] > 0
    assert found["native"][1:] == [-1, -1]


@pytest.mark.parametrize("part", PARTS)
def test_a_run_gone_to_nan_leaves_nothing_behind_for_the_next(part):
    training = PARTS[part]
    healthy = tuple(dataclasses.replace(run, mode="native") for run in make_runs(training, 3))
    changes = {"optimizer.learning_rate": 3e38, "clipping.norm": math.inf}
    if training.precision == "float64":  # whose numbers are larger: nine such updates
        changes["optimizer.weight_decay"] = 1.0
    wild = make_run(training, changes=changes)
    alone = numbers(healthy)
    together = numbers((dataclasses.replace(wild, mode="native"), *healthy))
    assert np.isnan(together[dataclasses.replace(wild, mode="native").id]).any()
    for run in healthy:
        np.testing.assert_array_equal(together[run.id], alone[run.id])
    single = healthy[1]  # a stack of one, in another place
    np.testing.assert_array_equal(together[single.id], numbers((single,))[single.id])


STRICT = ("-Wall", "-Wextra", "-Werror")  # of the tests alone: a compiler of next year must not stop a training


@pytest.mark.parametrize("key", library.FLAGS_OF)
@pytest.mark.parametrize("name", ["g++", "clang++"])
def test_the_kernels_compile_without_a_warning(name, key, tmp_path, monkeypatch):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    monkeypatch.setenv("CXX", name)
    library.compile_kernels(tmp_path / "strict.so", (*library.FLAGS_OF[key], *STRICT))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="takes the sanitizers of GCC")
def test_address_and_undefined_behaviour_sanitizers_find_nothing_in_any_case(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", "g++")
    runtime = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    # The exceptions of libraries that are opened later pass through the sanitizer only where it finds C++'s own at its start.
    standard = subprocess.run(["g++", "-print-file-name=libstdc++.so"], capture_output=True, text=True, check=True)
    if not Path(runtime.stdout.strip()).is_absolute():
        pytest.skip("GCC's address sanitizer is not installed")
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O2")
    for (precision, part), flags in library.FLAGS_OF.items():
        kept = [flag for flag in flags if flag != "-O3"]
        library.compile_kernels(tmp_path / f"{precision}-{part}.so", (*kept, *sanitizers, *STRICT))
    options = {
        "LD_PRELOAD": f"{runtime.stdout.strip()} {standard.stdout.strip()}",
        "ASAN_OPTIONS": "detect_leaks=0",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.sanitized", str(tmp_path)],
        env={**os.environ, **options},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split("\n")[: len(CASES) + len(DOUBLE)] == [*CASES, *DOUBLE]
    assert done.stdout.split("\n")[-2] == "cliff"  # the last of test_native_points.py


RULE = border.STRUCTS["float32"].rule


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"LOSSES": ("half_squared_error", "cross_entropy", "squared_error")},
            "their lists must be those of border.py",
        ),
        ({"Rule": type("Rule", (ctypes.Structure,), {"_fields_": RULE._fields_[::-1]})}, "their lists must be"),
        (
            {"Rule": type("Rule", (ctypes.Structure,), {"_fields_": [(n, ctypes.c_double) for n, _ in RULE._fields_]})},
            "their layout must be those of border.py",
        ),
    ],
    ids=["order of words", "order of fields", "sizes"],
)
def test_a_border_that_differs_from_the_library_is_refused_when_it_is_opened(changed, sentence, monkeypatch):
    path = library.library_path()
    library.kernels("float32")
    structs = border.Structs(*(changed.get(kind.__name__, kind) for kind in border.STRUCTS["float32"]))
    lists = tuple(
        changed.get(name, getattr(border, name))
        for name in ("KINDS", "ACTIVATIONS", "LOSSES", "NORMS", "RULES", "TRAINED")
    )
    monkeypatch.setattr(border, "STRUCTS", {"float32": structs})
    fields = tuple(tuple(name for name, *_ in kind._fields_) for kind in structs)
    monkeypatch.setattr(border, "WORDS", (*lists, *fields, *border.WORDS[len(lists) + len(fields) :]))
    with pytest.raises(ValueError, match=sentence):
        border.opened(path)


def test_the_functions_of_the_border_are_declared():
    with pytest.raises(ctypes.ArgumentError):
        library.kernels("float32").seven_terms_advance(1, 2, 3)


def test_runs_of_both_precisions_train_in_one_process():
    """Libraries of one source share the names of what they keep from call to call, unless these are hidden."""
    double = dataclasses.replace(MLP, precision="float64")
    alone = [table_of(training, mode="native")["batch_loss"] for training in (MLP, double)]
    for training, values in [(MLP, alone[0]), (double, alone[1]), (MLP, alone[0])]:
        np.testing.assert_array_equal(table_of(training, mode="native")["batch_loss"], values)


def test_the_library_of_one_precision_is_not_opened_as_that_of_the_other():
    library.kernels("float32")
    with pytest.raises(ValueError, match=r"their layout must be those of border.py"):
        border.opened(library.library_path(), "float64")


def test_too_little_memory_is_an_error_of_python():
    program = border.STRUCTS["float32"].program(
        kind=0, depth=1, num_inputs=1, width=2**30, num_outputs=1, batch=2**30, length=1, num_groups=1
    )
    kernels = library.kernels("float32")
    with pytest.raises(MemoryError, match="memory does not suffice"):
        border.succeeded(kernels.seven_terms_evaluate(ctypes.byref(program), 2**30, None, None, None, None))


TASKS = {
    Adding: Adding(length=6),
    Cifar10: None,  # its files are not on every machine; it draws as Digits does, and crops as FreshExamples do
    Digits: Digits(resolution=7, num_train=50),
    GaussianInputs: GaussianInputs(num_features=3),
    LinearRegression: LinearRegression(num_examples=100, num_features=3, num_informative=2),
    PolyphonicMusic: PolyphonicMusic(chunk=3),
    TemporalOrder: TemporalOrder(length=10, num_evaluated=10),
}


@pytest.mark.parametrize("kind", [kind for kind in NATIVE_TASKS if TASKS[kind]])
def test_the_batches_of_several_updates_are_one_long_batch(kind):
    task = build_task(TASKS[kind], dtype=torch.float32, device=torch.device("cpu"))
    together = task.batches([3, 5], 4 * 7, 20 * 7)
    single = [task.batches([3, 5], step * 7, 7) for step in range(4, 24)]
    for position, tensor in enumerate(together):
        torch.testing.assert_close(tensor, torch.cat([batch[position] for batch in single], dim=1), rtol=0, atol=0)


def test_an_output_depends_neither_on_the_examples_beside_it_nor_on_the_batch():
    for training in (MUSIC, dataclasses.replace(MUSIC, batch_size=16)):
        run = dataclasses.replace(make_run(training), mode="native")
        program = StackedProgram(Stack(experiment="test/one", runs=(run,)))
        program.module.train(False)
        inputs = program.task.evaluation("validation", [0])[0][0].repeat(4, 1, 1)[:14]
        together = program.way.outputs(program.parameters, inputs, shared=True)[0]
        alone = [program.way.outputs(program.parameters, one[None], shared=True)[0, 0] for one in inputs]
        torch.testing.assert_close(together, torch.stack(alone), rtol=0, atol=0)
        assert together.shape == (14, 9, 88)


def test_a_step_of_large_updates_is_short_so_that_a_state_is_saved_in_time():
    large = dataclasses.replace(with_model(RESNET, width=16), task=Digits(image=True), batch_size=128)
    for training, steps in ((CNN, {200}), (large, range(10, 100))):  # of 15 GFLOP each
        stack = Stack(experiment="t/o", runs=(dataclasses.replace(make_run(training), mode="native"),))
        assert StackedProgram(stack).way.updates_per_step in steps


def test_updates_that_a_run_does_not_have_are_refused():
    stack = Stack(experiment="t/o", runs=(dataclasses.replace(make_run(MLP), mode="native"),))
    with pytest.raises(AssertionError, match=r"\(10, 13\)"):
        StackedProgram(stack).advance(10, 13)


def test_a_large_split_of_batches_into_parts_changes_nothing(monkeypatch):
    whole = table_of(RNN, mode="native")
    monkeypatch.setattr("seven_terms.training.advance.native.updates.VALUES_OF_BATCHES", 1)
    monkeypatch.setattr("seven_terms.training.advance.native.updates.VALUES_AT_ONCE", 1)  # one seed after the other
    for metric, values in table_of(RNN, mode="native").items():
        np.testing.assert_array_equal(values, whole[metric])


def test_a_compiler_named_with_its_options_is_passed_over(monkeypatch):
    monkeypatch.setenv("CXX", "ccache g++")
    found = compiler()
    monkeypatch.delenv("CXX")
    assert found == compiler()


def test_without_a_compiler_the_kernels_say_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nonexistent")
    library.kernels.cache_clear()
    with pytest.raises(ValueError, match=r"a C\+\+ compiler must be present.*apt-get install"):
        StackedProgram(Stack(experiment="test/one", runs=(dataclasses.replace(make_run(MLP), mode="native"),)))


def test_a_compiler_that_fails_is_named_with_its_first_error(tmp_path, monkeypatch):
    fake = tmp_path / "c++"
    fake.write_text("#!/bin/sh\necho 'kernels.cpp:1: error: no vectors here' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"it must compile kernels.cpp, got 'kernels.cpp:1: error: no vectors here'"):
        library.compile_kernels(tmp_path / "kernels.so")
    assert not (tmp_path / "kernels.so").exists()


def test_jobs_that_start_together_compile_the_kernels_once(tmp_path, monkeypatch):
    """Each in a process of its own in truth; the lock is that of an open file, which threads have one each of as well."""
    made = []

    def compile_slowly(path, flags):
        made.append(path)
        time.sleep(0.2)
        write(path, b"a library")

    monkeypatch.setattr(library, "library_path", lambda flags: tmp_path / "kernels.so")
    monkeypatch.setattr(library, "compile_kernels", compile_slowly)
    monkeypatch.setattr(library, "opened", lambda path, precision: path.read_bytes())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: library.kernels.__wrapped__("float32"), range(4)))
    assert found == [b"a library"] * 4
    assert made == [tmp_path / "kernels.so"]


def test_kernels_are_compiled_ahead_but_for_images_in_double_and_a_failure_is_left_to_the_job(monkeypatch):
    asked = []

    def fail(precision, part):
        asked.append((precision, part))
        raise ValueError("no vectors here")

    monkeypatch.setattr(library, "kernels", fail)
    library.compile_ahead()
    assert sorted(asked) == sorted(set(library.FLAGS_OF) - {("float64", "images")})
    monkeypatch.setattr(library, "compiler", lambda: None)
    library.compile_ahead()
    assert len(asked) == 4


def test_the_record_of_a_stack_names_the_compiler_of_its_kernels():
    stack = Stack(experiment="t/o", runs=(dataclasses.replace(make_run(MLP), mode="native"),))
    record = stack_record(stack, trained_stack(stack), duration_seconds=1.0, processor_seconds=1.0)
    assert re.match(r"(GCC|Clang) \d+\.", record["provenance"]["kernels"])


def test_kernels_refuse_a_gpu():
    run = Run(experiment="t/o", arm="a", settings={}, seed=0, training=MLP, probes=(), mode="native")
    with pytest.raises(ValueError, match=r"must train on the processor, got 'meta'.*compiling=torch"):
        StackedProgram(Stack(experiment="t/o", runs=(run,)), device="meta")


def test_a_wide_sum_is_as_exact_as_pytorch():
    """784 inputs: sums of products go one by one, in float32."""
    training = dataclasses.replace(MLP, task=Digits(), initialization=Initialization(kind="gaussian", scale=1.0))
    configure_torch()
    native = table_of(training, mode="native", probes=(Stream(window=1),))["gradient_norm"]
    eager = table_of(training, mode="eager", probes=(Stream(window=1),))["gradient_norm"]
    exact = table_of(dataclasses.replace(training, precision="float64"), mode="eager", probes=(Stream(window=1),))
    errors = [np.abs(values / exact["gradient_norm"] - 1)[:9].max() for values in (native, eager)]
    assert errors[0] < 10 * errors[1] + 1e-6
