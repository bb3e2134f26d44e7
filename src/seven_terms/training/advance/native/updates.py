"""Many updates of every run of a stack through the kernels, one run after the other.

A run's parameters, state and statistics stay inside the caches of one core while it makes its updates up to the next
probe; a stack only shares batches. So a run's numbers cannot depend on its neighbours.
"""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ....optimizers import Tensors
from ....spec import BatchNorm, Mlp, Recurrent
from ....tasks.losses import classification_metrics, half_squared_error_metrics
from ..eager import noise
from ..measured import metrics_of_outputs
from ..protocol import StackParts
from .border import NUM_MEASURED, STRUCTS, Call, succeeded
from .fields import parameter_names, program_fields, rule_fields
from .library import kernels
from .tensors import Pointers, places, pointers

VALUES_OF_BATCHES = 1 << 20  # of one seed, held at once: 4 or 8 MB, so that its runs find them in a cache
VALUES_AT_ONCE = 1 << 21  # of all seeds, where they are drawn together
FEWEST_EVALUATED, MOST_EVALUATED = 12, 96  # examples at once: a product of few rows reads its matrix for each of them
STATES_EVALUATED = 1 << 18  # units times steps of so many examples, at most: they stay in the caches
GRADED = (classification_metrics, half_squared_error_metrics)  # by the kernels, as the task's own loss is theirs
MEASURED = ("batch_loss", "gradient_norm", "clipped_gradient_norm", "update_norm")  # in the order of rules.h
STATISTICS = ("running_mean", "running_var")
# Of SGD with momentum, of Adam, and without a schedule.
STATES = (("velocity",), ("mean", "square"), ("average", "ahead"))
RULE_STATES = ("first_state", "second_state")  # in `Call`
NOISE_SHIFT, NOISE_GAIN = 0.5, 0.25  # those of `models.normalization`


class Networks:
    """The kernels at work on the tensors of a stack, which change in place."""

    def __init__(self, parts: StackParts) -> None:
        self.parts = parts
        is_simple = isinstance(parts.training.model, Mlp | Recurrent)
        self.library = kernels(parts.training.precision, "networks" if is_simple else "images")
        self.structs = STRUCTS[parts.training.precision]
        _require_known_tensors(parts)
        self.programs = {size: self.structs.program(**program_fields(parts, batch=size)) for size in set(self._sizes())}
        self.evaluating = self.structs.program(**program_fields(parts, batch=_evaluated_at_once(parts)))
        self.rules = [self.structs.rule(**rule_fields(run.training)) for run in parts.runs[: parts.num_runs]]
        self.places: tuple[int, ...] = ()
        self.states: list[dict[str, Pointers]] = []
        seed_of_run = parts.batches.seed_index_R.tolist()[: parts.num_runs]
        self.runs_of_seed = [
            [run for run, of_run in enumerate(seed_of_run) if of_run == index]
            for index in range(len(parts.batches.seeds))
        ]

    def advance(self, first: int, stop: int) -> Tensors:
        """Return each name of MEASURED as [U, R], zero for the run that pads the stack."""
        updates = self.parts.batches.updates
        assert 0 <= first < stop <= len(updates), (first, stop)  # the kernels would read on behind the rates
        measured_RUN = torch.zeros(len(self.parts.runs), stop - first, NUM_MEASURED, dtype=self.parts.dtype)
        rate_RU = self.parts.rules.rate_UR[first:stop].T.contiguous()
        noise_SULD = self._noise(first, stop)
        states, rates, measured = self._states(), places(rate_RU), places(measured_RUN)
        for begin, end in self._parts(first, stop):
            of_call, done = slice(begin - first, end - first), begin - first
            program = self.programs[self._sizes(begin, end)[0]]
            for index, shared in self._batches(begin, end):
                if noise_SULD is not None:
                    shared["noise"] = noise_SULD[index, of_call]
                assert all(tensor.dtype in (self.parts.dtype, torch.int64) for tensor in shared.values())
                call = Call(
                    **{name: tensor.data_ptr() for name, tensor in shared.items()},
                    first_update=begin,
                    num_updates=end - begin,
                    distance=int(self.parts.batches.updates[begin][1] is not None),
                )
                for run in self.runs_of_seed[index]:
                    call.rates = rates[run] + done * rate_RU.element_size()
                    call.measured = measured[run] + done * NUM_MEASURED * measured_RUN.element_size()
                    self._advance(run, program, call, states[run])
        return {name: measured_RUN[..., index].T.contiguous() for index, name in enumerate(MEASURED)}

    def outputs(self, parameters: Tensors, inputs: Tensor, *, shared: bool) -> Tensor:
        """Kernels evaluate in evaluation mode; what else is asked for is left to PyTorch."""
        parts = self.parts
        if parts.network.module.training:
            buffers = {name: buffer.clone() for name, buffer in parts.state.buffers.items()}
            return parts.network.outputs(parameters, buffers, inputs, shared=shared)
        inputs = inputs.contiguous()
        number = inputs.shape[0 if shared else 1]
        steps = inputs.shape[-2:-1] if self.evaluating.read_all else ()
        outputs = torch.zeros(len(parts.runs), number, *steps, parts.batches.task.num_outputs, dtype=parts.dtype)
        seen = [inputs.data_ptr()] * parts.num_runs if shared else places(inputs)
        assert inputs.dtype == parts.dtype, inputs.dtype
        self._each_run(self.library.seven_terms_evaluate, parameters, number, seen, places(outputs))
        return outputs

    def metrics(self, parameters: Tensors, examples: tuple[Tensor, ...]) -> Tensors:
        """Kernels grade the outputs of classifiers; the rest follows from outputs as everywhere."""
        parts, task = self.parts, self.parts.batches.task
        by_batch = parts.network.module.training and self._has_batch_norm()
        if task.metrics not in GRADED or (by_batch and not self._grades_by_batch()):
            return metrics_of_outputs(parts, self.outputs, parameters, examples)
        inputs, labels = (tensor if tensor[0].is_contiguous() else tensor.contiguous() for tensor in examples)
        assert (inputs.dtype, labels.dtype) == (parts.dtype, torch.int64), (inputs.dtype, labels.dtype)
        seed_of_run = parts.batches.seed_of_row if len(inputs) > 1 else [0] * parts.num_runs
        seen, known = ([where[seed] for seed in seed_of_run] for where in (places(inputs), places(labels)))
        found_R2 = torch.full((len(parts.runs), 2), torch.nan, dtype=torch.float64)
        grade = self.library.seven_terms_grade
        self._each_run(grade, parameters, inputs.shape[1], seen, known, places(found_R2), by_batch=by_batch)
        loss_R, accuracy_R = found_R2.unbind(1)
        return {"loss": loss_R, "accuracy": accuracy_R, "error": 1 - accuracy_R}

    def _has_batch_norm(self) -> bool:
        return isinstance(getattr(self.parts.training.model, "normalization", None), BatchNorm)

    def _grades_by_batch(self) -> bool:
        """Return whether the kernels know the network in training mode, on a batch of any size, without noise."""
        return isinstance(self.parts.training.model, Mlp) and not any(
            name.endswith("noise") for name in self.parts.state.buffers
        )

    def _each_run(
        self, kernel: Any, parameters: Tensors, number: int, *of_runs: Sequence[int], by_batch: bool = False
    ) -> None:
        """Call a kernel of evaluation for every run, with `number` examples and where its own numbers lie."""
        parts, tensors, statistics = self.parts, list(parameters.values()), self._statistics()
        own = parameters is parts.state.parameters and self._states()
        program = self.structs.program(**program_fields(parts, batch=number)) if by_batch else self.evaluating
        for run, where in zip(range(parts.num_runs), zip(*of_runs, strict=False), strict=False):
            of_network = own[run]["parameters"] if own else pointers(tensors, run, parts.dtype)
            of_statistics = None if by_batch else pointers(statistics, run, parts.dtype)
            succeeded(kernel(ctypes.byref(program), number, of_network, of_statistics, *where))

    def _sizes(self, first: int = 0, stop: int | None = None) -> list[int]:
        """Return the examples of every update from `first` on."""
        whole = self.parts.batches.task.num_examples
        return [size or whole or 0 for _, size in self.parts.batches.updates[first:stop]]

    def _parts(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of updates whose batches have one size and do not take too much memory."""
        sizes = self._sizes(first, stop)
        values = math.prod(self.parts.batches.task.input_shape)
        for size, group in itertools.groupby(sizes):
            end = first + len(list(group))
            most = max(VALUES_OF_BATCHES // (size * values), 1)
            for begin in range(first, end, most):
                yield begin, min(begin + most, end)
            first = end

    def _batches(self, first: int, stop: int) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """Yield each seed's index and what its updates see: inputs [U * B, ...], labels or targets, perhaps weights.

        Of whole splits that is [B, ...]. Little is drawn for all seeds at once, because what draws works in blocks; much for
        one after the other.
        """
        batches, (step, size) = self.parts.batches, self.parts.batches.updates[first]
        # Batches follow each other in the stream of examples, so those of several updates are one long batch.
        position, number = step * (batches.base_size or 1), size and size * (stop - first)
        values = math.prod(batches.task.input_shape) * (number or 0)
        at_once = len(batches.seeds) if values * len(batches.seeds) <= VALUES_AT_ONCE else 1
        for begin in range(0, len(batches.seeds), at_once):
            seeds = batches.seeds[begin : begin + at_once]
            taken = [tensor.contiguous() for tensor in batches.task.batches(seeds, position, number)]
            for place in range(len(seeds)):
                inputs, labels, *more = (tensor[place if len(tensor) > 1 else 0] for tensor in taken)
                known = {"inputs": inputs, "labels" if labels.dtype == torch.int64 else "targets": labels}
                yield begin + place, known | dict(zip(("weights",), more, strict=False))

    def _noise(self, first: int, stop: int) -> Tensor | None:
        """Return the noise of noisy batch norm as stretch and shift, [S, U, layers, 2, H]; the last stays in the buffers."""
        state, batches = self.parts.state, self.parts.batches
        names = {name: number for number, name in enumerate(state.buffers) if name.endswith("noise")}
        if not names:
            return None
        shape = state.buffers[next(iter(names))].shape[1:]
        drawn = [
            [
                noise(batches.seeds, shape, step * len(state.buffers) + number).to(self.parts.dtype)
                for number in names.values()
            ]
            for step, _ in batches.updates[first:stop]
        ]
        for name, last_S in zip(names, drawn[-1], strict=True):
            state.buffers[name] = batches.spread((last_S,))[0]
        shift, gain = torch.special.ndtr(torch.stack([torch.stack(each, 1) for each in drawn], 1)).unbind(3)
        return torch.stack([1.0 + NOISE_GAIN * gain, NOISE_SHIFT * (2.0 * shift - 1.0)], 3).contiguous()

    def _advance(self, run: int, program: Any, call: Call, states: dict[str, Pointers]) -> None:
        for name, places_of_run in states.items():
            setattr(call, name, ctypes.addressof(places_of_run))
        succeeded(
            self.library.seven_terms_advance(ctypes.byref(program), ctypes.byref(self.rules[run]), ctypes.byref(call))
        )

    def _states(self) -> list[dict[str, Pointers]]:
        """Return, for each run, where its tensors lie, by their names in `Call`; kept until a tensor lies elsewhere."""
        state = self.parts.state
        groups = {"parameters": list(state.parameters.values()), "statistics": self._statistics()}
        groups |= {
            name: list(of_rule.values()) for name, of_rule in zip(RULE_STATES, state.of_rule.values(), strict=False)
        }
        places = tuple(tensor.data_ptr() for tensors in groups.values() for tensor in tensors)
        if places != self.places:
            self.places = places
            self.states = [
                {name: pointers(tensors, run, self.parts.dtype) for name, tensors in groups.items()}
                for run in range(self.parts.num_runs)
            ]
        return self.states

    def _statistics(self) -> list[Tensor]:
        return [buffer for name, buffer in self.parts.state.buffers.items() if name.endswith(STATISTICS)]


def _evaluated_at_once(parts: StackParts) -> int:
    """Return how many examples a kernel evaluates at once; images and tokens in small parts."""
    model = parts.training.model
    if not isinstance(model, Mlp | Recurrent):
        return FEWEST_EVALUATED
    units = model.width * (parts.batches.task.input_shape[0] if isinstance(model, Recurrent) else 1)
    return min(max(STATES_EVALUATED // units, FEWEST_EVALUATED), MOST_EVALUATED)


def _require_known_tensors(parts: StackParts) -> None:
    state, model = parts.state, parts.training.model
    assert list(state.parameters) == parameter_names(model), list(state.parameters)
    running = [name.rsplit(".", 1)[-1] for name in state.buffers if not name.endswith("noise")]
    assert running == list(STATISTICS) * (len(running) // 2), running
    assert tuple(state.of_rule) in ((), *STATES), list(state.of_rule)
