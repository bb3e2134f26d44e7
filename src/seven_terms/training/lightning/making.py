"""From the records of a run to Lightning's objects: module, data, Trainer."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from ...spec import Instance, LightningTraining, load, require

PACKAGES = ("pytorch_lightning", "lightning.pytorch")  # one code under two names, whose classes do not mix
QUIET: Mapping[str, Any] = {  # where the arm does not say otherwise
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "num_sanity_val_steps": 0,
}


def silence() -> None:
    """Let Lightning say nothing of devices and limits: hundreds of runs would say it again."""
    for name in (*PACKAGES, "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)


def made(value: Any) -> Any:
    """Return what an argument is, instances made; ValueError that names the class where its constructor refuses."""
    if isinstance(value, Instance):
        kind = load(value.cls)
        arguments = {name: made(one) for name, one in value.arguments.items()}
        try:
            return kind(**arguments)
        except TypeError as error:
            what, must = f"Instance {value.cls!r}", "its constructor must take the arguments"
            do = "see the arguments of its __init__"
            require(False, what=what, must=must, got=f"{arguments}: {error}", do=do)
    if isinstance(value, Mapping):
        return {name: made(one) for name, one in value.items()}
    return [made(one) for one in value] if isinstance(value, (tuple, list)) else value


def library_of(module: Any, datamodule: Any = None) -> ModuleType:
    """Return the package whose Trainer takes the module: pytorch_lightning, or lightning.pytorch with classes of its own."""
    name, of_data = _package_of(module), _package_of(datamodule)
    must, do = "it must be a LightningModule", "give a nn.Module to `Module(cls=...)` of a Training instead"
    require(name is not None, what="LightningTraining", must=must, got=type(module).__name__, do=do)
    assert name is not None
    must, do = (
        f"datamodule must be of the module's package, {name}",
        f"import it from {name}, or the module from the other",
    )
    require(of_data in (None, name), what="LightningTraining", must=must, got=of_data, do=do)
    library = importlib.import_module(name)
    silence()  # again: a package sets its loggers when it is imported
    return library


def _package_of(value: Any) -> str | None:
    kinds = [f"{kind.__module__}." for kind in type(value).__mro__]
    return next((name for kind in kinds for name in PACKAGES if kind.startswith(f"{name}.")), None)


def environments_of(library: ModuleType) -> Any:
    """Return the module of cluster environments, which lightning.pytorch does not import by itself."""
    return importlib.import_module(f"{library.__name__}.plugins.environments")


def listed(value: Any) -> list[Any]:
    """Return what an argument of the Trainer that takes one or several holds: none for None, False and True."""
    if value is None or isinstance(value, bool):
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def make_trainer(
    library: ModuleType, training: LightningTraining, *, ours: list[Any], logger: Any, **options: Any
) -> Any:
    """Return Lightning's Trainer as the arm describes it, with our callbacks and logger after its own."""
    given = made(dict(training.trainer))
    callbacks = [*listed(given.pop("callbacks", None)), *ours]
    loggers = [*listed(given.pop("logger", None)), logger]
    plugins = [*listed(given.pop("plugins", None)), *options.pop("plugins")]
    try:
        return library.Trainer(**{**QUIET, **options, **given}, callbacks=callbacks, logger=loggers, plugins=plugins)
    except TypeError as error:
        must = "trainer must hold arguments of Lightning's Trainer"
        require(False, what="LightningTraining", must=must, got=f"{sorted(training.trainer)}: {error}")
