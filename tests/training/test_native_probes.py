"""What the kernels tell of a network besides updates, against PyTorch: loss and accuracy, curvature; and how they draw."""

import dataclasses
import math

import pytest
import torch

from seven_terms.models import build_model
from seven_terms.planning.modes import compiler
from seven_terms.probes.curvature import (
    observe_batch_sharpness,
    observe_preconditioned_sharpness,
    observe_sharpness,
)
from seven_terms.records.runs import Stack
from seven_terms.spec import (
    Adam,
    BatchSharpness,
    Digits,
    LinearRegression,
    PreconditionedSharpness,
    Quadratic,
    ScheduleFree,
    Sgd,
    Sharpness,
    Training,
)
from seven_terms.tasks import build_task
from seven_terms.training.advance.measured import metrics_of_outputs
from seven_terms.training.advance.native.drawing import normals
from seven_terms.training.program import StackedProgram
from seven_terms.training.train_stack import configure_torch

from .stacks import BATCH_NORM, CNN, MLP, RESNET, RNN, TRANSFORMER, make_runs
from .test_native import ACTIVATIONS, HAS_AVX512, with_model, with_norm

pytestmark = pytest.mark.skipif(not compiler(), reason="kernels need a C++ compiler")
GRADED = {
    "dense": MLP,
    "half squared error": dataclasses.replace(MLP, task=Digits(resolution=7, loss="half_squared_error")),
    "in double": dataclasses.replace(MLP, precision="float64"),
    "batch norm": BATCH_NORM,
    "ghost": with_norm(ghost=5),
    "noisy": with_norm(noisy=True),
    "recurrent": RNN,
    "convolutions": CNN,
    "residual": RESNET,
    "transformer": TRANSFORMER,
    "averaged": dataclasses.replace(MLP, optimizer=ScheduleFree()),
    "not graded": dataclasses.replace(MLP, task=LinearRegression(num_examples=200, num_features=7, num_informative=3)),
}
CURVED = dataclasses.replace(
    MLP, task=Digits(resolution=7, num_train=203), model=dataclasses.replace(MLP.model, width=17), precision="float64"
)
CURVATURES = {
    **{activation: with_model(CURVED, activation=activation, depth=3) for activation in ACTIVATIONS},
    "no hidden layer": with_model(CURVED, depth=0),
    "no bias": with_model(CURVED, bias=False, activation="tanh"),
    "muP": with_model(CURVED, parametrization="mup", activation="tanh"),
    "half squared error": dataclasses.replace(CURVED, task=dataclasses.replace(CURVED.task, loss="half_squared_error")),
    "squared error": dataclasses.replace(
        CURVED, task=LinearRegression(num_examples=150, num_features=7, num_informative=3, standardize=True)
    ),
    "whole split": dataclasses.replace(CURVED, batch_size=None),
}


def program_of(training: Training, *, number: int = 4, rate: float = 0.02) -> StackedProgram:
    configure_torch()
    runs = tuple(dataclasses.replace(run, mode="native") for run in make_runs(training, number, rate=rate))
    program = StackedProgram(Stack(experiment="test/one", runs=runs))
    program.advance(0, 3)
    return program


def by_pytorch(program: StackedProgram, parameters: dict, examples: tuple) -> dict:
    def outputs(parameters, inputs, *, shared):
        return program.network.outputs(parameters, program.frozen_buffers(), inputs, shared=shared)

    return metrics_of_outputs(program.way.kernels.parts, outputs, parameters, examples)


@pytest.mark.parametrize("is_training", [False, True])
@pytest.mark.parametrize("name", GRADED)
def test_loss_and_accuracy_are_those_of_pytorch_and_move_no_statistics(name, is_training):
    program = program_of(GRADED[name])
    program.module.train(is_training)
    before = program.frozen_buffers()
    examples = tuple(tensor[:, :105] for tensor in program.task.evaluation("train", program.seeds))
    averaged = {**program.parameters, **program.state.get("average", {})}
    for parameters in (program.parameters, averaged):
        found, expected = program.metrics(parameters, examples), by_pytorch(program, parameters, examples)
        assert list(found) == list(expected)
        tolerance = 1e-12 if program.dtype == torch.float64 else 2e-6
        for metric, value_R in expected.items():
            torch.testing.assert_close(found[metric][:4], value_R[:4], rtol=tolerance, atol=tolerance)
    for buffer, value in before.items():
        assert torch.equal(value, program.buffers[buffer])


def test_a_run_without_finite_outputs_is_neither_right_nor_wrong():
    program = program_of(MLP)
    next(reversed(program.parameters.values()))[1, 0] = math.inf
    program.module.train(False)
    found = program.metrics(program.parameters, program.task.evaluation("test", program.seeds))
    assert found["accuracy"][:4].isfinite().tolist() == [True, False, True, True]
    assert found["error"][:4].isfinite().tolist() == [True, False, True, True]
    assert not found["loss"][1].isfinite()


def curvature(observe, probe, program: StackedProgram) -> tuple[torch.Tensor, dict]:
    program.probe_state.clear()
    ((_, value_R, _),) = list(observe(probe, program, 3))
    return value_R[: program.num_runs], {name: value[: program.num_runs] for name, value in program.probe_state.items()}


@pytest.mark.parametrize("name", CURVATURES)
def test_curvature_is_that_of_differentiating_twice(name, monkeypatch):
    program = program_of(CURVATURES[name])
    cases = [(observe_sharpness, Sharpness(num_iterations=7)), (observe_batch_sharpness, BatchSharpness(num_batches=2))]
    assert program.curvatures() is not None
    kernels = [curvature(*case, program) for case in cases]
    monkeypatch.setattr(program.way, "curvatures", lambda: None)
    for (value_R, vectors), (expected_R, expected_vectors) in zip(
        kernels, [curvature(*case, program) for case in cases], strict=True
    ):
        torch.testing.assert_close(value_R, expected_R, rtol=1e-7, atol=1e-12)
        for key, ritz_RP in expected_vectors.items():
            torch.testing.assert_close(vectors[key], ritz_RP, rtol=0, atol=1e-5)


def test_preconditioned_curvature_is_that_of_differentiating_twice(monkeypatch):
    program = program_of(dataclasses.replace(CURVED, optimizer=Adam()))
    case = observe_preconditioned_sharpness, PreconditionedSharpness(num_iterations=6)
    value_R, _ = curvature(*case, program)
    monkeypatch.setattr(program.way, "curvatures", lambda: None)
    torch.testing.assert_close(value_R, curvature(*case, program)[0], rtol=1e-7, atol=0)


def test_with_as_many_iterations_as_parameters_it_is_the_top_eigenvalue():
    task = LinearRegression(num_examples=60, num_features=3, num_informative=2, standardize=True)
    training = dataclasses.replace(with_model(CURVED, width=3, depth=1, activation="tanh"), task=task)
    program = program_of(training, number=1)
    value_R, _ = curvature(observe_sharpness, Sharpness(num_iterations=1000), program)
    data = build_task(training.task, dtype=torch.float64, device="cpu")
    inputs, targets = (tensor[0] for tensor in data.evaluation("train", [0]))
    module = build_model(training.model, input_shape=data.input_shape, num_outputs=data.num_outputs).double()
    names, shapes = zip(*[(name, value[0].shape) for name, value in program.parameters.items()], strict=True)
    flat = torch.cat([value[0].flatten() for value in program.parameters.values()])

    def loss(flat):
        parts = flat.split([shape.numel() for shape in shapes])
        parameters = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        return data.loss(torch.func.functional_call(module, parameters, (inputs,)), inputs, targets)

    expected = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat))[-1]
    torch.testing.assert_close(value_R[0], expected, rtol=1e-9, atol=0)


def test_a_run_that_is_not_finite_has_no_curvature_and_leaves_the_others_theirs():
    program = program_of(CURVED)
    expected_R, _ = curvature(observe_sharpness, Sharpness(num_iterations=4), program)
    program.parameters["readout.bias"][2] = math.nan
    value_R, _ = curvature(observe_sharpness, Sharpness(num_iterations=4), program)
    assert value_R.isnan().tolist() == [False, False, True, False]
    assert torch.equal(value_R[[0, 1, 3]], expected_R[[0, 1, 3]])


@pytest.mark.skipif(not HAS_AVX512, reason="compares the code for AVX-512 with that for AVX2")
def test_a_processor_with_narrower_vectors_gives_the_same_bits(narrow, monkeypatch):
    case = observe_sharpness, Sharpness(num_iterations=4)
    single = dataclasses.replace(CURVED, precision="float32")
    wide = [normals((77,), torch.Generator().manual_seed(1)), curvature(*case, program_of(single))[0]]
    for part in ("curvature", "drawing", "updates"):
        monkeypatch.setattr(f"seven_terms.training.advance.native.{part}.kernels", narrow)
    assert torch.equal(normals((77,), torch.Generator().manual_seed(1)), wide[0])
    assert torch.equal(curvature(*case, program_of(single))[0], wide[1])


@pytest.mark.parametrize(
    "training",
    [
        BATCH_NORM,
        with_model(MLP, residual=True, depth=3),
        dataclasses.replace(MLP, optimizer=Sgd(), trained="readout"),
        CNN,
        RNN,
    ],
)
def test_other_networks_are_differentiated_by_pytorch(training):
    assert program_of(training).curvatures() is None


@pytest.mark.parametrize("shape", [(15,), (16,), (17,), (3, 21), (640,), (7, 1001)])
def test_normal_numbers_are_those_of_torch_but_for_rounding(shape):
    own, torchs = (torch.Generator().manual_seed(3) for _ in range(2))
    for _ in range(2):
        found, expected = normals(shape, own), torch.randn(shape, generator=torchs, dtype=torch.float64)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)
    assert torch.equal(own.get_state(), torchs.get_state())


@pytest.mark.parametrize("kind", ["gaussian", "skewed", "cauchy", "student"])
def test_a_quadratic_draws_the_same_noise_with_any_source_of_normals(kind):
    task = build_task(Quadratic(dimension=40, noise_scale=2.0, noise=kind), dtype=torch.float64, device="cpu")
    (expected,), (found,) = task.batches([1, 2], 3, 4), task.drawn_with(normals).batches([1, 2], 3, 4)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
