"""All runs in JAX: one compiled call a chunk, `lax.scan` over steps.

Mode `vmap` advances all runs together, as ours does; mode `map` scans the steps of one run after the other inside the same
call, which keeps a small network in the caches. Examples are in memory before the clock starts; only gathering them counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .jax_networks import from_torch, initial_statistics, network
from .job import Job, Outcome, Pause

CLIP_EPS = 1e-6  # as in torch.nn.utils.clip_grad_norm_
PREFIX = "parameters/"
State = tuple[dict[str, Array], dict[str, Array], dict[str, Array]]  # parameters, velocity, statistics
Examples = tuple[Array, Array]


def run(job: Job, pause: Pause, mode: str) -> Outcome:
    with np.load(job.data_path) as file:
        data = dict(file)
    runs = job.stack.runs
    seeds = sorted({run.seed for run in runs})
    seed_R = np.array([seeds.index(run.seed) for run in runs])
    rate_R = jnp.array([run.training.optimizer.learning_rate for run in runs], jnp.float32)
    drawn = {
        name.removeprefix(PREFIX): from_torch(name, value) for name, value in data.items() if name.startswith(PREFIX)
    }
    parameters = {name: jnp.array(value[seed_R]) for name, value in drawn.items()}
    initial = {name: np.array(value) for name, value in parameters.items()}
    velocity = {name: jnp.zeros_like(w) for name, w in parameters.items()} if _momentum(job) else {}
    state: State = (parameters, velocity, initial_statistics(job.training, len(runs)))
    steps, pick = _examples(job, data)
    advance = _advance(job, mode, pick=pick, rate_R=rate_R, seed_R=jnp.array(seed_R))
    compiled = jax.jit(advance, donate_argnums=0).lower(state, steps[0]).compile()
    for chunk in steps:
        state = jax.block_until_ready(compiled(state, chunk))
        pause()
    return _outcome(job, state, initial, batch_R=_first_batch(steps[0], pick, seed_R))


def _momentum(job: Job) -> float:
    return job.training.optimizer.momentum


def _examples(job: Job, data: dict[str, np.ndarray]) -> tuple[list[Any], Callable[[Any, Array], Examples]]:
    """Return the arrays of each chunk, and (arrays of a step, seed index) -> (inputs, labels) of one run."""
    stored = "order" in data
    streams = (data["order"],) if stored else (data["inputs"], data["labels"])
    firsts = range(0, job.num_steps, job.chunk)
    chunks = [tuple(jnp.array(stream[first : first + job.chunk]) for stream in streams) for first in firsts]
    if not stored:
        return chunks, lambda step, seed: (step[0][seed], step[1][seed])
    inputs, labels = jnp.array(data["inputs"]), jnp.array(data["labels"])
    return chunks, lambda step, seed: (inputs[step[0][seed]], labels[step[0][seed]])


def _advance(
    job: Job, mode: str, *, pick: Callable[[Any, Array], Examples], rate_R: Array, seed_R: Array
) -> Callable[[State, Any], State]:
    one = _update(job)

    def together(state: State, chunk: Any) -> State:
        def step(state: State, now: Any) -> tuple[State, None]:
            return jax.vmap(lambda state, rate, seed: one(state, rate, *pick(now, seed)))(state, rate_R, seed_R), None

        return lax.scan(step, state, chunk)[0]

    def run_by_run(state: State, chunk: Any) -> State:
        def alone(arguments: tuple[State, Array, Array]) -> State:
            state, rate, seed = arguments
            return lax.scan(lambda state, now: (one(state, rate, *pick(now, seed)), None), state, chunk)[0]

        return lax.map(alone, (state, rate_R, seed_R))

    return {"vmap": together, "map": run_by_run}[mode]


def _update(job: Job) -> Callable[[State, Array, Array, Array], State]:
    """Return (state, rate, inputs, labels) -> state: one update of one run, clipped and with momentum where asked."""
    slope = jax.grad(network(job.training), has_aux=True)
    momentum, clip_norm = _momentum(job), job.training.clipping.norm

    def update(state: State, rate: Array, inputs: Array, labels: Array) -> State:
        parameters, velocity, statistics = state
        gradients, statistics = slope(parameters, statistics, inputs, labels)
        if clip_norm < math.inf:
            norm = jnp.sqrt(sum(jnp.vdot(g, g) for g in gradients.values()))
            factor = jnp.minimum(clip_norm / (norm + CLIP_EPS), 1.0)
            gradients = {name: factor * g for name, g in gradients.items()}
        if momentum:
            velocity = {name: momentum * velocity[name] + g for name, g in gradients.items()}
        direction = velocity if momentum else gradients
        return {name: w - rate * direction[name] for name, w in parameters.items()}, velocity, statistics

    return update


def _first_batch(chunk: Any, pick: Callable[[Any, Array], Examples], seed_R: np.ndarray) -> Examples:
    first = jax.tree.map(lambda stream: stream[0], chunk)
    return jax.vmap(lambda seed: pick(first, seed))(jnp.array(seed_R))


def _outcome(job: Job, state: State, initial: dict[str, np.ndarray], *, batch_R: Examples) -> Outcome:
    parameters, _, statistics = state
    loss_R, _ = jax.vmap(network(job.training))(parameters, statistics, *batch_R)
    moved = [(np.array(parameters[name]) - start).reshape(len(loss_R), -1) for name, start in initial.items()]
    distance_R = np.linalg.norm(np.concatenate(moved, 1), axis=1)
    return Outcome(losses=np.array(loss_R).tolist(), distances=distance_R.tolist())
