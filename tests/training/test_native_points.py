"""The kernels for points against PyTorch in float64: every function, rule and clipping; the same bits in any stack."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from seven_terms.planning.modes import compiler, has_kernels
from seven_terms.records.runs import Stack
from seven_terms.spec import (
    Adam,
    Clipping,
    Cosine,
    Distance,
    Evaluate,
    ExpectedSgd,
    NoisyQuadraticMoments,
    OneUnitRecurrence,
    Point,
    PowerFunction,
    Quadratic,
    Sgd,
    Steps,
    Stream,
    Training,
)
from seven_terms.training.advance.native import border, library
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import fit

from .stacks import make_run, make_runs

PROCESSOR = Path("/proc/cpuinfo")
HAS_AVX512 = PROCESSOR.is_file() and "avx512f" in PROCESSOR.read_text(encoding="utf-8")
pytestmark = pytest.mark.skipif(not compiler(), reason="kernels need a C++ compiler")
POINTS = library.FLAGS_OF["float32", "points"]
PROBES = (
    Stream(window=1, update_norms=True),
    Evaluate(steps=Steps(count=3)),
    Distance(steps=Steps(count=4), num=3),  # hands over the parameters themselves, which kernels change in place
)
BOWL = Training(
    task=Quadratic(dimension=11, noise_scale=0.3, noise_follows_curvature=True),
    model=Point(dimension=11, random=True),
    optimizer=Sgd(learning_rate=0.1),
    num_steps=12,
    batch_size=1,
    precision="float64",
)


def bowl(**changes: object) -> Training:
    return dataclasses.replace(BOWL, **changes)


def noise(**changes: object) -> Quadratic:
    return dataclasses.replace(BOWL.task, **changes)


CASES: dict[str, Training] = {
    "noisy quadratic": BOWL,
    "whole vectors": bowl(task=noise(dimension=16), model=Point(dimension=16)),
    "one number": bowl(task=noise(dimension=1), model=Point(dimension=1)),
    "without noise": bowl(task=noise(noise_scale=0.0), batch_size=None),
    "equal eigenvalues": bowl(task=noise(spectrum="equal", largest=2.0), batch_size=None),
    "inverse eigenvalues": bowl(task=noise(spectrum="inverse"), batch_size=4),
    **{f"{kind} noise": bowl(task=noise(noise=kind), batch_size=3) for kind in ("skewed", "student", "cauchy")},
    "growing batches": bowl(batch_growth=((0.3, 2), (0.6, 3)), optimizer=Sgd(learning_rate=0.01)),
    "momentum, decay": bowl(optimizer=Sgd(momentum=0.8, weight_decay=0.1)),
    "nesterov": bowl(optimizer=Sgd(momentum=0.8, nesterov=True), schedule=Cosine()),
    "averaged": bowl(optimizer=Sgd(average_iterates=True)),
    "averaged, momentum": bowl(optimizer=Sgd(average_iterates=True, momentum=0.5)),
    "Adam, decayed": bowl(optimizer=Adam(eps=1e-6, weight_decay=0.1, beta1=0.5)),
    "AdamW": bowl(optimizer=Adam(weight_decay=0.1, decoupled=True), clipping=Clipping(norm=0.5)),
    "clipped by norm": bowl(clipping=Clipping(norm=0.2)),
    "clipped by value": bowl(clipping=Clipping(value=0.05)),
    "clipped by unit, value, norm": bowl(clipping=Clipping(adaptive=0.1, value=0.04, norm=0.1)),
    "second moments": bowl(
        task=NoisyQuadraticMoments(dimension=19),
        model=Point(dimension=19),
        optimizer=ExpectedSgd(noise=0.3),
        schedule=Cosine(),
        batch_size=None,
    ),
    "power": bowl(
        task=PowerFunction(),
        model=Point(dimension=1, start=1.5),
        clipping=Clipping(norm=0.7),
        batch_size=None,
    ),
    "absolute value": bowl(task=PowerFunction(exponent=1.0), model=Point(dimension=1, start=-0.55), batch_size=None),
    "broken power": bowl(task=PowerFunction(exponent=1.7), model=Point(dimension=1, start=-2.0), batch_size=None),
    "cliff": bowl(task=OneUnitRecurrence(length=50), model=Point(dimension=2, start=(4.0, -2.0)), batch_size=None),
}


def stack_of(training: Training, *, mode: str, number: int = 4) -> Stack:
    rate = 0.01 if isinstance(training.optimizer, Adam | ExpectedSgd) else 0.1
    runs = make_runs(training, number, rate=rate)
    return Stack(experiment="t/o", runs=tuple(dataclasses.replace(run, mode=mode, probes=PROBES) for run in runs))


def path_of(stack: Stack, *, parts: tuple[int, ...] = (0,)) -> dict[str, np.ndarray]:
    """Return what a stack's runs tell [R, U] and where they end [R, D]; each of `parts` begins a call."""
    program, num_runs = StackedProgram(stack), len(stack.runs)
    ends = (*parts[1:], len(program.updates))
    told = [program.advance(first, end) for first, end in zip(parts, ends, strict=True)]
    found = {name: np.concatenate([part[name] for part in told]).T[:num_runs] for name in told[0]}
    kept = {name: values["x"][:num_runs].numpy() for name, values in program.state.items()}
    return found | kept | {"x": program.parameters["x"][:num_runs].numpy()}


@pytest.mark.parametrize("case", CASES)
def test_kernels_agree_with_pytorch(case):
    training = CASES[case]
    assert has_kernels(training)
    native, eager = (path_of(stack_of(training, mode=mode)) for mode in ("native", "eager"))
    assert {"x", "batch_loss", "gradient_norm", "clipped_gradient_norm"} <= set(eager) <= set(native)
    for name, values in eager.items():
        np.testing.assert_allclose(native[name], values, rtol=1e-9, atol=1e-13, err_msg=name)


def test_what_is_recorded_of_points_agrees_with_pytorch():
    found = {}
    for mode in ("native", "eager"):
        table = fit(stack_of(CASES["averaged"], mode=mode)).recorder.table()
        found[mode] = {metric: rows["value"] for metric, rows in table.groupby("metric", observed=True)}
    assert set(found["native"]) == set(found["eager"]) >= {"update_norm_max", "averaged_test_loss"}
    for metric, values in found["eager"].items():
        np.testing.assert_allclose(found["native"][metric], values, rtol=1e-9, atol=1e-13, err_msg=metric)


def test_points_in_single_precision_are_left_to_pytorch():
    assert not has_kernels(bowl(precision="float32"))


@pytest.mark.parametrize("case", CASES)
def test_a_point_has_the_same_bits_alone_and_in_any_stack_in_one_call_or_several(case):
    together = stack_of(CASES[case], mode="native", number=32)
    wild = dataclasses.replace(make_run(CASES[case], changes={"optimizer.learning_rate": 1e38}), mode="native")
    whole = path_of(dataclasses.replace(together, runs=(wild, *together.runs)))
    for size in (1, 3, 8, 9, 32):
        some = path_of(dataclasses.replace(together, runs=together.runs[-size:]), parts=(0, 1, 7))
        for name, values in some.items():
            np.testing.assert_array_equal(values, whole[name][-size:], err_msg=f"{size} runs: {name}")


def test_points_that_clip_and_decay_differently_have_the_same_bits_side_by_side():
    runs = stack_of(bowl(optimizer=Sgd(momentum=0.5)), mode="native", number=20).runs
    changes = ({}, {"clipping": Clipping(norm=0.2)}, {"clipping": Clipping(value=0.05, adaptive=0.1)})
    trainings = [dataclasses.replace(run.training, **changes[place % 3]) for place, run in enumerate(runs)]
    trainings[4] = dataclasses.replace(trainings[4], optimizer=Sgd(momentum=0.5, weight_decay=0.1, learning_rate=0.01))
    mixed = tuple(dataclasses.replace(run, training=training) for run, training in zip(runs, trainings, strict=True))
    whole = path_of(Stack(experiment="t/o", runs=mixed))
    for index, run in enumerate(mixed):
        for name, values in path_of(Stack(experiment="t/o", runs=(run,))).items():
            np.testing.assert_array_equal(values[0], whole[name][index], err_msg=f"{index}: {name}")


def test_exponentials_and_powers_have_the_bits_of_the_c_library(tmp_path, monkeypatch):
    names = ("power", "absolute value", "broken power", "cliff")
    own = {name: path_of(stack_of(CASES[name], mode="native", number=9)) for name in names}
    library.compile_kernels(tmp_path / "asking.so", (*POINTS, "-DSEVEN_TERMS_ASKS_LIBRARY"))
    asking = border.opened(tmp_path / "asking.so")
    monkeypatch.setattr("seven_terms.training.advance.native.points.kernels", lambda *_: asking)
    for name in names:
        for metric, values in path_of(stack_of(CASES[name], mode="native", number=9)).items():
            np.testing.assert_array_equal(values, own[name][metric], err_msg=f"{name}: {metric}")


def test_a_large_range_of_updates_in_parts_changes_nothing(monkeypatch):
    whole = path_of(stack_of(BOWL, mode="native"))
    monkeypatch.setattr("seven_terms.training.advance.native.points.NOISES_AT_ONCE", 1)
    for name, values in path_of(stack_of(BOWL, mode="native")).items():
        np.testing.assert_array_equal(values, whole[name])


def test_a_call_makes_many_updates_of_small_points_and_few_of_many_or_large_ones():
    def at_once(training, number):
        way = StackedProgram(stack_of(training, mode="native", number=number)).way
        assert way.updates_per_call == way.updates_per_step
        return way.updates_per_call

    assert at_once(BOWL, 1) == 65_536
    assert at_once(BOWL, 8) == 8_192
    assert at_once(BOWL, 1000) == 200
    large = bowl(task=noise(dimension=100_000), model=Point(dimension=100_000))
    assert at_once(large, 2) == 5_000


@pytest.mark.skipif(not HAS_AVX512, reason="compares the code for AVX-512 with that for AVX2")
def test_a_processor_with_narrower_vectors_gives_the_same_bits(tmp_path, monkeypatch):
    wide = {name: path_of(stack_of(training, mode="native")) for name, training in CASES.items()}
    flags = ("-mavx2", "-mfma", *(flag for flag in POINTS if flag != library.TUNING))
    library.compile_kernels(tmp_path / "narrow.so", flags)
    narrow = border.opened(tmp_path / "narrow.so")
    monkeypatch.setattr("seven_terms.training.advance.native.points.kernels", lambda *_: narrow)
    for name, training in CASES.items():
        for metric, values in path_of(stack_of(training, mode="native")).items():
            np.testing.assert_array_equal(values, wide[name][metric], err_msg=f"{name}: {metric}")


@pytest.mark.parametrize("case", ["power", "cliff", "noisy quadratic"])
def test_a_point_that_overflows_is_marked_at_the_step_where_eager_code_marks_it(case):
    found = {}
    for mode in ("eager", "native"):
        wild = make_run(dataclasses.replace(CASES[case], clipping=Clipping()), changes={"optimizer.learning_rate": 1e4})
        program = StackedProgram(Stack(experiment="t/o", runs=(dataclasses.replace(wild, mode=mode),)))
        program.advance(0, 12)
        found[mode] = (program.diverged_at_R[0].item(), program.parameters["x"][0].tolist())
    assert found["native"][0] == found["eager"][0]
    assert [math.isnan(x) for x in found["native"][1]] == [math.isnan(x) for x in found["eager"][1]]
