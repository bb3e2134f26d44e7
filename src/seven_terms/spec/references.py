"""What an experiment refers to must exist: arms, swept settings and their values, metrics and their indices, theories, scales.

All of it stands in the value itself, so it is checked when the experiment is made, for every scale at which it runs.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .checks import nearest, require, require_known, require_unique
from .estimates import Estimate, WorstDeviation
from .figures import Curve, Heatmap, Reference, SweepCurve
from .fits import check_probe
from .lightning import LightningTraining
from .measures import At, AtBest, Best, Last, LogSlope, Over, Setting, StepsTo
from .metrics import Metric, metrics_of, recorded
from .paths import replace_paths
from .selections import Ranked, Selected
from .theories import THEORIES

if TYPE_CHECKING:
    from .experiment import AnyTraining, Arm, Experiment

MOST_RUNS = 100_000
NOISE = "_again"  # the name of the A/A arm ends so


def check_references(experiment: Experiment) -> None:
    """Raise a ValueError for the first thing that an experiment, already at its scale, refers to and does not have."""
    _check_arms(experiment)
    _check_number_of_runs(experiment)
    known = Known(experiment)
    _check_noise_floor(experiment, known)
    _check_probes(experiment, known)
    for claim in experiment.claims:
        _check_parts(claim, known, what=f"claim {claim.key!r}")
    for figure in experiment.figures:
        for number, panel in enumerate(figure.panels):
            _check_parts(panel, known, what=f"figure {figure.name!r}, panel {number}")
    _check_selection(experiment, known)


class Known:
    """What there is in an experiment: read once, asked for each reference."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.what = f"experiment {experiment.name!r}"
        arms = {arm.name: arm for arm in experiment.arms}
        if experiment.noise_floor_arm in arms:
            arms[f"{experiment.noise_floor_arm}{NOISE}"] = arms[experiment.noise_floor_arm]
        self.arms: Mapping[str, Arm] = arms
        self.sweeps = {name: _by_short_name({**experiment.sweep, **arm.sweep}) for name, arm in arms.items()}
        self.trainings = {name: tuple(_trainings(experiment, arm)) for name, arm in arms.items()}
        each = itertools.chain.from_iterable(self.trainings.values())
        different = {_measured_alike(one): one for one in each}
        metrics: dict[str, list[Metric]] = {}
        for one in different.values():
            for name, metric in recorded(experiment, one).items():
                metrics.setdefault(name, []).append(metric)
        self.metrics: Mapping[str, list[Metric]] = metrics

    def would_be_recorded(self, metric: str) -> bool:
        """Return whether a training without updates would have this metric with one."""
        still = [
            one for one in itertools.chain.from_iterable(self.trainings.values()) if getattr(one, "num_steps", 1) == 0
        ]
        return any(metric in recorded(self.experiment, dataclasses.replace(one, num_steps=1)) for one in still)

    def require(self, condition: bool, must: str, got: object, *, what: str, among: Iterable[str] = ()) -> None:
        close = nearest(got, among) if not condition else None
        require(condition, what=f"{self.what}, {what}", must=must, got=got, do=f"try {close!r}" if close else "")


def _measured_alike(training: AnyTraining) -> object:
    """Return what trainings share that record the same metrics."""
    if isinstance(training, LightningTraining):
        return training.metrics
    return training.task, training.model, type(training.optimizer), training.num_steps == 0


def _by_short_name(sweep: Mapping[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {path.rsplit(".", 1)[-1]: values for path, values in sweep.items()}


def _trainings(experiment: Experiment, arm: Arm) -> Iterator[AnyTraining]:
    """Yield the arm's training with each swept value in turn, the others at their first: all that one value can do wrong."""
    sweep = {**experiment.sweep, **arm.sweep}
    first = replace_paths(arm.training, {path: values[0] for path, values in sweep.items()})
    yield first
    for path, values in sweep.items():
        yield from (replace_paths(first, {path: value}) for value in values[1:])


def _check_arms(experiment: Experiment) -> None:
    what, again = f"experiment {experiment.name!r}", f"{experiment.noise_floor_arm}{NOISE}"
    names = [arm.name for arm in experiment.arms]
    must, do = f"no arm may have the name of the A/A arm, {again!r}", "rename it"
    require(again not in names or experiment.noise_floor_arm is None, what=what, must=must, got=again, do=do)
    for arm in experiment.arms:
        sweep = {**experiment.sweep, **arm.sweep}
        require_unique(f"{what}, arm {arm.name!r}", "last parts of sweep paths", [p.rsplit(".", 1)[-1] for p in sweep])
        for path, value in arm.seeds_at.items():
            must = f"seeds_at must name a value that is swept over, at a path of the sweep, one of {sweep}"
            require(value in sweep.get(path, ()), what=f"{what}, arm {arm.name!r}", must=must, got={path: value})


def _check_number_of_runs(experiment: Experiment) -> None:
    number = sum(_number_of_runs(experiment, arm) for arm in experiment.arms)
    must = f"arms x settings x seeds must be at most {MOST_RUNS:,} runs"
    require(number <= MOST_RUNS, what=f"experiment {experiment.name!r}", must=must, got=number)


def _number_of_runs(experiment: Experiment, arm: Arm) -> int:
    sizes = {path: len(values) for path, values in {**experiment.sweep, **arm.sweep}.items()}
    theirs = math.prod(size for path, size in sizes.items() if path not in arm.seeds_at)
    rest = math.prod(sizes.values()) - theirs
    return theirs * experiment.seeds_of(arm, arm.seeds_at) + rest * experiment.num_seeds


def _check_noise_floor(experiment: Experiment, known: Known) -> None:
    arm = experiment.noise_floor_arm
    if arm is None:
        must = "noise_floor_at must be empty without a noise_floor_arm"
        known.require(not experiment.noise_floor_at, must, dict(experiment.noise_floor_at), what="noise floor")
        return
    must = f"noise_floor_arm must be one of {sorted(known.arms)}"
    known.require(arm in known.arms, must, arm, what="noise floor", among=known.arms)


def _check_probes(experiment: Experiment, known: Known) -> None:
    """Each probe fits each arm, and no metric is recorded twice: measures would count each value twice.

    A LightningModule measures itself.
    """
    ours = {
        name: [one for one in found if not isinstance(one, LightningTraining)]
        for name, found in known.trainings.items()
    }
    for name, trainings in ours.items():
        different = {_measured_alike(one): one for one in trainings}
        for probe, training in itertools.product(experiment.probes, different.values()):
            check_probe(probe, training, what=f"{known.what}, arm {name!r}")
    for training in (trainings[0] for trainings in ours.values() if trainings):
        names = [metric.name for probe in experiment.probes for metric in metrics_of(probe, training)]
        require_unique(known.what, "metrics recorded by its probes", names)


def _check_selection(experiment: Experiment, known: Known) -> None:
    selection = experiment.selection
    is_read = (
        _selects(experiment) or experiment.noise_floor_arm is not None
    )  # the A/A arm is compared by that metric too
    if selection == type(selection)() and not is_read:
        return
    must = f"selection must be on a metric that a probe records: {', '.join(sorted(known.metrics)) or 'none'}"
    known.require(selection.metric in known.metrics, must, selection.metric, what="selection", among=known.metrics)
    must = "selection must be on validation data, since results are reported on the test split"
    on_test = any(metric.split == "test" for metric in known.metrics[selection.metric])
    known.require(not (on_test and _selects(experiment)), must, selection.metric, what="selection")
    directions = {metric.direction for metric in known.metrics[selection.metric]} - {"none", selection.which}
    must = f"selection.which must be {', '.join(sorted(directions))!r}, the better side of {selection.metric!r}"
    known.require(not directions, must, selection.which, what="selection")


def _selects(experiment: Experiment) -> bool:
    parts = list(itertools.chain.from_iterable(_parts(one) for one in (*experiment.claims, *experiment.figures)))
    chosen = any(isinstance(part, Selected) and part.best for part in parts)
    return chosen or any(isinstance(part, Estimate) and part.chooses for part in parts)


def _parts(value: Any) -> Iterator[Any]:
    """Yield every spec inside a value, itself included."""
    if dataclasses.is_dataclass(value):
        yield value
        for field in dataclasses.fields(value):
            yield from _parts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from itertools.chain.from_iterable(map(_parts, value.values()))
    elif isinstance(value, tuple):
        yield from itertools.chain.from_iterable(map(_parts, value))


def _check_parts(value: Any, known: Known, *, what: str) -> None:
    for part in _parts(value):
        match part:
            case Selected():
                _check_selected(part, known, what=what)
            case Last() | At() | Best() | Over() | Curve():
                _check_metric(part.metric, part.index, known, what=what, among=_is_over_all(part))
                for name in getattr(part, "between", None) or ():
                    _check_metric(name, part.index, known, what=what)
            case AtBest():
                _check_metric(part.metric, -1, known, what=what)
                _check_metric(part.of, -1, known, what=what)
            case LogSlope():
                _check_metric(part.metric, None, known, what=what)
                _check_updates(part, known, what=what)
            case StepsTo():
                _check_metric(part.metric, None, known, what=what)
                _check_updates(part, known, what=what)
                _check_target(part, known, what=what)
            case Setting():
                _check_setting(part.path, known.arms, known, what=what)
            case WorstDeviation(expected=str() as name) | Reference(theory=str() as name):
                known.require(
                    name in THEORIES, f"theory must be one of {', '.join(THEORIES)}", name, what=what, among=THEORIES
                )
        _check_settings_of(part, known, what=what)


def _check_settings_of(part: Any, known: Known, *, what: str) -> None:
    """Check the settings that an estimate or a figure names, for the arms of its own selections."""
    match part:
        case Estimate():
            runs = getattr(part, "runs", ())
            names, runs = list(part.settings), runs if isinstance(runs, tuple) else (runs,)
        case SweepCurve():
            names, runs = [part.over], tuple(_parts(part.runs))
        case Curve():
            names, runs = ([part.by] if part.by else []), tuple(part.runs.values())
        case Heatmap():
            names, runs = [part.x, part.y], (part.runs,)
        case Reference(arm=str() as arm):
            known.require(
                arm in known.arms, f"arm must be one of {', '.join(known.arms)}", arm, what=what, among=known.arms
            )
            return
        case _:
            return
    arms = [selected.arm for selected in runs if isinstance(selected, Selected)]
    for name in names:
        _check_setting(name, [arm for arm in arms if arm in known.arms], known, what=what)


def _check_selected(selected: Selected, known: Known, *, what: str) -> None:
    for arm in (selected.arm, *([selected.best_of] if selected.best_of is not None else [])):
        known.require(
            arm in known.arms, f"arm must be one of {', '.join(known.arms)}", arm, what=what, among=known.arms
        )
    sweep = known.sweeps[selected.arm]
    of_arm = f"{what}, arm {selected.arm!r}"
    for name in (*selected.where, *selected.best):
        must = f"a setting must be one that it sweeps: {', '.join(sweep) or 'none'}"
        known.require(name in sweep, must, name, what=of_arm, among=sweep)
    for name, value in selected.where.items():
        values = sweep[name]
        if isinstance(value, Ranked):
            must = f"Ranked must be a place among the {len(values)} values of {name}"
            known.require(-len(values) <= value.position < len(values), must, value.position, what=of_arm)
        else:
            known.require(value in values, f"{name} must be one of its values {values}", value, what=of_arm)


def _check_metric(name: str, index: int | None, known: Known, *, what: str, among: bool = False) -> None:
    needs_updates = name not in known.metrics and known.would_be_recorded(name)
    known.require(not needs_updates, f"{name!r} is recorded at updates, so num_steps must be > 0", 0, what=what)
    must = f"metric must be one that a probe records: {', '.join(sorted(known.metrics)) or 'none'}"
    known.require(name in known.metrics, must, name, what=what, among=known.metrics)
    asked = None if among else index
    must = f"index of {name!r} must be one that is recorded, {_indexes(known.metrics[name])}"
    known.require(any(metric.has_index(asked) for metric in known.metrics[name]), must, asked, what=what)


def _check_updates(measure: LogSlope | StepsTo, known: Known, *, what: str) -> None:
    """What is measured over steps needs updates."""
    every = list(itertools.chain.from_iterable(known.trainings.values()))
    most = max(1 if isinstance(one, LightningTraining) else one.num_steps for one in every)
    over_steps = isinstance(measure, StepsTo) or measure.over != "index"
    must = f"{type(measure).__name__} is over steps, so num_steps must be > 0"
    known.require(most > 0 or not over_steps, must, most, what=what)


def _is_over_all(part: Any) -> bool:
    return isinstance(part, Curve) and (part.over == "index" or part.band == "quantiles")


def _indexes(metrics: Iterable[Metric]) -> str:
    """Return in words which indices a metric has."""
    words = {
        "-1"
        if not metric.index
        else f"{metric.first_index} to "
        + (str(metric.first_index + metric.num_indexes - 1) if metric.num_indexes else "the last")
        for metric in metrics
    }
    return " or ".join(sorted(words))


def _check_target(measure: StepsTo, known: Known, *, what: str) -> None:
    if measure.target_of is not None and isinstance(measure.target_of[0], str):
        arm = measure.target_of[0]
        known.require(
            arm in known.arms, f"arm must be one of {', '.join(known.arms)}", arm, what=what, among=known.arms
        )


def _check_setting(name: str, arms: Iterable[str], known: Known, *, what: str) -> None:
    """A setting is a swept one by its short name, a theory, or a path into the training of one of the arms at least."""
    arms = list(arms)
    if name in THEORIES or any(name in known.sweeps[arm] or _has_path(known.trainings[arm], name) for arm in arms):
        return
    swept = sorted({short for arm in arms for short in known.sweeps[arm]})
    must = f"a setting must be swept ({', '.join(swept) or 'none is'}), a path into the training, or a theory"
    known.require(not arms, must, name, what=what, among=(*swept, *THEORIES))


def _has_path(trainings: Iterable[AnyTraining], path: str) -> bool:
    for training in trainings:
        record: Any = training
        for name in path.split("."):
            if isinstance(record, Mapping) and name in record:
                record = record[name]
            elif dataclasses.is_dataclass(record) and hasattr(record, name):
                record = getattr(record, name)
            else:
                break
        else:
            return True
    return False


def check_changes(experiment: Experiment) -> None:
    """Raise a ValueError where the changes for a scale name what the experiment does not have."""
    arms = [arm.name for arm in experiment.arms]
    paths = {*experiment.sweep, *itertools.chain.from_iterable(arm.sweep for arm in experiment.arms)}
    for scale, changes in experiment.scales.items():
        what = f"experiment {experiment.name!r}, scale {scale!r}"
        named = (
            ("without_arms", changes.without_arms, arms, "an arm"),
            ("arms", changes.arms, arms, "an arm"),
            ("seeds", changes.seeds, arms, "an arm"),
            ("seeds_at", changes.seeds_at, paths, "a swept path"),
            ("sweep", changes.sweep, paths, "a swept path"),
            ("sweeps", changes.sweeps, arms, "an arm"),
            *(("sweeps", sweep, paths, "a swept path") for sweep in changes.sweeps.values()),
        )
        for field, names, known, kind in named:
            for name in names:
                must = f"{field} must name {kind}, one of {', '.join(sorted(known)) or 'none'}"
                require_known(name, known, what=what, must=must)
        left = [name for name in arms if name not in changes.without_arms]
        require(bool(left) or changes.skip, what=what, must="an arm must be left", got=list(changes.without_arms))
