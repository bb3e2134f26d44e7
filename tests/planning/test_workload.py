"""What a stack asks of a device, against the models and programs that it stands for."""

import dataclasses

import pytest
import torch

from seven_terms.models import build_model
from seven_terms.planning.cost import (
    compiling_pays,
    facts,
    flops_per_run_step,
    num_rows,
    runs_per_stack,
    trains_alone,
)
from seven_terms.planning.workload import update_sizes, workload
from seven_terms.records.runs import Mode, Run, Stack
from seven_terms.spec import (
    SPLITS,
    Adding,
    BatchNorm,
    Cifar10,
    Cnn,
    Digits,
    Evaluate,
    Mlp,
    Quadratic,
    Recurrent,
    Resnet,
    Sharpness,
    Steps,
    Training,
    Transformer,
)
from seven_terms.spec import Point as PointModel
from seven_terms.tasks import build_task
from seven_terms.training.program import StackedProgram

DENSE = Training(task=Digits(resolution=7), model=Mlp(depth=2, width=5), num_steps=10, batch_size=4)
CONVOLUTION = Training(
    task=Digits(resolution=7, image=True), model=Cnn(channels=(2, 3), strides=(1, 2)), num_steps=2, batch_size=4
)


def stack_of(training: Training, *, num_runs: int, mode: Mode = "eager") -> Stack:
    runs = [
        Run(experiment="", arm="", settings={}, seed=seed, training=training, probes=(), mode=mode)
        for seed in range(num_runs)
    ]
    return Stack(experiment="", runs=tuple(runs))


@pytest.mark.parametrize(
    ("task", "model", "input_shape", "num_outputs"),
    [
        (Cifar10(), Resnet(n=3), (3, 32, 32), 10),
        (Cifar10(), Resnet(n=9, residual=False), (3, 32, 32), 10),
        (Cifar10(), Cnn(channels=(4, 6), strides=(2, 1), normalization=BatchNorm()), (3, 32, 32), 10),
        (Digits(resolution=7, image=True), Transformer(depth=2, width=12, heads=3), (1, 7, 7), 10),
        (Digits(resolution=7, image=True), Transformer(width=8, normalization=None), (1, 7, 7), 10),
        (Digits(), Mlp(depth=3, width=20), (784,), 10),
        (Digits(), Mlp(depth=2, width=20, normalization=BatchNorm(), bias=False), (784,), 10),
        (Adding(length=4), Recurrent(width=6), (4, 2), 1),
        (Adding(length=4), Recurrent(cell="lstm", width=6), (4, 2), 1),
        (Quadratic(dimension=7), PointModel(dimension=7), (7,), 7),
    ],
)
def test_parameters_are_counted_as_the_model_has_them(task, model, input_shape, num_outputs):
    module = build_model(model, input_shape=input_shape, num_outputs=num_outputs)
    own = sum(parameter.numel() for parameter in module.parameters())
    assert facts(Training(task=task, model=model, num_steps=1, batch_size=2)).num_parameters == own
    assert (task.input_shape, task.num_outputs) == (input_shape, num_outputs)


def test_a_resnet_20_makes_the_multiply_adds_of_the_literature():
    # 40.8 million a CIFAR-10 image with option-A shortcuts, of which 640 are the readout's.
    training = Training(task=Cifar10(), model=Resnet(n=3), num_steps=1, batch_size=128)
    assert facts(training).multiply_adds == pytest.approx(40.55e6, rel=0.001)
    assert flops_per_run_step(training) == 6 * 128 * facts(training).multiply_adds


def test_the_arithmetic_of_a_small_net_agrees_with_a_count_by_hand():
    parameters = 49 * 5 + 5 + 5 * 5 + 5 + 5 * 10 + 10
    work = workload(DENSE, (), num_runs=3, num_seeds=3)
    assert work.flops == (3 + 1) * 10 * 6 * 4 * parameters
    assert work.num_updates == 10


ROWS = {  # by hand: a row more than runs; three at least of convolutions, eight of compiled programs
    ("dense", "eager"): {1: 2, 2: 3, 5: 6, 9: 10},
    ("convolution", "eager"): {1: 3, 2: 3, 5: 6, 9: 10},
    ("dense", "compiled"): {1: 8, 2: 8, 5: 8, 9: 10},
    ("convolution", "compiled"): {1: 8, 2: 8, 5: 8, 9: 10},
}


@pytest.mark.parametrize(("kind", "mode"), ROWS)
def test_a_stack_has_a_row_more_than_runs_and_never_so_few_that_other_loops_take_them(kind, mode):
    training = {"dense": DENSE, "convolution": CONVOLUTION}[kind]
    for num_runs, rows in ROWS[kind, mode].items():
        assert num_rows(training, num_runs, is_compiled=mode == "compiled") == rows
    assert len(StackedProgram(stack_of(training, num_runs=2, mode=mode)).runs) == ROWS[kind, mode][2]


def test_a_program_whose_stacks_hold_few_runs_is_not_compiled():
    # Padded to eight, one run of this net would cost eight times its arithmetic.
    small = dataclasses.replace(DENSE, model=Mlp(depth=2, width=200), num_steps=1_000_000)
    large = dataclasses.replace(DENSE, model=Mlp(depth=2, width=4000), num_steps=1_000_000)
    assert (runs_per_stack(small, 8), runs_per_stack(large, 8)) == (8, 1)
    assert compiling_pays(small, 8)
    assert not compiling_pays(large, 8)


def test_a_run_that_fills_the_memory_has_no_neighbour_and_no_padding():
    large = dataclasses.replace(DENSE, model=Mlp(depth=2, width=4000))
    assert (trains_alone(large), trains_alone(DENSE)) == (True, False)
    assert runs_per_stack(large, 100) == 1
    assert num_rows(large, 1, is_compiled=False) == 1
    assert num_rows(DENSE, 1, is_compiled=False) == 2


def test_a_compiled_stack_is_expected_to_launch_less_and_to_compute_as_much():
    eager, compiled = (workload(DENSE, (), num_runs=9, num_seeds=9, mode=mode) for mode in ("eager", "compiled"))
    assert compiled.flops == eager.flops
    assert compiled.launches < eager.launches
    assert compiled.operations < eager.operations


def test_kernels_launch_for_every_run_and_move_less():
    eager, native, twice = (
        workload(DENSE, (), num_runs=num_runs, num_seeds=9, mode=mode)
        for mode, num_runs in (("eager", 9), ("native", 9), ("native", 18))
    )
    assert native.kind == "native"
    assert native.flops == eager.flops * 9 / 10  # no run pads the stack
    assert native.operations < eager.operations
    assert native.launches == 9 * eager.launches
    assert twice.launches == 2 * native.launches


def test_growing_batches_are_counted_and_made_as_by_hand():
    training = dataclasses.replace(DENSE, num_steps=100, batch_growth=((0.4, 5), (0.7, 10)))
    by_hand = {4: 40, 20: 6, 40: 3}  # 40 steps one at a time, 30 by five, 30 by ten
    assert update_sizes(training) == by_hand
    made = [size for _, size in StackedProgram(stack_of(training, num_runs=1)).updates]
    assert {size: made.count(size) for size in set(made)} == by_hand


def test_splits_have_the_sizes_that_the_task_gives_them():
    task = build_task(Digits(), dtype=torch.float32, device=torch.device("cpu"))
    sizes = tuple(task.evaluation(split, [0])[0].shape[1] for split in SPLITS)
    assert tuple(Digits().examples(split) for split in SPLITS) == sizes


def test_probes_cost_too():
    plain = workload(DENSE, (), num_runs=2, num_seeds=2)
    evaluated = workload(
        DENSE, (Evaluate(steps=Steps(count=10), splits=("test",), num_examples=500),), num_runs=2, num_seeds=2
    )
    sharp = workload(DENSE, (Sharpness(steps=Steps(at=(0,), last=False), num_iterations=3),), num_runs=2, num_seeds=2)
    parameters = facts(DENSE).num_parameters
    assert evaluated.flops - plain.flops == 3 * 11 * 500 * 2 * parameters
    assert sharp.flops - plain.flops == 3 * 2 * 3 * 6 * 3500 * parameters
    assert evaluated.launches > plain.launches


def test_longer_sequences_take_more_launches_and_more_memory():
    short, long = (
        workload(
            Training(task=Adding(length=length), model=Recurrent(width=8), num_steps=5, batch_size=4),
            (),
            num_runs=2,
            num_seeds=2,
        )
        for length in (20, 200)
    )
    assert long.launches > 5 * short.launches
    assert long.memory_bytes > 5 * short.memory_bytes
