"""Which experiments are planned at a scale, and their plans.

Standard library only, so that the Snakefile and each cluster job parse in well under a second.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ..records.plans import Plan
from ..spec import SCALES, Experiment, Scale, require
from .modes import Compiling
from .stacks import stacks_of


def make_plan(experiment: Experiment, *, scale: Scale, base_seed: int = 0, compiling: Compiling = "never") -> Plan:
    """Return the plan of an experiment (already at its scale)."""
    stacks = {stack.id: stack for stack in stacks_of(experiment, base_seed=base_seed, compiling=compiling)}
    return Plan(scale=scale, base_seed=base_seed, experiment=experiment, stacks=stacks)


def plans_at(
    experiments: Iterable[Experiment],
    scale: Scale,
    *,
    base_seed: int = 0,
    compiling: Compiling = "auto",
    only: str = "",
) -> dict[str, Plan]:
    """Return the plan of every experiment that runs at a scale, by "<term>/<name>", in the paper's order.

    `only` limits them to a selection (see `selected`), `compiling` says which modes runs may have (see `modes`).
    """
    options = {"scale": scale, "base_seed": base_seed, "compiling": compiling}
    return {
        experiment.path: make_plan(experiment, **options)
        for experiment in at_scale(selected(experiments, scale, only=only), scale)
    }


def at_scale(experiments: Iterable[Experiment], scale: Scale) -> tuple[Experiment, ...]:
    """Return the experiments that run at a scale, changed for it."""
    return tuple(experiment.at_scale(scale) for experiment in experiments if experiment.runs_at(scale))


def selected(experiments: Iterable[Experiment], scale: Scale, *, only: str) -> tuple[Experiment, ...]:
    """Return the experiments of a selection: names "<term>/<name>", or a term for all of its; without names all of them.

    ValueError for a name that none of the scale's experiments has.
    """
    experiments = tuple(experiments)
    running = [experiment for experiment in experiments if experiment.runs_at(scale)]
    names, known = only.split(), {name for experiment in running for name in (experiment.term, experiment.path)}
    for name in names:
        elsewhere = {
            one for other in experiments if name in (other.term, other.path) for one in SCALES if other.runs_at(one)
        }
        close = difflib.get_close_matches(name, sorted(known), n=1)
        near = f"try {close[0]!r}" if close else "take the name of a file in experiments/, e.g. batch_norm/parts"
        require(
            name in known,
            what="selection of experiments",
            must=f"each name must be a term or <term>/<name> of an experiment that runs at scale {scale!r}",
            got=name,
            do=f"take scale {' or '.join(one for one in SCALES if one in elsewhere)}" if elsewhere else near,
        )
    return tuple(one for one in running if not names or one.term in names or one.path in names)
