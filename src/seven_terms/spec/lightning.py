"""Anybody's LightningModule as a training: module, data and Trainer by class and arguments; standard library only.

Nothing of the module is changed: its optimizers, schedules, losses and `self.log` stay its own. Ours are the seed, the sweep,
the metrics file, the end of a run that diverges, and the resume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, Any

from .checked import checked
from .checks import require
from .kinds import Kind, load
from .limits import Bounds, Line, Matches
from .metric import Metric
from .paths import replace_paths
from .settings import Settings

ClassPath = Annotated[str, Matches(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", "a class as 'package.module:Class'")]
# What the machine or the pipeline decides, and by which word of ours it is said instead.
NOT_OF_THE_TRAINER: Mapping[str, str] = {
    "accelerator": "the machine decides it (`--accelerator`, a profile)",
    "num_nodes": "a run trains on one machine",
    "default_root_dir": "checkpoints lie in the results folder",
    "fast_dev_run": "SCALE=smoke is for that",
    "barebones": "metrics must be logged",
    "inference_mode": "a run is tested by the same Trainer that trains it",
}


@checked
class Instance(Kind):
    """What a class makes of arguments: "package.module:Class". Arguments may be instances again, or tuples of them."""

    cls: ClassPath
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", Settings(self.arguments))

    @property
    def name(self) -> str:
        """The name of the class without its module."""
        return self.cls.rpartition(":")[2].rpartition(".")[2]

    def sources(self) -> tuple[str, ...]:
        return (self.cls.partition(":")[0],)


@checked
class Cost:
    """What a run of a LightningModule costs, for the forecast and for cutting runs into jobs; measured once where not stated.

    `num_batches`: of an epoch, needed where the Trainer counts epochs; `flops_per_step`: forward and backward of one update.
    """

    num_parameters: Annotated[int, Bounds(low=0, high=1_000_000_000_000)]
    flops_per_step: Annotated[float, Bounds(low=0.0)]
    num_batches: Annotated[int, Bounds(low=0, high=1_000_000_000)] = 0
    num_layers: Annotated[int, Bounds(low=0, high=1_000_000)] = 10
    values_saved: Annotated[float, Bounds(low=0.0)] = 0.0  # numbers that one batch's forward pass keeps


@checked
class LightningTraining:
    """A LightningModule trained by Lightning's Trainer.

    `trainer`: arguments of the Trainer (`max_steps` or `max_epochs`, `gradient_clip_val`, `precision`, `strategy`, `devices`,
    `callbacks=(Instance(...),)`, `logger=Instance(...)` ...). `metrics`: what the module logs, by its name there, as claims and
    figures know it; the rest of what it logs is kept under its own name. A module with a `test_step` is tested at the end.
    Sweep "module.arguments.<name>", "datamodule.arguments.<name>", "trainer.<name>".
    """

    module: Instance
    datamodule: Instance | None = None
    trainer: Mapping[str, Any]
    metrics: Mapping[Line, Metric]
    cost: Cost | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "trainer", Settings(self.trainer))
        object.__setattr__(self, "metrics", Settings(self.metrics))
        what = "LightningTraining"
        for name, do in NOT_OF_THE_TRAINER.items():
            require(name not in self.trainer, what=what, must=f"trainer must not set {name!r}", got=self.trainer, do=do)
        steps, epochs = (self.trainer.get(name) for name in ("max_steps", "max_epochs"))
        must = "trainer must say when to stop, by max_steps or max_epochs > 0"
        require(_is_count(steps) or _is_count(epochs), what=what, must=must, got=dict(self.trainer))
        must = "trainer's devices must be a whole number > 0 (each run has its own seeds on every machine)"
        require(_is_count(self.num_devices), what=what, must=must, got=self.num_devices)
        names = [metric.name for metric in self.metrics.values()]
        require(len(set(names)) == len(names), what=what, must="metrics must have different names", got=names)
        must = "metrics must name what claims read"
        require(bool(names), what=what, must=must, got=names, do='write `{"val_loss": Metric(name="validation_loss")}`')
        known = _is_count(steps) or self.cost is None or self.cost.num_batches > 0
        must = "cost must say num_batches where the Trainer counts epochs"
        require(known, what=what, must=must, got=self.cost)

    @property
    def num_devices(self) -> int:
        return self.trainer.get("devices", 1)

    @property
    def num_steps(self) -> int:
        """How many updates a run makes at most: `max_steps`, or what its epochs come to."""
        if _is_count(self.trainer.get("max_steps")):
            return self.trainer["max_steps"]
        together = self.trainer.get("accumulate_grad_batches", 1) * self.num_devices
        return self.trainer["max_epochs"] * -(-self.costs.num_batches // together)

    @property
    def costs(self) -> Cost:
        """What a run costs: as it is stated, or measured once and kept in the user's cache folder."""
        if self.cost is not None:
            return self.cost
        measured = load("seven_terms.spec.measured:measured")
        by = "seven_terms.training.lightning.measured:measure"
        found = measured(self.module, by, self.datamodule, Settings(_sizes(self.trainer)))
        return Cost(**found)

    def instances(self) -> Iterator[Instance]:
        """Yield all that is made for a run."""
        yield from _instances((self.module, self.datamodule, self.trainer))

    def but(self, changes: Mapping[str, Any] | None = None, /, **fields: Any) -> LightningTraining:
        """Return this training with fields replaced, and then those at dotted paths: `but({"trainer.max_epochs": 3})`."""
        return replace_paths(self, {**fields, **(changes or {})})


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _sizes(trainer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the Trainer that decide how many batches an epoch has."""
    return {name: value for name, value in trainer.items() if name in ("limit_train_batches", "overfit_batches")}


def _instances(value: Any) -> Iterator[Instance]:
    if isinstance(value, Instance):
        yield value
        yield from _instances(value.arguments)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _instances(one)
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from _instances(one)
