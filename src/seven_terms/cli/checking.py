"""`seven-terms check`: what is wrong with a folder of experiments, in seconds and without a training; standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..planning import plans_at
from ..spec import SCALES, Estimate, Experiment, WorstDeviation
from .experiments import experiments_of, place_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What was looked at, a line each; `faults` are those that must be mended."""

    faults: tuple[str, ...]
    lines: tuple[str, ...]


def faults(folder: Path) -> Found:
    """Import every experiment, plan it at each scale and say what is wrong: the first fault of an import, all of the rest."""
    try:
        experiments = experiments_of(folder)
    except Exception as error:
        fault = f"{place_of(error, folder)}: {error}"
        return Found(faults=(fault,), lines=(fault,))
    found = tuple(fault for experiment in experiments for fault in _of(experiment))
    claims = sum(len(experiment.claims) for experiment in experiments)
    number = f"{len(experiments)} experiment{'' if len(experiments) == 1 else 's'}"
    told = f"{number} with {claims} claim{'' if claims == 1 else 's'}: " + (
        f"{len(found)} to mend" if found else "all is well"
    )
    return Found(faults=found, lines=(*found, told))


def _of(experiment: Experiment) -> Iterator[str]:
    for scale in SCALES:
        try:
            plans_at((experiment,), scale)
        except ValueError as error:
            yield f"{experiment.path}, scale {scale}: {error}"
    sampled = [claim for claim in experiment.claims if not _is_exact(claim.estimate)]
    if not experiment.claims:
        yield f"{experiment.path}: it must claim something; write a Claim with its rule before the first run."
    if sampled and experiment.num_seeds > 1 and experiment.noise_floor_arm is None:
        yield f"{experiment.path}: it must measure its noise floor; name the A/A arm, `noise_floor=arm`."


def _is_exact(estimate: Estimate) -> bool:
    return isinstance(estimate, WorstDeviation) and not estimate.mean_over_seeds
