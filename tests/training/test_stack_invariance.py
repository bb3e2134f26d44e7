"""A run's numbers depend on its own record only: not on neighbours, order or the size of the stack, bit for bit."""

import dataclasses

import numpy as np
import pytest
import torch

from seven_terms.planning.modes import compiler, has_kernels
from seven_terms.records.runs import Stack
from seven_terms.spec import replace_path
from seven_terms.training.program import StackedProgram

from .stacks import MLP, STACKED, make_run, make_runs, numbers

MODES = [("eager", name) for name in STACKED]
MODES += [("native", name) for name, training in STACKED.items() if has_kernels(training) and compiler()]
MODES += [("serial", name) for name in STACKED]


def runs_of(mode, program, number):
    return tuple(dataclasses.replace(run, mode=mode) for run in make_runs(STACKED[program], number))


@pytest.mark.parametrize(("mode", "program"), MODES)
def test_each_run_of_a_stack_equals_the_run_alone(mode, program):
    runs = runs_of(mode, program, 5)
    together = numbers(runs)
    for run in runs:
        np.testing.assert_array_equal(numbers((run,))[run.id], together[run.id])


@pytest.mark.parametrize(("mode", "program"), MODES)
def test_a_permuted_and_larger_stack_gives_the_same_numbers(mode, program):
    runs = runs_of(mode, program, 13)
    together, permuted = numbers(runs), numbers(tuple(reversed(runs[:6])))
    for run in runs[:6]:
        np.testing.assert_array_equal(permuted[run.id], together[run.id])


def test_a_run_gone_to_nan_changes_no_neighbour_and_is_marked():
    healthy = make_runs(MLP, 3)
    wild = make_run(replace_path(MLP, "model.activation", "sigmoid"), changes={"optimizer.learning_rate": 1e38})
    alone, together = numbers(healthy), numbers((healthy[0], wild, *healthy[1:]))
    assert np.isnan(together[wild.id]).any()
    for run in healthy:
        np.testing.assert_array_equal(together[run.id], alone[run.id])


def test_the_same_stack_twice_gives_the_same_bits():
    runs = make_runs(MLP, 3)
    first, second = numbers(runs), numbers(runs)
    for run in runs:
        np.testing.assert_array_equal(first[run.id], second[run.id])


def test_clipping_one_run_leaves_its_neighbour_alone():
    clipped = make_run(MLP, changes={"clipping.norm": 1e-3})
    free = make_run(MLP, changes={"optimizer.learning_rate": 0.4})
    together = numbers((clipped, free))
    np.testing.assert_array_equal(together[free.id], numbers((free,))[free.id])
    assert not np.array_equal(together[clipped.id], numbers((make_run(MLP),))[make_run(MLP).id])


@pytest.mark.parametrize(("mode", "program"), MODES)
def test_one_seed_in_the_stack_or_several_gives_the_same_numbers(mode, program):
    runs = runs_of(mode, program, 7)
    one_seed = tuple(run for run in runs if run.seed == runs[0].seed)
    together, apart = numbers(runs), numbers(one_seed)
    for run in one_seed:
        np.testing.assert_array_equal(apart[run.id], together[run.id])


SLOW_TO_COMPILE = [pytest.param(name, marks=pytest.mark.slow) for name in ("mlp", "odd", "cnn")]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # the compiler's own
@pytest.mark.skipif(not compiler(), reason="compiled stacks need a C++ compiler")
@pytest.mark.parametrize("program", ["batch_norm", *SLOW_TO_COMPILE])
def test_a_compiled_run_has_the_same_bits_alone_and_in_a_stack_and_agrees_with_eager_code(program):
    eager = make_runs(STACKED[program], 13)
    runs = tuple(dataclasses.replace(run, mode="compiled") for run in eager)
    large, alone = numbers(tuple(reversed(runs))), numbers((runs[4],))
    np.testing.assert_array_equal(alone[runs[4].id], large[runs[4].id])
    others = numbers(eager)
    for run, other in zip(runs, eager, strict=True):
        assert run.id != other.id
        # float32 by other orders of sums: the last bits, times what batch norm and the updates make of them
        np.testing.assert_allclose(large[run.id], others[other.id], rtol=2e-2, atol=1e-5)


@pytest.mark.skipif(not compiler(), reason="compiled stacks need a C++ compiler")
def test_examples_that_all_seeds_share_reach_every_run_of_a_compiled_stack():
    runs = tuple(dataclasses.replace(run, mode="compiled") for run in make_runs(MLP, 13))
    (spread,) = StackedProgram(Stack(experiment="test/one", runs=runs)).spread((torch.arange(6.0).view(1, 2, 3),))
    assert spread.is_contiguous()
    torch.testing.assert_close(spread, torch.arange(6.0).view(2, 3).expand(14, 2, 3))


def test_a_compiled_stack_says_what_is_missing_without_a_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    run = dataclasses.replace(make_run(MLP), mode="compiled")
    with pytest.raises(ValueError, match=r"a C\+\+ compiler must be present.*apt-get install"):
        numbers((run,))
