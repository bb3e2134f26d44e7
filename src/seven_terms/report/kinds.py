"""What a claim is about: an identity, a function in closed form, a network before training, or one that was trained.

The four are counted apart, because only the last kind is a finding about training.
"""

from __future__ import annotations

import math
from typing import Literal

from ..records.plans import Plan
from ..spec import (
    AnyTraining,
    Below,
    Claim,
    Experiment,
    LightningTraining,
    LinearMemory,
    NoisyQuadraticMoments,
    OneUnitRecurrence,
    PowerFunction,
    Quadratic,
    Within,
    WorstDeviation,
    selections_in,
)

Kind = Literal["identity", "closed form", "untrained", "trained"]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
KINDS_IN_WORDS = {
    "identity": "identities",
    "closed form": "functions in closed form",
    "untrained": "networks before training",
    "trained": "trained networks",
}
ROUNDING = 1e-3  # an identity is asked to hold to this, far below any effect of training
ROUNDING_OF_FUNCTIONS = 1e-8  # closed forms are approached, not met, unless asked for this
CLOSED_FORMS = (Quadratic, NoisyQuadraticMoments, PowerFunction, OneUnitRecurrence, LinearMemory)


def kind_of(experiment: Experiment, claim: Claim) -> Kind:
    """Return what a claim is about, from its estimate and from the trainings that it reads."""
    kinds = {kind_of_training(training) for training in trainings_of(experiment, claim)}
    is_network = kinds != {"closed form"}
    if _tolerance(claim) <= (ROUNDING if is_network else ROUNDING_OF_FUNCTIONS):
        return "identity"
    return next(kind for kind in reversed(KINDS) if kind in kinds)


def _tolerance(claim: Claim) -> float:
    """Return how far from exact a claim may be; infinite where it does not ask for exactness."""
    match claim.rule:
        case Below(threshold=threshold) if isinstance(claim.estimate, WorstDeviation):
            return threshold
        case Within(low=low, high=high):
            return (high - low) / 2 if low < 0 < high and high - low < ROUNDING_OF_FUNCTIONS else math.inf
    return math.inf


def kind_of_training(training: AnyTraining) -> Kind:
    """Return "closed form", "untrained" or "trained"."""
    if isinstance(training, LightningTraining):
        return "trained"
    if isinstance(training.task, CLOSED_FORMS):
        return "closed form"
    return "untrained" if training.num_steps == 0 else "trained"


def trainings_of(experiment: Experiment, claim: Claim) -> list[AnyTraining]:
    """Return the training of each arm that a claim's estimate names."""
    named = {selected.arm for selected in selections_in(claim.estimate)}
    return [arm.training for arm in experiment.arms if arm.name in named] or [arm.training for arm in experiment.arms]


def num_seeds(plan: Plan, claim: Claim) -> int:
    """Return how many independent seeds stand behind a claim, the most of any arm that it reads."""
    named = {selected.arm for selected in selections_in(claim.estimate)}
    by_arm: dict[str, set[int]] = {}
    for run in plan.every_run:
        if run.arm in named:
            by_arm.setdefault(run.arm, set()).add(run.seed)
    return max((len(seeds) for seeds in by_arm.values()), default=0)
