"""An experiment: arms, sweeps, seeds, probes, claims and figures, as one frozen value.

Run = (arm, sweep values, seed). `at_scale` is the only knob outside: it applies the changes that the experiment lists
for a scale, and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Set
from dataclasses import KW_ONLY, field
from typing import Annotated, Any, Literal

from .checked import checked
from .checks import require, require_increasing, require_unique
from .claims import Claim
from .figures import Figure
from .fits import check_training
from .kinds import Model, Optimizer, Probe, Task
from .later import later
from .lightning import LightningTraining
from .limits import Bounds, FileName, Fraction, Label, LabelOrNone, Line, Matches, Sized
from .models import Initialization
from .optimizers import Clipping, Sgd
from .paths import read_path as read_path
from .paths import replace_path as replace_path
from .paths import replace_paths as replace_paths
from .references import check_changes, check_references
from .scales import REPORTED as REPORTED
from .scales import SCALES as SCALES
from .scales import Scale as Scale
from .schedules import Constant, Schedule
from .selections import EVERY, Selected
from .spelling import Sweeps, in_last_parts, require_paths, words
from .terms import TERMS as TERMS
from .terms import Term as Term
from .terms import rank_of as rank_of
from .terms import title_of as title_of

SEVERAL = ("arms", "probes", "claims", "figures")  # of an experiment, a tuple each
AS_WRITTEN_FIRST: tuple[Scale, ...] = ("laptop", "smoke", "full", "paper")
Seeds = Annotated[int, Bounds(low=1, high=10_000)]
Growth = Annotated[int, Bounds(low=1, high=10_000)]
Values = Annotated[tuple[Any, ...], Sized(least=1, most=1_000, unique=True)]
Sweep = Mapping[Line, Values]  # path into the training -> values
Trained = Literal["all", "normalization", "readout", "hidden"]  # hidden: all but the readout
Written = Annotated[str, Matches(r"(?s).*\S.*", "text that is not empty")]


@checked
class Training:
    """Everything that decides a run's numbers, except its seed.

    `batch_growth`: (fraction of the budget, factor) pairs; from that fraction on, batches are that many times larger
    and updates that many times fewer (the budget counts examples). `num_devices`: as many processes, one per device,
    each take an equal share of every batch; it changes results (order of summation, batch statistics), hence ids.
    `trained`: which parameters are; the others stay as they were drawn, and count in no norm of a gradient.
    """

    task: Task
    model: Model
    initialization: Initialization = Initialization()
    optimizer: Optimizer = Sgd()
    schedule: Schedule = Constant()
    clipping: Clipping = Clipping()
    num_steps: Annotated[int, Bounds(low=0, high=1_000_000)]
    batch_size: Annotated[int, Bounds(low=1, high=1_000_000)] | None = None  # None: full batch, or a task without data
    batch_growth: Annotated[tuple[tuple[Fraction, Growth], ...], Sized(most=100)] = ()
    precision: Literal["float32", "float64"] = "float32"
    num_devices: Annotated[int, Bounds(low=1, high=1_024)] = later(default=1)
    trained: Trained = later(default="all")

    def __post_init__(self) -> None:
        starts = [fraction for fraction, _ in self.batch_growth]
        require_increasing("Training", "the fractions of batch_growth", starts)
        check_training(self)

    def updates(self) -> Iterator[tuple[int, int | None]]:
        """Yield (step, batch size) of each update, None for the whole split.

        Steps count base batches, so that a batch of f times the size makes f steps.
        """
        step = 0
        while step < self.num_steps:
            growth = 1
            for fraction, times in self.batch_growth:
                if step >= round(fraction * self.num_steps):
                    growth = times
            yield step, None if self.batch_size is None else self.batch_size * growth
            step += growth

    def but(self, changes: Mapping[str, Any] | None = None, /, **fields: Any) -> Training:
        """Return this training with fields replaced, and then those at dotted paths: `but({"model.depth": 3}, num_steps=9)`."""
        return replace_paths(self, {**fields, **(changes or {})})


AnyTraining = Training | LightningTraining


@checked(kw_only=False)
class Arm:
    """A named alternative; its label is the name by default. `sweep` adds to, or replaces, the experiment's sweep."""

    name: Label
    training: AnyTraining
    label: LabelOrNone = ""
    _: KW_ONLY
    sweep: Sweep = field(default_factory=dict)
    num_seeds: Seeds | None = None
    seeds_at: Mapping[str, Any] = field(
        default_factory=dict
    )  # swept path -> its value where num_seeds holds; else everywhere

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or words(self.name))

    def at(self, where: Mapping[str, Any] | None = None) -> Selected:
        """Return all runs of this arm, or those with the given swept values (a value or a `Ranked`, by path)."""
        return Selected(self.name, where=dict(where or {}))

    def best(self, *settings: str, at: Mapping[str, Any] | None = None) -> Selected:
        """Return the runs at the values chosen on validation data: of the settings named, else of all not fixed by `at`."""
        return Selected(self.name, where=dict(at or {}), best=settings or EVERY)

    def at_best_of(
        self, other: Arm, *settings: str, at: Mapping[str, Any] | None = None, times: float = 1.0
    ) -> Selected:
        """Return this arm's runs at the values that were best for another arm, or at `times` as much."""
        return Selected(self.name, where=dict(at or {}), best=settings or EVERY, best_of=other.name, times=times)


@checked
class Selection:
    """How sweep values are chosen: the mean over seeds of a validation metric's last value (diverged runs never win)."""

    metric: Line = "validation_loss"
    which: Literal["min", "max"] = "min"
    at: Literal["last", "best", "mean"] = "last"


@checked(kw_only=False)
class Changes:
    """What a scale changes: paths into every arm's training, sweeps replaced by name, seeds of all or some arms, arms left out.

    `Experiment.here` takes both in one mapping: the values of a swept path replace its sweep, in `arms` that of one arm.
    """

    training: Mapping[str, Any] = field(default_factory=dict)
    _: KW_ONLY
    num_seeds: Seeds | None = None
    seeds: Mapping[str, Seeds] = field(default_factory=dict)  # arm -> a number of its own
    seeds_at: Mapping[str, Any] = field(
        default_factory=dict
    )  # swept path -> its value where `seeds` hold; else everywhere
    sweep: Sweep = field(default_factory=dict)
    sweeps: Mapping[str, Sweep] = field(default_factory=dict)  # arm -> values of its own
    without_arms: Annotated[tuple[str, ...], Sized(unique=True)] = ()
    probes: tuple[Probe, ...] | None = None
    arms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # arm -> paths into its training
    skip: bool = False  # the experiment does not run at this scale


@checked
class Experiment:
    """One question of the paper. `name` is unique over all terms; files and figures are called `<term>/<name>`."""

    name: FileName
    term: Term
    title: Line
    question: Written
    method: Written  # two to five sentences for the report: what was done, in words
    arms: Annotated[tuple[Arm, ...], Sized(least=1, most=1_000)]
    sweep: Sweep = field(default_factory=dict)
    num_seeds: Seeds = 5
    probes: tuple[Probe, ...] = ()
    selection: Selection = Selection()
    noise_floor_arm: str | None = None  # trained again with other seeds: the A/A arm
    noise_floor_at: Mapping[str, Any] = field(
        default_factory=dict
    )  # swept path -> its one value there; else all values
    claims: tuple[Claim, ...] = ()
    figures: tuple[Figure, ...] = ()
    scales: Mapping[Scale, Changes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("claims", "figures"):
            object.__setattr__(self, name, in_last_parts(getattr(self, name), self.sweeps))
        require_unique(f"experiment {self.name!r}", "arm names", (arm.name for arm in self.arms))
        require_unique(f"experiment {self.name!r}", "figure names", (figure.name for figure in self.figures))
        require_unique(f"experiment {self.name!r}", "claims", (claim.key for claim in self.claims))
        check_changes(self)
        if not self.scales:
            check_references(self)
            self._require_noise_floor_values()
        running: list[Scale] = [one for one in AS_WRITTEN_FIRST if self.scales and self.runs_at(one)]
        for scale in running[:1]:
            self.at_scale(scale)  # checks itself; so does each other scale before it is planned

    def _require_noise_floor_values(self) -> None:
        sweeps = {**self.sweep, **next((arm.sweep for arm in self.arms if arm.name == self.noise_floor_arm), {})}
        for path, value in self.noise_floor_at.items():
            require(
                value in sweeps.get(path, ()),
                what=f"experiment {self.name!r}",
                must=f"noise_floor_at must name a value that noise_floor_arm sweeps over, one of {sweeps.get(path, ())}",
                got={path: value},
            )

    @classmethod
    def here(cls, place: str, *, noise_floor: Arm | Selected | None = None, **fields: Any) -> Experiment:
        """Return the experiment of a file: `place` is the module's `__name__`, whose last two parts are term and name.

        `noise_floor` is the A/A arm, or `arm.at(...)` with the one value of a sweep at which it is trained again; `smoke`,
        `laptop`, `full` and `paper` are the `Changes` of a scale; a single claim, figure or probe needs no tuple, and arms
        may be a mapping, as `by_name` makes it. ValueError where a claim or figure spells a setting differently from its sweep.
        """
        term, name = place.split(".")[-2:]
        fields |= {one: _several(fields[one]) for one in SEVERAL if one in fields}
        swept = {path for sweep in (fields.get("sweep", {}), *(arm.sweep for arm in fields["arms"])) for path in sweep}
        require_paths(f"experiment {name!r}", (fields.get("claims", ()), fields.get("figures", ())), swept)
        if isinstance(noise_floor, Selected):
            fields |= {"noise_floor_arm": noise_floor.arm, "noise_floor_at": noise_floor.where}
        elif noise_floor is not None:
            fields |= {"noise_floor_arm": noise_floor.name}
        scales = {scale: _divided(fields.pop(scale), swept) for scale in SCALES if scale in fields}
        return cls(name=name, term=term, **({"scales": scales} if scales else {}), **fields)

    @property
    def sweeps(self) -> Sweeps:
        """The paths that each arm is swept over."""
        return {arm.name: tuple({**self.sweep, **arm.sweep}) for arm in self.arms}

    @property
    def path(self) -> str:
        return f"{self.term}/{self.name}"

    def at_scale(self, scale: Scale) -> Experiment:
        """Return this experiment with the changes of a scale applied; `laptop` is the experiment as written.

        A number of seeds that the scale gives holds for every arm, but for those with `seeds` of their own; `seeds_at` limits
        these to some swept values, those that claims read.
        """
        require(scale in SCALES, what="scale", must=f"it must be one of {SCALES}", got=scale)
        changes = self.scales.get(scale, Changes())
        arms = tuple(
            dataclasses.replace(
                arm,
                training=replace_paths(arm.training, {**changes.training, **changes.arms.get(arm.name, {})}),
                sweep={path: changes.sweep.get(path, values) for path, values in arm.sweep.items()}
                | dict(changes.sweeps.get(arm.name, {})),
                num_seeds=changes.seeds.get(arm.name) or (None if changes.num_seeds else arm.num_seeds),
                seeds_at={
                    path: value
                    for path, value in (changes.seeds_at if arm.name in changes.seeds else arm.seeds_at).items()
                    if path in {**self.sweep, **arm.sweep}
                },
            )
            for arm in self.arms
            if arm.name not in changes.without_arms
        )
        return dataclasses.replace(
            self,
            arms=arms,
            sweep={path: changes.sweep.get(path, values) for path, values in self.sweep.items()},
            num_seeds=changes.num_seeds or self.num_seeds,
            noise_floor_at={
                path: value if value in changes.sweep.get(path, (value,)) else changes.sweep[path][0]
                for path, value in self.noise_floor_at.items()
            },
            probes=self.probes if changes.probes is None else changes.probes,
            claims=tuple(claim for claim in self.claims if scale in claim.scales),
            figures=tuple(figure for figure in self.figures if scale in figure.scales),
            scales={},
        )

    def seeds_of(self, arm: Arm, swept: Mapping[str, Any]) -> int:
        """Return the number of seeds of an arm at values of its sweep, by path; one not named is any of its values."""
        if arm.num_seeds is None or any(swept.get(path) != value for path, value in arm.seeds_at.items()):
            return self.num_seeds
        return arm.num_seeds

    def runs_at(self, scale: Scale) -> bool:
        return not self.scales.get(scale, Changes()).skip


def _divided(changes: Changes, swept: Set[str]) -> Changes:
    """Return changes with the values of swept paths where they belong, in the sweep."""

    def divided(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        of_sweep = {path: value for path, value in values.items() if path in swept and isinstance(value, tuple)}
        return {path: value for path, value in values.items() if path not in of_sweep}, of_sweep

    training, sweep = divided(changes.training)
    arms = {name: divided(values) for name, values in changes.arms.items()}
    sweeps = {name: {**found, **changes.sweeps.get(name, {})} for name, (_, found) in arms.items() if found}
    return dataclasses.replace(
        changes,
        training=training,
        sweep={**sweep, **changes.sweep},
        arms={name: found for name, (found, _) in arms.items() if found},
        sweeps={**changes.sweeps, **sweeps},
    )


def _several(value: Any) -> Any:
    """Return a tuple of what is given alone or as the values of a mapping."""
    if isinstance(value, Mapping):
        return tuple(value.values())
    return value if isinstance(value, (tuple, list)) else (value,)
