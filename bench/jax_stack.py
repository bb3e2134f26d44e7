"""Runs in JAX: one compiled call for many updates, in a loop over updates inside it, with the state's memory given back.

Form `vmap` advances all runs together, as ours does; form `map` makes the updates of one run after the other inside the same
call, which keeps a small network in the caches. Examples are in memory before the clock starts; only gathering them counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from seven_terms.spec import Training

from .jax_losses import loss_of
from .jax_networks import from_torch, network
from .jax_rules import Memory, clipped, memory_of, updated
from .job import Job, Outcome, Pause

Arrays = dict[str, Array]
Examples = tuple[Array, ...]
Draw = Callable[[Array], Array]  # from a key


class State(NamedTuple):
    """Of one run, or of R runs: parameters, running statistics, what the rule remembers, and the last batch's loss."""

    parameters: Arrays
    buffers: Arrays
    memory: Memory
    loss: Array


class Streams:
    """What updates read: `of_updates` [updates, ...] is cut along its first axis, `fixed` lies in memory for all of them."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        examples = [jnp.array(arrays[name]) for name in sorted(arrays) if name.startswith("examples/")]
        self.num_stored = examples[0].shape[1] if examples else 0
        self.is_shared = bool(examples) and len(examples[0]) == 1
        self.fixed = tuple(one.reshape(-1, *one.shape[2:]) for one in examples)
        self.of_updates = {
            name: jnp.array(value)
            for name, value in arrays.items()
            if name in ("order", "factors") or name.startswith(("stream/", "noise/"))
        }

    def batch(self, fixed: Examples, now: Arrays, seed: Array) -> Examples:
        """Return the batch of one run of a seed's index."""
        first = 0 if self.is_shared else self.num_stored * seed
        if "order" in now:
            return tuple(one[first + now["order"][seed]] for one in fixed)
        if fixed:
            return tuple(lax.dynamic_slice_in_dim(one, first, self.num_stored) for one in fixed)
        return tuple(now[name][seed] for name in sorted(now) if name.startswith("stream/"))

    def noise(self, now: Arrays, seed: Array) -> Arrays:
        return {name.removeprefix("noise/"): values[seed] for name, values in now.items() if name.startswith("noise/")}


class JaxRuns:
    """R runs of one training, compiled for one form; `advance(first, stop)` makes updates of the arrays that it was given."""

    def __init__(
        self,
        training: Training,
        arrays: Mapping[str, np.ndarray],
        *,
        seed_R: Sequence[int],
        rates: Sequence[float],
        form: str,
        draw: Draw | None = None,
    ) -> None:
        """`draw` takes the place of fresh examples in memory: they are then other ones than ours."""
        self.num_seeds, self.draw = max(seed_R) + 1, draw
        self.training, self.streams, self.num_updates = training, Streams(arrays), len(arrays["factors"])
        self.trained = set(arrays["trained"].tolist()) if "trained" in arrays else None
        self.seed_R, self.rate_R = jnp.array(seed_R), jnp.array(rates, _dtype(training))
        self.state = self._initial(arrays, np.array(seed_R))
        advance = {"vmap": self._together, "map": self._run_by_run}[form]
        few = jnp.int32(0)
        given = (self.state, self.streams.of_updates, self.streams.fixed, few, few)
        self.compiled = jax.jit(advance, donate_argnums=0).lower(*given).compile()

    def advance(self, first: int, stop: int) -> None:
        given = (self.streams.of_updates, self.streams.fixed, jnp.int32(first), jnp.int32(stop))
        self.state = jax.block_until_ready(self.compiled(self.state, *given))

    def losses(self) -> np.ndarray:
        """Return the loss [R] of every run on the first update's batch."""
        now = jax.tree.map(lambda values: values[0], self.streams.of_updates)
        loss = self._loss()
        parameters, buffers = self.state.parameters, self.state.buffers
        return np.array(
            jax.vmap(lambda w, kept, seed: loss(w, kept, *self.streams.batch(self.streams.fixed, now, seed))[0])(
                parameters, buffers, self.seed_R
            )
        )

    def _initial(self, arrays: Mapping[str, np.ndarray], seed_R: np.ndarray) -> State:
        parameters = {name: jnp.array(from_torch(name, value)[seed_R]) for name, value in _named("parameters/", arrays)}
        buffers = {name: jnp.array(value[seed_R]) for name, value in _named("buffers/", arrays)}
        memory = memory_of(self.training.optimizer, self._trained(parameters))
        return State(parameters, buffers, memory, jnp.zeros(len(seed_R), _dtype(self.training)))

    def _trained(self, parameters: Arrays) -> Arrays:
        return {name: w for name, w in parameters.items() if self.trained is None or name in self.trained}

    def _loss(self) -> Callable[..., tuple[Array, Arrays]]:
        outputs_of, loss_on = network(self.training), loss_of(self.training.task)

        def loss(parameters: Arrays, buffers: Arrays, *batch: Array) -> tuple[Array, Arrays]:
            moved: Arrays = {}
            outputs = outputs_of(parameters, buffers, moved, batch[0])
            return loss_on(outputs, *batch), moved

        return loss

    def _update(self) -> Callable[..., State]:
        """Return (state, rate, noise, batch, number) -> state: one update of one run."""
        loss_on, training = self._loss(), self.training

        def update(state: State, rate: Array, noise: Arrays, batch: Examples, number: Array) -> State:
            w, buffers = self._trained(state.parameters), state.buffers | noise

            def loss(w: Arrays) -> tuple[Array, Arrays]:
                return loss_on(state.parameters | w, buffers, *batch)

            (value, moved), g = jax.value_and_grad(loss, has_aux=True)(w)
            w, memory = updated(training.optimizer, rate, number, w, clipped(training.clipping, w, g), state.memory)
            return State(state.parameters | w, buffers | moved, memory, value)

        return update

    def _step(self, fixed: Examples) -> Callable[..., State]:
        one, streams = self._update(), self.streams

        def step(state: State, now: Arrays, number: Array, rate: Array, seed: Array) -> State:
            batch, noise = streams.batch(fixed, now, seed), streams.noise(now, seed)
            return one(state, rate * now["factors"], noise, batch, number)

        return step

    def _drawn(self, seed_S: Array, number: Array) -> Arrays:
        """Return what takes the place of the arrays of fresh examples, [S, ...].

        Loops carry it from the update before: XLA would draw it again for every run where it stands beside its use.
        """
        if self.draw is None:
            return {}
        of_update = jax.random.fold_in(jax.random.key(0), number)
        return {"stream/0": jax.vmap(lambda seed: self.draw(jax.random.fold_in(of_update, seed)))(seed_S)}

    def _together(self, state: State, of_updates: Arrays, fixed: Examples, first: Array, stop: Array) -> State:
        step, seed_S = jax.vmap(self._step(fixed), in_axes=(0, None, None, 0, 0)), jnp.arange(self.num_seeds)

        def at(number: Array, carried: tuple[State, Arrays]) -> tuple[State, Arrays]:
            state, drawn = carried
            state = step(state, _cut(of_updates, number) | drawn, number, self.rate_R, self.seed_R)
            return state, self._drawn(seed_S, number + 1)

        return lax.fori_loop(first, stop, at, (state, self._drawn(seed_S, first)))[0]

    def _run_by_run(self, state: State, of_updates: Arrays, fixed: Examples, first: Array, stop: Array) -> State:
        step = self._step(fixed)

        def alone(arguments: tuple[State, Array, Array]) -> State:
            state, rate, seed = arguments
            place = seed if self.draw is None else jnp.zeros_like(seed)

            def at(number: Array, carried: tuple[State, Arrays]) -> tuple[State, Arrays]:
                state, drawn = carried
                state = step(state, _cut(of_updates, number) | drawn, number, rate, place)
                return state, self._drawn(seed[None], number + 1)

            return lax.fori_loop(first, stop, at, (state, self._drawn(seed[None], first)))[0]

        return lax.map(alone, (state, self.rate_R, self.seed_R))


def _cut(of_updates: Arrays, number: Array) -> Arrays:
    return {name: lax.dynamic_index_in_dim(values, number, keepdims=False) for name, values in of_updates.items()}


def _named(prefix: str, arrays: Mapping[str, np.ndarray]) -> list[tuple[str, np.ndarray]]:
    return [(name.removeprefix(prefix), value) for name, value in arrays.items() if name.startswith(prefix)]


def _dtype(training: Training) -> Any:
    return {"float32": jnp.float32, "float64": jnp.float64}[training.precision]


def run(job: Job, pause: Pause, mode: str) -> Outcome:
    with np.load(job.data_path) as file:
        arrays = dict(file)
    chosen = job.stack.runs
    seeds = sorted({run.seed for run in chosen})
    rates = [run.training.optimizer.learning_rate for run in chosen]
    seed_R = [seeds.index(run.seed) for run in chosen]
    runs = JaxRuns(job.training, arrays, seed_R=seed_R, rates=rates, form=mode)
    start = {name: np.array(value) for name, value in runs.state.parameters.items()}
    for first in range(0, job.num_steps, job.chunk):
        runs.advance(first, min(first + job.chunk, job.num_steps))
        pause()
    moved = [(np.array(runs.state.parameters[name]) - w).reshape(len(w), -1) for name, w in start.items()]
    distance_R = np.linalg.norm(np.concatenate(moved, 1), axis=1)
    return Outcome(losses=runs.losses().tolist(), distances=distance_R.tolist())
